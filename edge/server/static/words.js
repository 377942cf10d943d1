// Figures and names as people read them.

export const capital = (word) => word.charAt(0).toUpperCase() + word.slice(1);
export const words = (name) => name.replaceAll("_", " ");
export const percent = (share) => `${Math.round(share * 100)}%`;
export const count = (number) => number.toLocaleString("en");
export const rounded = (value) => (value >= 10 ? value.toFixed(0) : value.toFixed(1));
export const some = (number, one, many) => `${number} ${number === 1 ? one : many}`;

export function duration(seconds) {
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1) return `${Math.floor(seconds)} s`;
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days`;
}

// Why the detector looked at a frame, or did not: see "Where faces are looked for" in the documentation.
const DECISIONS = {
  first: "Searched: the first picture",
  interval: "Searched: its turn, and something had changed",
  moved: "Searched: a face had moved",
  age: "Searched: a face was not looked for in a while",
  missed: "Searched: a face was out of sight",
  watch: "Searched: a look at everything, though nothing changed",
  tile: "Searched a part: for small faces",
  follow: "Searched a part: around a small face",
  check: "Searched a part: that may be a face",
  roi: "Not searched: faces are where they were",
  idle: "Not searched: nobody there, nothing changed",
};
const SKIPS = {
  busy: "The one before was still being read",
  late: "The source left it out to keep pace",
  unwatched: "Left out while nobody was watching",
  rate: "Beyond the frame rate asked for",
  budget: "Left out to stay within the budget",
};
const STAGES = {
  decide: "Decide where to look",
  detect: "Find faces",
  track: "Follow faces",
  chip: "Cut out faces",
  classify: "Read expressions",
  draw: "Draw",
  encode: "Encode",
};

const said = (names, reason) => names[reason] ?? capital(words(reason));
export const decision = (reason) => said(DECISIONS, reason);
export const skip = (reason) => said(SKIPS, reason);
export const stage = (name) => said(STAGES, name);
