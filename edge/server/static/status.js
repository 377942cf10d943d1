// Shows the program's state: the line at the top, the notices, the details.

const at = (id) => document.getElementById(id);
const write = (element, text) => {
  if (element.textContent !== text) element.textContent = text;
};
const words = (name) => name.replaceAll("_", " ");
const rounded = (value) => (value >= 10 ? value.toFixed(0) : value.toFixed(1));

export function showStatus(status) {
  const { source } = status;
  at("source").dataset.state = source.state;
  write(at("source-name"), source.name);
  write(at("source-reason"), [source.state === "online" ? "" : capital(source.state), source.reason].filter(Boolean).join(": "));
  write(at("fps"), rounded(status.fps));
  write(at("latency"), status.latency_ms ? `${rounded(status.latency_ms.p50)} ms` : "–");
  at("latency").title = status.latency_ms ? `95% are below ${rounded(status.latency_ms.p95)} ms` : "";
  write(at("viewers"), String(status.viewers));
  write(at("summary"), [status.detector, status.model, `version ${status.version}`].join("  ·  "));
  document.title = `${source.name} – emotion-edge`;
  showNotices(status.notices);
  showDetails(status);
}

function showNotices(notices) {
  const list = at("notices");
  if (list.dataset.shown === JSON.stringify(notices)) return; // said once, a screen reader need not hear it again
  list.dataset.shown = JSON.stringify(notices);
  list.hidden = notices.length === 0;
  list.replaceChildren(...notices.map((notice) => element("li", notice)));
}

function showDetails(status) {
  const { source } = status;
  const stages = Object.entries(status.stages_ms).map(([stage, ms]) => [words(stage), `${ms.p50.toFixed(1)} / ${ms.p95.toFixed(1)} ms`]);
  const counted = (counts) => Object.entries(counts).filter(([, count]) => count > 0).map(([reason, count]) => [words(reason), count.toLocaleString("en")]);
  const tables = [
    ["Program", [
      ["Face detector", status.detector],
      ["Expression model", status.model],
      ["Runtime", status.runtime],
      ["Running for", duration(status.uptime_s)],
      ["Version", status.version],
    ]],
    ["Camera", [
      ["Picture", source.width ? `${source.width} × ${source.height}` : "–"],
      ["Frames", source.frames.toLocaleString("en")],
      ["Opened again", source.reconnects.toLocaleString("en")],
      ["Pictures encoded", status.encoded.toLocaleString("en")],
    ]],
    ["Time per stage, median / 95%", stages],
    ["Effort", effort(status.budget)],
    ["Detector", counted(status.decisions)],
    ["Frames not analysed", counted(status.skipped)],
  ];
  at("details").replaceChildren(...tables.filter(([, rows]) => rows.length).map(([title, rows]) => table(title, rows)));
}

function effort(budget) {
  if (!budget) return [];
  const lowered = budget.changes.findLast((change) => change.after > change.before);
  return [
    ["Lowered by", budget.level ? `${budget.level} ${budget.level === 1 ? "level" : "levels"}` : "nothing"],
    ...(budget.level && lowered ? [["Because of", lowered.reason]] : []),
    ["Frames a second", budget.max_fps ? `≤ ${rounded(budget.max_fps)}` : "all"],
    ["Processor", budget.cpu_share === null ? "–" : `${Math.round(budget.cpu_share * 100)}% of a core`],
    ["Temperature", budget.temperature_c === null ? "–" : `${budget.temperature_c.toFixed(0)} °C`],
    ...budget.throttled.map((flag) => ["Firmware", flag]),
  ];
}

function table(title, rows) {
  const section = element("section");
  const list = element("dl");
  for (const [name, value] of rows) {
    const row = element("div");
    row.append(element("dt", capital(name)), element("dd", value));
    list.append(row);
  }
  section.append(element("h3", title), list);
  return section;
}

function element(tag, text = "") {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}

function capital(word) {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

function duration(seconds) {
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1) return `${Math.floor(seconds)} s`;
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days`;
}
