// What covers the picture while there is none, or while it is not live: it says which, and what happens next.

export class Veil {
  #screen;
  #title;
  #text;
  #shown = "";

  constructor(screen, title, text) {
    this.#screen = screen;
    this.#title = title;
    this.#text = text;
  }

  show(known) {
    const { state, title, text } = reason(known);
    const now = [state, title, text].join("\n");
    if (now === this.#shown) return;
    this.#shown = now;
    this.#screen.dataset.state = state;
    if (state === "live") return;
    this.#title.textContent = title;
    this.#text.textContent = text;
  }
}

function reason({ status, reachable, refused, fed, pictured }) {
  if (refused) {
    return { state: "refused", title: "Signed out", text: "Open the address with the token again, or load this page anew." };
  }
  if (reachable === false && !fed) {
    return { state: "lost", title: "Connection lost", text: "Trying again. The picture comes back by itself." };
  }
  if (pictured) return { state: "live", title: "", text: "" };
  const source = status?.source;
  if (source && source.state !== "online") {
    return { state: source.state, title: `The camera is ${source.state}`, text: source.reason };
  }
  return { state: "waiting", title: "Waiting for the picture", text: "It appears here as soon as it arrives." };
}
