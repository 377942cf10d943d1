// One picture: sent, then shown with what was found on it, and as a table.

import { made } from "./dom.js";
import { UNCERTAIN } from "./expressions.js";
import { Item, link, size } from "./item.js";
import { FACE_COLOURS } from "./palette.js";
import { send } from "./sending.js";
import { capital, percent } from "./words.js";

export class PictureItem extends Item {
  #file;
  #options;
  #urls = [];
  #gone = new AbortController();

  constructor(file, options) {
    super(file.name, size(file.size));
    this.#file = file;
    this.#options = options;
  }

  async send() {
    if (this.#gone.signal.aborted) return;
    const { threshold, whole } = this.#options;
    const query = new URLSearchParams({ threshold: threshold.toFixed(2), picture: "1", whole: whole ? "1" : "0" });
    this.say("Sending", 0);
    try {
      const answer = await send(`api/v1/analyze?${query}`, this.#file, {
        sent: (share) => (share < 1 ? this.say("Sending", share) : this.say("Looking for faces", null)),
        signal: this.#gone.signal,
      });
      this.say(answer.message);
      this.#show(answer);
    } catch (error) {
      this.fail(error.message);
    }
  }

  remove() {
    this.leave();
  }

  leave() {
    this.#gone.abort();
    for (const url of this.#urls) URL.revokeObjectURL(url);
    super.leave();
  }

  #show({ result, annotated_jpeg }) {
    const figure = made("figure", "", "item-picture");
    const image = made("img");
    const found = result.faces.map((face) => `face ${face.id}: ${face.label}`).join(", ");
    image.alt = `${this.#file.name}: ${found || "no face was found"}`;
    image.src = this.#url(annotated_jpeg ? jpeg(annotated_jpeg) : this.#file);
    figure.append(image);
    const links = made("p", "", "item-links");
    const stem = this.#file.name.replace(/\.[^.]+$/, "");
    const record = new Blob([JSON.stringify(result, null, 1)], { type: "application/json" });
    links.append(link("Save JSON", this.#url(record), `${stem}.json`));
    if (annotated_jpeg) links.append(link("Save picture", image.src, `${stem}-annotated.jpg`));
    const side = made("div", "", "item-side");
    if (result.faces.length) side.append(table(result.faces));
    side.append(links);
    this.body.append(figure, side);
  }

  #url(blob) {
    const url = URL.createObjectURL(blob);
    this.#urls.push(url);
    return url;
  }
}

function jpeg(base64) {
  return new Blob([Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))], { type: "image/jpeg" });
}

// A row per expression and a column per face, as there are seven of those and mostly one or two of these.
function table(faces) {
  const names = Object.keys(faces.find((face) => Object.keys(face.scores).length)?.scores ?? {});
  const head = made("tr");
  head.append(made("td"), ...faces.map(heading));
  const rows = names.map((name) => {
    const row = made("tr");
    row.append(scoped("row", capital(name)), ...faces.map((face) => share(face, name)));
    return row;
  });
  const verdict = made("tr", "", "verdict-row");
  verdict.append(scoped("row", "Expression"), ...faces.map((face) => made("td", said(face))));
  const body = made("tbody");
  body.append(verdict, ...rows);
  const thead = made("thead");
  thead.append(head);
  const scores = made("table", "", "scores");
  scores.append(thead, body);
  const scroll = made("div", "", "scroll");
  scroll.tabIndex = 0;
  scroll.setAttribute("role", "group");
  scroll.setAttribute("aria-label", "What was found");
  scroll.append(scores);
  return scroll;
}

function scoped(scope, text) {
  const cell = made("th", text);
  cell.scope = scope;
  return cell;
}

function heading(face) {
  const cell = scoped("col", `Face ${face.id}`);
  const swatch = made("span", "", "swatch");
  swatch.style.setProperty("--face", `rgb(${FACE_COLOURS[face.id % FACE_COLOURS.length].join(" ")})`);
  cell.prepend(swatch);
  return cell;
}

function said(face) {
  const unread = Object.keys(face.scores).length === 0;
  if (face.label === null || (face.label === UNCERTAIN && unread)) return "Not readable";
  return capital(face.label);
}

function share(face, name) {
  const value = face.scores[name];
  const cell = made("td", value === undefined ? "–" : percent(value));
  if (value !== undefined && value === Math.max(...Object.values(face.scores))) cell.className = "most";
  return cell;
}
