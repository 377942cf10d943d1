// Who is watching: always as a number at the top, on request one by one.

import { at, dialog, made, refill, write } from "./dom.js";
import { keptBack } from "./status.js";
import { duration, some } from "./words.js";

const KINDS = { stream: "Picture", events: "Results", push: "Sends pictures" };
const VIDEO = {
  full: "The picture is sent as the camera sees it.",
  blurred: "The picture is blurred before it is sent: nobody can be recognised in it.",
  boxes: "Only boxes are sent, no picture.",
  none: "No picture is sent, only numbers.",
};

export class Watchers {
  #status = null;
  #dialog = at("watchers-dialog");

  constructor() {
    dialog(this.#dialog, at("watchers"), () => this.#fill());
  }

  show(status) {
    this.#status = status;
    const number = viewers(status);
    write(at("watching"), String(number));
    const name = `${some(number, "viewer", "viewers")}. Who is watching`;
    if (at("watchers").getAttribute("aria-label") !== name) at("watchers").setAttribute("aria-label", name);
    if (this.#dialog.open) this.#fill();
  }

  #fill() {
    const clients = this.#status?.clients ?? [];
    const privacy = this.#status?.privacy;
    const kept = privacy?.masks ? ` ${keptBack({ masks: privacy.masks })}.` : "";
    write(at("watchers-video"), `${VIDEO[privacy?.video] ?? ""}${kept}`);
    at("watchers-none").hidden = clients.length > 0;
    at("watchers-table").hidden = clients.length === 0;
    const rows = clients.map((client) => [client.address, KINDS[client.kind] ?? client.kind, duration(client.since_s), rate(client)]);
    refill(at("watchers-rows"), rows, (all) => all.map((cells) => line(cells)));
  }
}

// A page takes one stream and one feed, so the larger number of the two is that of the viewers.
function viewers({ clients, viewers }) {
  if (!clients) return viewers;
  const of = (kind) => clients.filter((client) => client.kind === kind).length;
  return Math.max(of("stream"), of("events"));
}

function rate({ fps, kbps }) {
  const size = kbps >= 1000 ? `${(kbps / 1000).toFixed(1)} Mbit/s` : `${Math.round(kbps)} kbit/s`;
  return `${Math.round(fps)} a second, ${size}`;
}

function line(cells) {
  const row = made("tr");
  row.append(...cells.map((cell) => made("td", cell)));
  return row;
}
