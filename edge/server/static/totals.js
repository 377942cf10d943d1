// Where the device tells nothing of single faces: what was seen over the last period, in place of cards and timeline.

import { at, made, refill, write } from "./dom.js";
import { capital, duration, some } from "./words.js";

export class Totals {
  #only = false;

  // Whether there is nothing but totals.
  get only() {
    return this.#only;
  }

  show(status) {
    this.#only = status.privacy?.events === "aggregate";
    at("totals").hidden = !this.#only;
    at("faces").hidden = this.#only;
    at("strips").hidden = this.#only;
  }

  add(record) {
    const rows = Object.entries(record.label_seconds).sort(([, one], [, other]) => other - one);
    const faces = `${record.mean_faces.toFixed(1)} faces at a time, ${some(record.most_faces, "face", "faces")} at most`;
    write(at("totals-period"), `The last ${duration(Math.round(record.duration_s))}: ${record.most_faces ? faces : "no face"}.`);
    refill(at("totals-rows"), rows, (all) => all.map(([label, seconds]) => line(label, seconds)));
  }
}

function line(label, seconds) {
  const row = made("tr");
  const head = made("th", capital(label));
  head.scope = "row";
  row.append(head, made("td", `${Math.round(seconds)} s`));
  return row;
}
