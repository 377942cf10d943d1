// The event feed: what was seen, and every two seconds how the program is. EventSource gives up for good after an HTTP error,
// and in some browsers after a refused connection; so each source lives until its first error, and a new one follows, which
// says itself where the one before had got to.

import { Backoff } from "./backoff.js";

export class Feed {
  #url;
  #on;
  #source = null;
  #backoff = new Backoff();
  #before = false;
  #last = "";

  constructor(url, on) {
    this.#url = url;
    this.#on = on;
  }

  start() {
    if (this.#source) return;
    const query = new URLSearchParams({ status: "1", ...(this.#last && { last_event_id: this.#last }) });
    const source = new EventSource(`${this.#url}?${query}`);
    this.#source = source;
    source.onopen = () => {
      this.#backoff.succeeded();
      this.#on.opened(this.#before);
      this.#before = true;
    };
    source.onmessage = (message) => {
      this.#last = message.lastEventId || this.#last;
      this.#on.event(JSON.parse(message.data));
    };
    source.addEventListener("aggregate", (message) => this.#on.aggregate(JSON.parse(message.data)));
    source.addEventListener("status", (message) => this.#on.status(JSON.parse(message.data)));
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
