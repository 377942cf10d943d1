// The live picture: an <img> on an endless stream. A new one is opened beside the old and takes its place when its first
// picture is there, so that healing does not flicker.

import { Backoff } from "./backoff.js";

const LOOK_MS = 100;

export class Picture {
  #image;
  #on;
  #next = null;
  #look = 0;
  #wanted = false;
  #backoff = new Backoff();

  constructor(image, on) {
    this.#image = image;
    this.#on = on;
  }

  get image() {
    return this.#image;
  }

  // Whether there is to be a picture; nothing is asked of the server while there is not.
  want(wanted) {
    if (wanted === this.#wanted) return;
    this.#wanted = wanted;
    if (wanted) {
      this.reload();
      return;
    }
    this.#backoff.cancel();
    this.#drop();
    close(this.#image);
    this.#image.hidden = true;
    this.#on.lost();
  }

  reload() {
    if (!this.#wanted) return;
    this.#backoff.cancel();
    this.#drop();
    const next = this.#image.cloneNode();
    next.hidden = false;
    next.onerror = () => this.#failed(next);
    next.src = `stream.mjpg?t=${Date.now()}`;
    this.#next = next;
    // browsers disagree on `load` for a stream; all tell the size once they have a picture
    this.#look = setInterval(() => next.naturalWidth > 0 && this.#arrived(next), LOOK_MS);
  }

  describe(text) {
    if (this.#image.alt !== text) this.#image.alt = text;
  }

  #arrived(next) {
    clearInterval(this.#look);
    this.#backoff.succeeded();
    this.#next = null;
    const old = this.#image;
    this.#image = next;
    old.replaceWith(next);
    close(old);
    this.#on.arrived(next.naturalWidth, next.naturalHeight);
  }

  #failed(image) {
    if (image !== this.#image && image !== this.#next) return;
    this.#on.lost();
    this.#backoff.again(() => this.reload());
  }

  #drop() {
    clearInterval(this.#look);
    if (this.#next) close(this.#next);
    this.#next = null;
  }
}

// An image that is merely forgotten keeps its connection until it is collected; one that loses its attribute while it is not in
// the document is never collected (Chromium 156, seen with a stream). An empty address lets go of both, and is not asked for.
function close(image) {
  image.onerror = null;
  image.src = "";
}
