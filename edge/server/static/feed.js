// The event feed. EventSource gives up for good after an HTTP error, and in some browsers after a refused connection;
// so each source lives until its first error, and a new one follows.

import { Backoff } from "./backoff.js";

export class Feed {
  #url;
  #on;
  #source = null;
  #backoff = new Backoff();
  #before = false;

  constructor(url, on) {
    this.#url = url;
    this.#on = on;
  }

  start() {
    if (this.#source) return;
    const source = new EventSource(this.#url);
    this.#source = source;
    source.onopen = () => {
      this.#backoff.succeeded();
      this.#on.opened(this.#before);
      this.#before = true;
    };
    source.onmessage = (message) => this.#on.event(JSON.parse(message.data));
    source.onerror = () => {
      this.stop();
      this.#on.lost();
      this.#backoff.again(() => this.start());
    };
  }

  stop() {
    this.#backoff.cancel();
    this.#source?.close();
    this.#source = null;
  }
}
