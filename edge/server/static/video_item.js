// One video: sent, analysed on the device in its own time, then played with what was found.

import { Card } from "./card.js";
import { made } from "./dom.js";
import { Film } from "./film.js";
import { FilmChart, clock, legend } from "./film_chart.js";
import { Item, link, size } from "./item.js";
import { ask, send } from "./sending.js";
import * as sent from "./sent.js";
import { capital, some } from "./words.js";

const ASK_MS = 1000;
const STATES = { queued: "Waiting for its turn", running: "Analysing" };
const OVER = ["done", "failed", "cancelled"];

export class VideoItem extends Item {
  id = null;
  #file;
  #tell;
  #labels = null;
  #threshold = 0;
  #url = "";
  #chart = null;
  #gone = new AbortController();

  // Either `file`, to be sent, or `job`, which the device has already.
  constructor({ file = null, job = null, tell }) {
    super(file?.name ?? job.name, file ? size(file.size) : "");
    this.#file = file;
    this.#tell = tell;
    this.id = job?.id ?? null;
  }

  know(status) {
    this.#labels = status.labels;
    this.#threshold = status.threshold;
  }

  async send() {
    if (this.#gone.signal.aborted) return;
    this.say("Sending", 0);
    try {
      const url = `api/v1/videos?${new URLSearchParams({ name: this.#file.name })}`;
      const job = await send(url, this.#file, { sent: (share) => this.say("Sending", share), signal: this.#gone.signal });
      this.id = job.id;
      sent.add(job.id);
    } catch (error) {
      this.fail(error.message);
      return;
    }
    this.follow(); // the next file can be sent meanwhile
  }

  async follow() {
    try {
      const job = await this.#end();
      if (job?.state === "done") await this.#show(job);
      else if (job) this.fail(job.message || capital(job.state));
    } catch (error) {
      if (!this.#gone.signal.aborted) this.fail(error.message);
    }
  }

  remove() {
    if (this.id) ask(this.#path, { method: "DELETE" }).catch((error) => this.#tell(error.message));
    this.leave();
  }

  leave() {
    this.#gone.abort();
    this.#chart?.close();
    if (this.#url) URL.revokeObjectURL(this.#url);
    super.leave();
  }

  get #path() {
    return `api/v1/videos/${this.id}`;
  }

  async #end() {
    while (!this.#gone.signal.aborted) {
      const job = await (await ask(this.#path)).json();
      if (OVER.includes(job.state)) return job;
      this.say(STATES[job.state] ?? capital(job.state), job.state === "running" ? job.progress : null);
      await new Promise((resolve) => setTimeout(resolve, ASK_MS));
    }
    return null;
  }

  async #show(job) {
    this.say(job.message || `${some(job.faces.length, "face", "faces")} in ${clock(job.duration_s)} minutes`);
    const film = new Film(await (await ask(`${this.#path}/events.jsonl`)).text());
    const labels = this.#labels ?? Object.keys(film.scenes[0]?.faces[0]?.scores ?? {});
    const video = await this.#player();
    const cards = made("ul", "", "cards item-cards");
    cards.style.setProperty("--threshold", String(this.#threshold));
    const chart = new FilmChart(film, labels, job.duration_s, (seconds) => (video.currentTime = seconds));
    this.#chart = chart;
    const shown = new Map();
    const sync = () => {
      const faces = film.at(video.currentTime);
      refresh(cards, shown, faces, this.#threshold);
      chart.mark(video.currentTime, faces.map((face) => `face ${face.id} ${face.label}`).join(", "));
    };
    for (const happening of ["timeupdate", "seeked", "loadeddata"]) video.addEventListener(happening, sync);
    each(video, sync, this.#gone.signal);
    const side = made("div", "", "item-side");
    side.append(cards);
    const below = made("div", "", "item-below");
    below.append(made("h4", "Expressions over time"), chart.element, legend(labels), people(job.faces), this.#links());
    const figure = made("figure", "", "item-picture");
    figure.append(video);
    this.body.append(figure, side, below);
    sync();
  }

  // What the device drew, else the video itself as far as it is at hand.
  async #player() {
    const video = made("video");
    Object.assign(video, { controls: true, playsInline: true, muted: true, preload: "metadata" });
    video.setAttribute("aria-label", `${this.element.querySelector(".item-name").textContent}, with what was found`);
    const drawn = await fetch(`${this.#path}/annotated.webm`, { method: "HEAD" }).then((response) => response.ok, () => false);
    if (!drawn && this.#file) this.#url = URL.createObjectURL(this.#file);
    video.src = drawn ? `${this.#path}/annotated.webm` : this.#url;
    this.drawn = drawn;
    return video;
  }

  #links() {
    const links = made("p", "", "item-links");
    links.append(link("Save CSV", `${this.#path}/events.csv`, ""), link("Save JSONL", `${this.#path}/events.jsonl`, ""));
    if (this.drawn) links.append(link("Save video", `${this.#path}/annotated.webm?download=1`, ""));
    return links;
  }
}

// The cards of the faces that are to be seen now.
function refresh(list, shown, faces, threshold) {
  const present = new Set(faces.map((face) => face.id));
  for (const [id, card] of shown) {
    if (present.has(id)) continue;
    card.element.remove();
    shown.delete(id);
  }
  for (const face of faces) {
    let card = shown.get(face.id);
    if (!card) {
      card = new Card(face.id);
      shown.set(face.id, card);
      list.append(card.element);
    }
    card.show(face, threshold);
    card.writeFigures();
  }
}

// With each picture that is played, where the browser tells.
function each(video, call, signal) {
  if (!video.requestVideoFrameCallback) return;
  const next = () => {
    if (signal.aborted) return;
    call();
    video.requestVideoFrameCallback(next);
  };
  video.requestVideoFrameCallback(next);
}

function people(faces) {
  const table = made("table");
  const head = made("tr");
  for (const name of ["Face", "From", "To", "Showed, for how long"]) {
    const cell = made("th", name);
    cell.scope = "col";
    head.append(cell);
  }
  const thead = made("thead");
  thead.append(head);
  const body = made("tbody");
  for (const face of faces) {
    const row = made("tr");
    const who = made("th", `Face ${face.id}`);
    who.scope = "row";
    const longest = Object.entries(face.label_seconds).sort(([, one], [, other]) => other - one);
    const showed = longest.filter(([, seconds]) => seconds >= 0.05).map(([label, seconds]) => `${label} ${seconds.toFixed(1)} s`);
    row.append(who, ...[clock(face.first_s), clock(face.last_s), capital(showed.join(", ") || "not read")].map((text) => made("td", text)));
    body.append(row);
  }
  table.append(thead, body);
  return table;
}
