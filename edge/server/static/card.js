// One card: a face's expression, how sure that is, and all the others.

import { write } from "./dom.js";
import { UNCERTAIN } from "./expressions.js";
import { FACE_COLOURS } from "./palette.js";
import { capital, percent } from "./words.js";

const DOUBTS = { small: "too small to read", blurred: "too blurred to read", turned: "turned too far away to read" };

// −1 to 1, with its sign; nought has none.
function signed(value) {
  const tenths = Math.round(value * 10);
  return `${tenths < 0 ? "−" : tenths > 0 ? "+" : ""}${Math.abs(tenths / 10).toFixed(1)}`;
}

export class Card {
  #bars = new Map();
  #parts;
  #face = null;
  #threshold = 0;

  constructor(id) {
    this.element = document.getElementById("card").content.firstElementChild.cloneNode(true);
    const [red, green, blue] = FACE_COLOURS[id % FACE_COLOURS.length];
    this.element.style.setProperty("--face", `rgb(${red} ${green} ${blue})`);
    this.element.dataset.face = id;
    const part = (name) => this.element.querySelector(`.${name}`);
    const names = ["label", "confidence", "seen", "bars", "affect"];
    this.#parts = Object.fromEntries(names.map((name) => [name, part(name)]));
    this.#parts.affect.title =
      "Worked out from the seven bars, no measurement of its own. Pleasant: −1 to +1. Excited: −1 (sleepy) to +1.";
    write(part("who"), `Face ${id}`);
  }

  // Names and bars change at once, figures with the next `writeFigures`, but for a new name, which comes with its own.
  show(face, threshold) {
    const renamed = this.#face?.label !== face.label;
    this.#face = face;
    this.#threshold = threshold;
    const first = likeliest(face.scores);
    this.element.classList.toggle("uncertain", face.label === UNCERTAIN || face.label === null);
    this.element.classList.toggle("unseen-lately", face.misses > 0);
    write(this.#parts.label, face.label === null ? "Looking…" : capital(face.label));
    for (const [name, share] of Object.entries(face.scores)) this.#bar(name).show(share, name === first);
    if (first === null) for (const bar of this.#bars.values()) bar.show(0, false);
    if (renamed) this.writeFigures();
  }

  writeFigures() {
    const face = this.#face;
    const first = likeliest(face.scores);
    const uncertain = face.label === UNCERTAIN;
    const unread = uncertain && first === null;
    const confidence = first === null ? "" : percent(face.confidence);
    const perhaps = unread ? (DOUBTS[face.doubt] ?? "") : `perhaps ${first}, ${confidence}`;
    write(this.#parts.confidence, uncertain ? perhaps : confidence);
    write(this.#parts.seen, face.misses > 0 ? `last seen ${(face.stale_ms / 1000).toFixed(1)} s ago` : "");
    const why = uncertain && !unread ? `No expression reaches ${percent(this.#threshold)}` : "";
    if (this.#parts.label.title !== why) this.#parts.label.title = why;
    const affect = face.valence === null ? "" : `Pleasant ${signed(face.valence)} · Excited ${signed(face.arousal)}`;
    write(this.#parts.affect, affect);
    for (const bar of this.#bars.values()) bar.writeFigure();
  }

  #bar(name) {
    let bar = this.#bars.get(name);
    if (!bar) {
      bar = new Bar(name);
      this.#bars.set(name, bar);
      this.#parts.bars.append(bar.element);
    }
    return bar;
  }
}

function likeliest(scores) {
  let found = null;
  for (const name of Object.keys(scores)) if (found === null || scores[name] > scores[found]) found = name;
  return found;
}

class Bar {
  #fill;
  #figure;
  #share = 0;

  constructor(name) {
    this.element = document.getElementById("bar").content.firstElementChild.cloneNode(true);
    this.element.dataset.name = name;
    this.#fill = this.element.querySelector(".fill");
    this.#figure = this.element.querySelector(".share");
    write(this.element.querySelector("dt"), capital(name));
  }

  show(share, first) {
    this.#share = share;
    this.#fill.style.transform = `translateX(${(share - 1) * 100}%)`; // the style sheet eases it
    this.element.classList.toggle("first", first);
  }

  writeFigure() {
    write(this.#figure, percent(this.#share));
  }
}
