// What an engineer wants to know, made only while it is open: where the time goes, why it searched, what was left out.

import { at, made, refill } from "./dom.js";
import { count, decision, duration, percent, rounded, skip, stage, words } from "./words.js";

const KEPT = 6; // statuses, two seconds apart: shares are those of about ten seconds

export class Details {
  #details = at("details");
  #statuses = [];

  constructor() {
    this.#details.addEventListener("toggle", () => this.#fill());
  }

  show(status) {
    const before = this.#statuses.at(-1);
    if (before && status.uptime_s < before.uptime_s) this.#statuses = []; // started again: its counts begin anew
    if (before && status.uptime_s === before.uptime_s) this.#statuses.pop();
    this.#statuses.push(status);
    if (this.#statuses.length > KEPT) this.#statuses.shift();
    this.#fill();
  }

  #fill() {
    if (!this.#details.open || !this.#statuses.length) return;
    const status = this.#statuses.at(-1);
    const panels = [
      { title: "Where the time goes, in ms", ...times(status) },
      { title: "Why it searched for faces", rows: decisions(status, this.#statuses[0]) },
      { title: "Frames not analysed", rows: counted(status.skipped, skip), none: "None so far" },
      { title: "Effort", rows: effort(status.budget) },
      { title: "Camera", rows: camera(status) },
      { title: "Program", rows: program(status) },
    ].filter(({ rows, none }) => rows.length || none);
    const list = at("panels");
    // panels keep their places, so that selected text and the reading position stay
    refill(list, panels.map(({ title }) => title), (titles) => titles.map((title) => panel(title)));
    panels.forEach((content, index) => refill(list.children[index].lastElementChild, content, body));
  }
}

function panel(title) {
  const section = made("section");
  section.append(made("h3", title), made("div"));
  return section;
}

function body({ stages, head, rows, none }) {
  if (!rows.length) return [made("p", none, "quiet")];
  const table = made("table");
  if (head) {
    const line = made("tr");
    line.append(...head.map((name) => heading(name, "col")));
    const top = made("thead");
    top.append(line);
    table.append(top);
  }
  const lines = made("tbody");
  for (const [name, ...values] of rows) {
    const line = made("tr");
    const first = heading(name, "row");
    if (stages) swatch(first, rows.findIndex(([other]) => other === name), stages.length);
    line.append(first, ...values.map((value) => made("td", value)));
    lines.append(line);
  }
  table.append(lines);
  return stages?.length ? [stack(stages), table] : [table];
}

// A bar whose parts are as long as the stages take, at the median.
function stack(stages) {
  const bar = made("div", "", "stack");
  bar.setAttribute("aria-hidden", "true"); // the table says the same
  stages.forEach((ms, index) => {
    const part = made("span", "", "part");
    part.style.flexGrow = String(ms);
    part.style.setProperty("--step", String(index / Math.max(1, stages.length - 1)));
    bar.append(part);
  });
  return bar;
}

function swatch(cell, index, stages) {
  if (index >= stages) return;
  const mark = made("span", "", "part");
  mark.style.setProperty("--step", String(index / Math.max(1, stages - 1)));
  cell.prepend(mark);
}

function heading(text, scope) {
  const cell = made("th", text);
  cell.scope = scope;
  return cell;
}

const milliseconds = ({ p50, p95 }) => [p50.toFixed(1), p95.toFixed(1)];

function times(status) {
  const stages = Object.entries(status.stages_ms);
  const ages = [
    ["From the camera to the result", status.latency_ms],
    ["From the camera to a viewer", status.delivery_ms],
  ].filter(([, ms]) => ms);
  const rows = [...stages.map(([name, ms]) => [stage(name), ...milliseconds(ms)]), ...ages.map(([name, ms]) => [name, ...milliseconds(ms)])];
  return { stages: stages.map(([, ms]) => ms.p50), head: ["Stage", "median", "95%"], rows };
}

function counted(counts, name) {
  return Object.entries(counts).filter(([, number]) => number > 0).map(([reason, number]) => [name(reason), count(number)]);
}

function decisions(status, before) {
  const fresh = before === status ? {} : before.decisions;
  const spent = Object.entries(status.decisions).map(([reason, number]) => [reason, number - (fresh[reason] ?? 0)]);
  const all = spent.reduce((sum, [, number]) => sum + number, 0);
  return spent
    .filter(([, number]) => number > 0)
    .sort(([, one], [, other]) => other - one)
    .map(([reason, number]) => [decision(reason), `${percent(number / all)} of frames`]);
}

function effort(budget) {
  if (!budget) return [];
  const lowered = budget.changes.findLast((change) => change.after > change.before);
  return [
    ["Lowered by", budget.level ? `${budget.level} ${budget.level === 1 ? "level" : "levels"}` : "nothing"],
    ...(budget.level && lowered ? [["Because of", lowered.message || lowered.reason]] : []),
    ["Frames a second", budget.max_fps ? `≤ ${rounded(budget.max_fps)}` : "all"],
    ["Processor", budget.cpu_share === null ? "–" : `${percent(budget.cpu_share)} of a core`],
    ["Temperature", budget.temperature_c === null ? "–" : `${budget.temperature_c.toFixed(0)} °C`],
    ...budget.throttled.map((flag) => ["Firmware", flag]),
  ];
}

function camera({ source, encoded }) {
  return [
    ["State", words(source.state)],
    ["Picture", source.width ? `${source.width} × ${source.height}` : "–"],
    ["Frames", count(source.frames)],
    ["Opened again", count(source.reconnects)],
    ["Pictures encoded", count(encoded)],
  ];
}

function program(status) {
  return [
    ["Face detector", status.detector],
    ["Expression model", status.model],
    ["Runtime", status.runtime],
    ["Running for", duration(status.uptime_s)],
    ["Version", status.version],
  ];
}
