// Asks for the program's state every two seconds.

const EVERY_MS = 2000;
const TIMEOUT_MS = 4000;

export class StatePoll {
  #url;
  #on;
  #timer = 0;
  #running = false;

  constructor(url, on) {
    this.#url = url;
    this.#on = on;
  }

  start() {
    if (this.#running) return;
    this.#running = true;
    this.#ask();
  }

  stop() {
    this.#running = false;
    clearTimeout(this.#timer);
  }

  async #ask() {
    try {
      const response = await fetch(this.#url, { cache: "no-store", signal: AbortSignal.timeout(TIMEOUT_MS) });
      if (response.ok) this.#on.status(await response.json());
      else this.#on.failed(response.status === 401 || response.status === 403);
    } catch {
      this.#on.failed(false);
    }
    clearTimeout(this.#timer);
    if (this.#running) this.#timer = setTimeout(() => this.#ask(), EVERY_MS);
  }
}
