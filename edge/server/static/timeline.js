// What each face showed in the last minutes: drawn, told for a moment that is pointed at or gone to by key, and in words.

import { at, made, refill, write } from "./dom.js";
import { UNCERTAIN, colourOf } from "./expressions.js";
import { WINDOW_MS } from "./history.js";
import { Strips } from "./strips.js";
import { capital, duration } from "./words.js";

const EVERY_MS = 250;
const WORDS_EVERY_MS = 2000;
const ROWS = 8;
const LATELY_MS = 300; // the newest record is this old at most, so that "now" is what it says
const STEPS_S = { ArrowLeft: 2, ArrowDown: 2, ArrowRight: -2, ArrowUp: -2, PageDown: 20, PageUp: -20, Home: 180, End: -180 };

export class Timeline {
  #history;
  #labels = [];
  #plot = at("timeline");
  #strips = new Strips(at("timeline-canvas"));
  #marked = null; // ms before now
  #worded = 0;
  #visible = true;

  constructor(history) {
    this.#history = history;
    setInterval(() => this.#tick(), EVERY_MS);
    addEventListener("themechange", () => this.#strips.dress());
    const plot = this.#plot;
    plot.addEventListener("pointermove", (event) => this.#point(event.clientX));
    plot.addEventListener("pointerdown", (event) => this.#point(event.clientX));
    plot.addEventListener("pointerleave", () => this.#mark(null));
    plot.addEventListener("focus", () => this.#mark(this.#marked));
    plot.addEventListener("blur", () => this.#mark(null));
    plot.addEventListener("keydown", (event) => this.#key(event));
    at("timeline-words").addEventListener("toggle", () => this.#words());
    // what is scrolled away need not be drawn
    new IntersectionObserver(([entry]) => (this.#visible = entry.isIntersecting)).observe(plot);
  }

  setLabels(labels) {
    this.#labels = labels;
    refill(at("legend"), [...labels, UNCERTAIN], (names) => names.map((name) => this.#entry(name)));
  }

  #entry(name) {
    const entry = made("li", capital(name));
    const sample = made("span", "", name === UNCERTAIN ? "sample hatched" : "sample");
    if (name !== UNCERTAIN) sample.style.background = colourOf(name, this.#labels);
    entry.prepend(sample);
    return entry;
  }

  #tick() {
    if (document.hidden || !this.#visible) return;
    this.#draw();
    if (performance.now() - this.#worded >= WORDS_EVERY_MS) this.#words();
  }

  #draw() {
    const width = this.#plot.clientWidth;
    const faces = this.#history.faces(ROWS);
    at("timeline-empty").hidden = faces.length > 0;
    if (!width) return;
    const rows = faces.map((face) => ({ ...face, present: this.#history.present(face.stretches) }));
    const now = this.#history.now(performance.now());
    this.#strips.draw(rows, { now, span: this.#history.span(now), width, marked: this.#marked, labels: this.#labels });
    write(at("timeline-readout"), this.#marked === null ? "" : this.#sentence());
  }

  #point(x) {
    const { left, width } = this.#plot.getBoundingClientRect();
    this.#mark(this.#strips.backAt(x - left, width, this.#history.span(this.#history.now(performance.now()))));
  }

  #key(event) {
    const step = STEPS_S[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const seconds = Math.round((this.#marked ?? 0) / 1000) + step;
    this.#mark(Math.min(this.#history.span(this.#history.now(performance.now())), Math.max(0, seconds * 1000)));
    this.#draw();
  }

  // The next drawing shows it; a pointer moves far more often than that.
  #mark(back) {
    this.#marked = back;
    this.#plot.setAttribute("aria-valuenow", String(-Math.round((back ?? 0) / 1000)));
    this.#plot.setAttribute("aria-valuetext", this.#sentence());
  }

  #sentence() {
    const back = this.#marked ?? 0;
    const found = this.#history.at(this.#history.now(performance.now()) - Math.max(back, LATELY_MS));
    const faces = found.map(({ id, label }) => `face ${id} ${label}`).join(", ");
    const seconds = Math.round(back / 1000);
    return `${seconds ? `${seconds} s ago` : "Now"}: ${faces || "no face"}`;
  }

  #words() {
    this.#worded = performance.now();
    if (!at("timeline-words").open) return;
    const now = this.#history.now(performance.now());
    const rows = this.#history.faces().map(({ id, stretches }) => {
      const ago = duration((now - stretches.at(-1).to) / 1000);
      return [`Face ${id}`, shown(stretches, now), this.#history.present(stretches) ? "in view" : `${ago} ago`];
    });
    const content = rows.length ? rows : [["–", "No face was seen.", "–"]];
    refill(at("timeline-rows"), content, (all) => all.map((cells) => line(cells)));
  }
}

// What a face showed for how long, the longest first.
function shown(stretches, now) {
  const spent = new Map();
  for (const { from, to, label } of stretches) {
    const seconds = Math.max(0, to - Math.max(from, now - WINDOW_MS)) / 1000;
    spent.set(label, (spent.get(label) ?? 0) + seconds);
  }
  const longest = [...spent].filter(([, seconds]) => seconds >= 0.5).sort(([, one], [, other]) => other - one);
  return capital(longest.map(([label, seconds]) => `${label} ${Math.round(seconds)} s`).join(", ") || "just seen");
}

function line([face, ...cells]) {
  const row = made("tr");
  const head = made("th", face);
  head.scope = "row";
  row.append(head, ...cells.map((cell) => made("td", cell)));
  return row;
}
