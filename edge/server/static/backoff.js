// Waits longer after each failure, up to five seconds: a device that is starting again must not be stormed.

export class Backoff {
  #delay = 0;
  #timer = 0;

  again(action) {
    clearTimeout(this.#timer);
    this.#delay = Math.min(5000, this.#delay ? this.#delay * 1.6 : 500);
    this.#timer = setTimeout(action, this.#delay * (0.8 + 0.4 * Math.random()));
  }

  succeeded() {
    this.#delay = 0;
  }

  cancel() {
    clearTimeout(this.#timer);
  }
}
