// Pictures and videos that are brought along: where they are dropped, and what was found in each, the newest first.

import { dress, made } from "./dom.js";
import { PictureItem } from "./picture_item.js";
import { ask } from "./sending.js";
import * as sent from "./sent.js";
import { VideoItem } from "./video_item.js";

const MOST_ITEMS = 40; // the oldest give way, so that a page that is used all day does not grow
const PICTURE = /\.(jpe?g|png|webp|bmp|gif|tiff?)$/i;

export function mount(section, { tell }) {
  return new Analysis(section, tell);
}

class Analysis {
  #tell;
  #status = null;
  #items = [];
  #queue = [];
  #sending = false;
  #parts;

  constructor(section, tell) {
    this.#tell = tell;
    dress("files.css");
    section.append(view());
    const part = (name) => section.querySelector(`.files-${name}`);
    const names = ["input", "limits", "threshold", "whole", "list", "empty"];
    this.#parts = Object.fromEntries(names.map((name) => [name, part(name)]));
    this.#parts.input.addEventListener("change", () => {
      this.take([...this.#parts.input.files]);
      this.#parts.input.value = ""; // so that the same file can be chosen again
    });
    this.#recall();
  }

  take(files) {
    if (!files.length) return;
    const options = { threshold: this.#threshold, whole: this.#parts.whole.checked };
    for (const file of files) {
      const isPicture = file.type.startsWith("image/") || PICTURE.test(file.name);
      const item = isPicture ? new PictureItem(file, options) : new VideoItem({ file, tell: this.#tell });
      this.#add(item);
      this.#queue.push(item);
    }
    this.#work();
  }

  show(status) {
    this.#status = status;
    const { max_mb, max_minutes } = status.uploads ?? {};
    if (max_mb) this.#parts.limits.textContent = `Files up to ${max_mb} MB, videos up to ${max_minutes} minutes.`;
    for (const item of this.#items) item.know?.(status);
  }

  get #threshold() {
    const percent = Number(this.#parts.threshold.value);
    return Number.isFinite(percent) ? Math.min(100, Math.max(0, percent)) / 100 : 0.35;
  }

  #add(item) {
    if (this.#status) item.know?.(this.#status);
    item.element.querySelector(".item-remove").addEventListener("click", () => this.#remove(item));
    this.#items.unshift(item);
    this.#parts.list.prepend(item.element);
    this.#parts.empty.hidden = true;
    for (const old of this.#items.splice(MOST_ITEMS)) old.leave();
  }

  #remove(item) {
    item.remove();
    this.#items = this.#items.filter((other) => other !== item);
    this.#queue = this.#queue.filter((other) => other !== item);
    this.#parts.empty.hidden = this.#items.length > 0;
    this.#parts.input.focus();
  }

  // One file at a time is sent: the device has little to spare, and the live picture goes first.
  async #work() {
    if (this.#sending) return;
    this.#sending = true;
    while (this.#queue.length) await this.#queue.shift().send();
    this.#sending = false;
  }

  // Videos that this browser tab sent before it was loaded anew, and that the device still has. Others' are theirs.
  async #recall() {
    const mine = sent.all();
    if (!mine.length) return;
    try {
      const jobs = await (await ask("api/v1/videos")).json();
      for (const job of jobs.filter(({ id }) => mine.includes(id) && !this.#items.some((item) => item.id === id))) {
        const item = new VideoItem({ job, tell: this.#tell });
        this.#add(item);
        item.follow();
      }
    } catch {
      // there are none that can be shown
    }
  }
}

function view() {
  const part = document.createDocumentFragment();
  const box = made("div", "", "files-box");
  const label = made("label", "", "files-drop");
  const input = made("input", "", "files-input");
  Object.assign(input, { type: "file", multiple: true, accept: "image/*,video/*" });
  label.append(
    input,
    made("strong", "Choose pictures or videos, or drop them anywhere on this page"),
    made("span", "They are analysed on the device that serves this page, and soon deleted.", "quiet"),
    made("span", "", "files-limits quiet"),
  );
  const options = made("div", "", "files-options");
  options.append(threshold(), whole());
  box.append(label, options);
  const list = made("ul", "", "files-list");
  part.append(made("h2", "Pictures and videos", "unseen"), box, list, made("p", "What is found in them appears here.", "files-empty quiet"));
  return part;
}

function threshold() {
  const label = made("label", "In pictures, uncertain below ");
  const input = made("input", "", "files-threshold");
  Object.assign(input, { type: "number", min: 0, max: 100, step: 5, value: 35 });
  label.append(input, " %");
  return label;
}

function whole() {
  const label = made("label");
  const input = made("input", "", "files-whole");
  input.type = "checkbox";
  label.append(input, "Where no face is found, read the whole picture as one");
  return label;
}
