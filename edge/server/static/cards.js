// The faces that are there: one card each, the number of them, and a sentence for screen readers.

import { Card } from "./card.js";
import { write } from "./dom.js";

const ANNOUNCE_MS = 10_000;
const FIGURES_MS = 400;

export class Cards {
  #list;
  #count;
  #empty;
  #nobody;
  #announcement;
  #cards = new Map();
  #threshold = 0;
  #said = "";
  #saidAt = -Infinity;

  constructor(list, count, empty, announcement) {
    this.#list = list;
    this.#count = count;
    this.#empty = empty;
    this.#nobody = empty.querySelector(".nobody-text");
    this.#announcement = announcement;
    // bars glide; figures that changed ten times a second could not be read
    setInterval(() => document.hidden || this.#cards.forEach((card) => card.writeFigures()), FIGURES_MS);
  }

  setThreshold(share) {
    this.#threshold = share;
    this.#list.style.setProperty("--threshold", String(share));
  }

  // Faces of a picture that is not live are dimmed, and the reason is given where there are none.
  setLive(live, reason) {
    this.#list.parentElement.toggleAttribute("data-old", !live);
    this.#empty.hidden = this.#cards.size > 0;
    write(this.#nobody, live ? "No face in view" : reason || "Waiting for the first picture");
  }

  // Nobody is shown, and nothing is said of it: why, stands elsewhere.
  clear() {
    this.#leave(new Set());
    write(this.#count, "0");
    this.#empty.hidden = false;
  }

  show(faces) {
    this.#leave(new Set(faces.map((face) => face.id)));
    for (const face of faces) {
      let card = this.#cards.get(face.id);
      if (!card) {
        card = new Card(face.id);
        this.#cards.set(face.id, card);
        this.#place(face.id, card.element);
      }
      card.show(face, this.#threshold);
    }
    write(this.#count, String(faces.length));
    this.#empty.hidden = faces.length > 0;
    this.#announce(faces);
  }

  #leave(present) {
    for (const [id, card] of this.#cards) {
      if (present.has(id)) continue;
      card.element.remove();
      this.#cards.delete(id);
    }
  }

  // By number, so that a face that comes back finds its place.
  #place(id, element) {
    const after = [...this.#list.children].find((other) => Number(other.dataset.face) > id);
    this.#list.insertBefore(element, after ?? null);
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
