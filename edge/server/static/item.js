// What one file of the list has in common with all others: a name, a line that says how far it is, and a way out.

import { made, write } from "./dom.js";

export class Item {
  #line;
  #bar;

  constructor(name, note) {
    this.element = made("li", "", "item");
    const head = made("div", "", "item-head");
    const remove = made("button", "Remove", "item-remove control");
    remove.type = "button";
    remove.setAttribute("aria-label", `Remove ${name}`);
    head.append(made("h3", name, "item-name"), made("span", note, "quiet"), remove);
    this.#line = made("p", "", "item-line");
    this.#line.setAttribute("role", "status");
    this.#bar = made("progress", "", "item-bar");
    this.#bar.max = 1;
    this.#bar.setAttribute("aria-label", `Progress of ${name}`);
    this.body = made("div", "", "item-body");
    this.element.append(head, this.#line, this.#bar, this.body);
    this.say("Waiting for its turn");
  }

  // `share`: how much is done, 0..1; null: that cannot be told; undefined: nothing is going on.
  say(sentence, share) {
    write(this.#line, sentence);
    this.element.classList.remove("failed");
    this.#bar.hidden = share === undefined;
    if (share === null) this.#bar.removeAttribute("value");
    else if (share !== undefined) this.#bar.value = share;
  }

  fail(sentence) {
    this.say(sentence);
    this.element.classList.add("failed");
  }

  // The page forgets it.
  leave() {
    this.element.remove();
  }
}

export function size(bytes) {
  return bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

export function link(text, href, name) {
  const anchor = made("a", text, "control");
  anchor.href = href;
  anchor.download = name;
  return anchor;
}
