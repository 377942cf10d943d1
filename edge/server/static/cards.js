// One card per face, in the colour of the face's box in the picture.

import { FACE_COLOURS } from "./palette.js";

const UNCERTAIN = "uncertain";
const ANNOUNCE_MS = 3000;
const DOUBTS = { small: "too small to read", blurred: "too blurred to read", turned: "turned too far away to read" };

const capital = (word) => word.charAt(0).toUpperCase() + word.slice(1);
const percent = (share) => `${Math.round(share * 100)}%`;
const write = (element, text) => {
  if (element.textContent !== text) element.textContent = text;
};

export class Cards {
  #list;
  #count;
  #empty;
  #nobody;
  #announcement;
  #cards = new Map();
  #threshold = 0;
  #said = "";
  #saidAt = 0;

  constructor(list, count, empty, announcement) {
    this.#list = list;
    this.#count = count;
    this.#empty = empty;
    this.#nobody = empty.querySelector(".nobody-text");
    this.#announcement = announcement;
  }

  setThreshold(share) {
    this.#threshold = share;
  }

  // Faces of a picture that is not live are dimmed, and the reason is given where there are none.
  setLive(live, reason) {
    this.#list.parentElement.toggleAttribute("data-old", !live);
    this.#empty.hidden = this.#cards.size > 0;
    write(this.#nobody, live ? "No face in view" : reason || "Waiting for the first picture");
  }

  show(faces) {
    const present = new Set(faces.map((face) => face.id));
    for (const [id, card] of this.#cards) {
      if (!present.has(id)) {
        card.element.remove();
        this.#cards.delete(id);
      }
    }
    for (const face of faces) {
      let card = this.#cards.get(face.id);
      if (!card) {
        card = new Card(face.id);
        this.#cards.set(face.id, card);
        this.#list.append(card.element);
      }
      card.show(face, this.#threshold);
    }
    write(this.#count, String(faces.length));
    this.#empty.hidden = faces.length > 0;
    this.#announce(faces);
  }

  // Ten changes a second are for the eye; a screen reader gets a sentence when the verdicts change, and not too often.
  #announce(faces) {
    const sentence = faces.length
      ? faces.map((face) => `Face ${face.id}: ${face.label ?? "not read yet"}.`).join(" ")
      : "No face in view.";
    const now = performance.now();
    if (sentence === this.#said || now - this.#saidAt < ANNOUNCE_MS) return;
    this.#said = sentence;
    this.#saidAt = now;
    this.#announcement.textContent = sentence;
  }
}

class Card {
  #bars = new Map();
  #parts;

  constructor(id) {
    this.element = document.getElementById("card").content.firstElementChild.cloneNode(true);
    const [red, green, blue] = FACE_COLOURS[id % FACE_COLOURS.length];
    this.element.style.setProperty("--face", `rgb(${red} ${green} ${blue})`);
    this.element.dataset.face = id;
    const part = (name) => this.element.querySelector(`.${name}`);
    this.#parts = { label: part("label"), confidence: part("confidence"), seen: part("seen"), bars: part("bars") };
    write(part("who"), `Face ${id}`);
  }

  show(face, threshold) {
    const ranked = Object.entries(face.scores).sort((one, other) => other[1] - one[1]);
    const first = ranked.length ? ranked[0][0] : null;
    const uncertain = face.label === UNCERTAIN;
    this.element.classList.toggle("uncertain", uncertain || face.label === null);
    this.element.classList.toggle("unseen-lately", face.misses > 0);
    write(this.#parts.seen, face.misses > 0 ? `last seen ${(face.stale_ms / 1000).toFixed(1)} s ago` : "");
    write(this.#parts.label, face.label === null ? "Looking…" : capital(face.label));
    const confidence = first === null ? "" : percent(face.confidence);
    const unread = uncertain && first === null;
    const perhaps = unread ? (DOUBTS[face.doubt] ?? "") : `perhaps ${first}, ${confidence}`;
    write(this.#parts.confidence, uncertain ? perhaps : confidence);
    this.#parts.label.title = uncertain && !unread ? `No expression reaches ${percent(threshold)}` : "";
    for (const [name, share] of Object.entries(face.scores)) this.#bar(name).show(share, name === first);
    if (unread) for (const bar of this.#bars.values()) bar.show(0, false);
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

class Bar {
  #fill;
  #share;

  constructor(name) {
    this.element = document.getElementById("bar").content.firstElementChild.cloneNode(true);
    this.element.dataset.name = name;
    this.#fill = this.element.querySelector(".fill");
    this.#share = this.element.querySelector(".share");
    write(this.element.querySelector("dt"), capital(name));
  }

  show(share, first) {
    this.#fill.style.transform = `translateX(${(share - 1) * 100}%)`;
    this.element.classList.toggle("first", first);
    write(this.#share, percent(share));
  }
}
