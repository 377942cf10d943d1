// The two views of the page, by the address's hash: what is live, and pictures and videos that are brought along.
//
// `analysis.js` is loaded when it is first needed. It exports `mount(section, { tell })`, which fills the section once and
// returns `{ take(files), show(status) }`: `take` gets files that were dropped anywhere on the page, `show` each new status.

import { at } from "./dom.js";

export class Views {
  #links = [...at("views").querySelectorAll("a")];
  #sections = { live: at("live"), files: at("files") };
  #tell;
  #changed;
  #status = null;
  #analysis = null;

  // `tell`: says a sentence to the person; `changed`: called when another view is shown.
  constructor(tell, changed) {
    this.#tell = tell;
    this.#changed = changed;
    addEventListener("hashchange", () => this.#show(true));
    at("views").addEventListener("keydown", (event) => this.#key(event));
    addEventListener("dragover", (event) => this.#over(event));
    addEventListener("dragleave", (event) => event.relatedTarget === null && this.#lift());
    addEventListener("drop", (event) => this.#drop(event));
  }

  get shown() {
    return this.#sections.files.hidden ? "live" : "files";
  }

  show(status) {
    this.#status = status;
    at("views").hidden = !this.#possible;
    this.#show(false);
    this.#analysis?.then((analysis) => analysis?.show?.(status));
  }

  get #possible() {
    return this.#status?.uploads?.enabled === true;
  }

  #show(asked) {
    const wanted = location.hash === "#files" && this.#possible ? "files" : "live";
    const before = this.shown;
    for (const [name, section] of Object.entries(this.#sections)) section.hidden = name !== wanted;
    for (const link of this.#links) {
      if (link.hash === `#${wanted}`) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    if (wanted === "files") this.#load();
    if (wanted !== before) this.#changed();
    if (asked) this.#sections[wanted].focus({ preventScroll: true });
  }

  #load() {
    this.#analysis ??= import("./analysis.js")
      .then((module) => module.mount(this.#sections.files, { tell: this.#tell }))
      .catch(() => {
        this.#analysis = null; // the next visit tries again
        this.#tell("This part of the page could not be loaded. Try again.");
      });
    return this.#analysis;
  }

  #key(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const now = this.#links.indexOf(document.activeElement);
    if (!step || now < 0) return;
    event.preventDefault();
    this.#links[(now + step + this.#links.length) % this.#links.length].focus();
  }

  #over(event) {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault(); // else the browser leaves the page to show the file
    event.dataTransfer.dropEffect = this.#possible ? "copy" : "none";
    at("drop").hidden = !this.#possible;
  }

  #lift() {
    at("drop").hidden = true;
  }

  async #drop(event) {
    const files = [...(event.dataTransfer?.files ?? [])];
    this.#lift();
    if (!files.length) return;
    event.preventDefault();
    if (!this.#possible) return;
    location.hash = "#files";
    const analysis = await this.#load();
    analysis?.take(files);
  }
}
