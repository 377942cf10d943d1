// The live picture: an <img> on an endless stream. A new one is opened beside the old and takes its place when its first
// picture is there, so that healing does not flicker.

import { Backoff } from "./backoff.js";

const LOOK_MS = 100;

export class Picture {
  #image;
  #on;
  #next = null;
  #look = 0;
  #backoff = new Backoff();

  constructor(image, on) {
    this.#image = image;
    this.#on = on;
  }

  get image() {
    return this.#image;
  }

  start() {
    this.reload();
  }

  stop() {
    this.#backoff.cancel();
    this.#drop();
    close(this.#image);
  }

  reload() {
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

  describe(faces, source) {
    const who = faces === 0 ? "no face" : faces === 1 ? "one face" : `${faces} faces`;
    const text = `Live picture from ${source || "the camera"} with ${who}`;
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

// an image that is merely forgotten keeps its connection until it is collected
function close(image) {
  image.onerror = null;
  image.removeAttribute("src");
}
