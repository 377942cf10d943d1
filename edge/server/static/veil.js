// What covers the picture while there is none, or while it is not live: it says which, and what happens next.

import { icon, write } from "./dom.js";
import { capital } from "./words.js";

export class Veil {
  #screen;
  #veil;
  #title;
  #text;

  constructor(screen, veil, title, text) {
    this.#screen = screen;
    this.#veil = veil;
    this.#title = title;
    this.#text = text;
  }

  show(known) {
    const { state, title = "", text = "" } = reason(known);
    if (this.#screen.dataset.state !== state) this.#screen.dataset.state = state;
    if (state === "live") return;
    icon(this.#veil, state === "none" ? "numbers" : state === "paused" ? "pause" : "camera-off");
    write(this.#title, title);
    write(this.#text, text);
  }
}

function reason({ status, reachable, refused, fed, pictured }) {
  const source = status?.source;
  if (refused) {
    return { state: "refused", title: "Signed out", text: "Open the address with the token again, or load this page anew." };
  }
  if (reachable === false && !fed) {
    return { state: "lost", title: "Connection lost", text: "Trying again. The picture comes back by itself." };
  }
  if (status?.control?.stopped) {
    return { state: "stopped", title: "The camera is off", text: "Nobody is being filmed. “Start camera” turns it on again." };
  }
  if (status?.control?.paused) {
    return { state: "paused", title: "Paused", text: "The camera is on, but no picture is taken. “Resume” goes on." };
  }
  if (status?.privacy?.video === "none") {
    const trouble = source.state === "online" ? "" : ` ${capital(source.state)}: ${source.reason}`;
    return { state: "none", title: "This device shares numbers only", text: `No picture leaves it.${trouble}` };
  }
  if (pictured) return { state: "live" };
  if (source && source.state !== "online") {
    return { state: source.state, title: `The camera is ${source.state}`, text: source.reason };
  }
  return { state: "waiting", title: "Waiting for the picture", text: "It appears here as soon as it arrives." };
}
