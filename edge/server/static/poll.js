// Asks for the program's state while no feed tells it: to learn why there is none. A feed that was heard of lately needs none.

const EVERY_MS = 2000;
const SILENT_MS = 6000;
const TIMEOUT_MS = 4000;

export class StatePoll {
  #url;
  #on;
  #timer = 0;
  #heard = -Infinity;

  constructor(url, on) {
    this.#url = url;
    this.#on = on;
  }

  // The page has just begun, or come back: the feed gets its chance first.
  start() {
    this.heard();
    clearInterval(this.#timer);
    this.#timer = setInterval(() => performance.now() - this.#heard > SILENT_MS && this.#ask(), EVERY_MS);
  }

  // The feed has told the state.
  heard() {
    this.#heard = performance.now();
  }

  // The feed has broken off.
  missed() {
    if (this.#heard !== -Infinity) this.#ask();
    this.#heard = -Infinity;
  }

  stop() {
    clearInterval(this.#timer);
    this.#timer = 0;
  }

  async #ask() {
    let answer = () => this.#on.failed(false);
    try {
      const response = await fetch(this.#url, { cache: "no-store", signal: AbortSignal.timeout(TIMEOUT_MS) });
      if (response.ok) {
        const status = await response.json();
        answer = () => this.#on.status(status);
      } else {
        answer = () => this.#on.failed(response.status === 401 || response.status === 403);
      }
    } catch {
      // not reachable
    }
    if (this.#timer) answer();
  }
}
