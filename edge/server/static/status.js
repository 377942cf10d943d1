// Shows how the program is: the line at the top, the notices, what the picture leaves out, the short figures.

import { at, made, refill, write } from "./dom.js";
import { capital, percent, rounded, some } from "./words.js";

const VIDEO = {
  blurred: "Blurred: nobody can be recognised",
  boxes: "Boxes only: no picture leaves the device",
};

const NAMED = "It was asked for."; // the reason for a source that somebody named: no news to anybody

export function showStatus(status) {
  const { source, budget } = status;
  at("source").dataset.state = source.state;
  write(at("source-name"), source.name);
  write(at("source-reason"), sentence(source));
  write(at("fps"), rounded(status.fps));
  write(at("latency"), status.latency_ms ? `${rounded(status.latency_ms.p50)} ms` : "–");
  at("latency").title = status.latency_ms ? `95% are below ${rounded(status.latency_ms.p95)} ms` : "";
  figure(at("processor"), budget?.cpu_share, (share) => `${percent(share)} of a core`);
  figure(at("temperature"), budget?.temperature_c, (celsius) => `${celsius.toFixed(0)} °C`);
  write(at("summary"), [status.detector, status.model, `version ${status.version}`].join("  ·  "));
  refill(at("notices"), status.notices, (notices) => notices.map((notice) => made("li", notice)));
  at("notices").hidden = status.notices.length === 0;
  const kept = keptBack(status.privacy);
  at("shade").hidden = !kept;
  write(at("shade"), kept);
}

function sentence({ state, reason }) {
  if (state === "online") return reason === NAMED ? "Live" : reason;
  return reason ? `${capital(state)}: ${reason}` : capital(state);
}

// What is kept out of the picture, in words.
export function keptBack(privacy) {
  const masks = privacy?.masks ? `${some(privacy.masks, "region is", "regions are")} blacked out` : "";
  return [VIDEO[privacy?.video], masks].filter(Boolean).join(" · ");
}

function figure(element, value, text) {
  const known = value !== null && value !== undefined;
  element.hidden = !known;
  if (known) write(element, text(value));
}
