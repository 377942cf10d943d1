// What each face showed in the last minutes: stretches of one label, so that hours need no more memory than minutes.

import { UNCERTAIN } from "./expressions.js";

export const WINDOW_MS = 180_000;
const SPAN_MS = 60_000; // shown at least
const GAP_MS = 1500; // not seen for longer than this is a gap
const FACES = 32;
const STRETCHES = 1000; // of one face
const CLOCK_MS = 5000; // a clock that goes back by more was set: what was before has no place any more

export class History {
  #faces = new Map(); // id → stretches { from, to, label }, the oldest first
  #first = Infinity;
  #newest = -Infinity;
  #arrived = 0;

  // `t`: when the scene was, `arrived`: when its record came, both in ms, each on a clock of its own.
  add(faces, t, arrived) {
    if (t < this.#newest - CLOCK_MS) {
      this.#faces.clear();
      this.#first = t;
    } else if (t <= this.#newest) return; // sent a second time after a reconnect
    this.#first = Math.min(this.#first, t);
    this.#newest = t;
    this.#arrived = arrived;
    for (const face of faces) if (face.misses === 0) this.#see(face.id, face.label ?? UNCERTAIN, t);
    this.#forget();
  }

  // The moment that is now, on the scenes' clock.
  now(clock) {
    return this.#newest === -Infinity ? 0 : this.#newest + (clock - this.#arrived);
  }

  // How much there is to show, in ms: at first a minute, then more and more, up to the window.
  span(now) {
    return Math.min(WINDOW_MS, Math.max(SPAN_MS, now - this.#first));
  }

  // The faces seen in the window, at most `limit`: of more, those seen last. { id, stretches }, by id.
  faces(limit = FACES) {
    const last = (stretches) => stretches.at(-1).to;
    return [...this.#faces]
      .sort(([, one], [, other]) => last(other) - last(one))
      .slice(0, limit)
      .sort(([one], [other]) => one - other)
      .map(([id, stretches]) => ({ id, stretches }));
  }

  // Whether the face is in sight.
  present(stretches) {
    return stretches.at(-1).to >= this.#newest - GAP_MS;
  }

  // What each face showed at a moment: { id, label }.
  at(t) {
    return this.faces().flatMap(({ id, stretches }) => {
      const found = stretches.find(({ from, to }) => from <= t && t <= to);
      return found ? [{ id, label: found.label }] : [];
    });
  }

  #see(id, label, t) {
    let stretches = this.#faces.get(id);
    if (!stretches) this.#faces.set(id, (stretches = []));
    const last = stretches.at(-1);
    if (last && t - last.to <= GAP_MS) {
      last.to = t;
      if (last.label === label) return;
    }
    stretches.push({ from: t, to: t, label });
    if (stretches.length > STRETCHES) stretches.shift();
  }

  #forget() {
    const begin = this.#newest - WINDOW_MS;
    for (const [id, stretches] of this.#faces) {
      while (stretches.length && stretches[0].to < begin) stretches.shift();
      if (!stretches.length) this.#faces.delete(id);
    }
    while (this.#faces.size > FACES) {
      const [oldest] = [...this.#faces].sort(([, one], [, other]) => one.at(-1).to - other.at(-1).to)[0];
      this.#faces.delete(oldest);
    }
  }
}
