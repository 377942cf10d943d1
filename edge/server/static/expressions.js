// One colour per expression. Found by search: however one sees colours, no two are nearer than 0.14 in OKLab, seven times what
// is just noticeable; and a name can be written on each. Which it is, where there is room: nothing depends on colour alone.

const KNOWN = {
  angry: "#8d445b",
  disgust: "#718d03",
  fear: "#d962a1",
  happy: "#fdb111",
  sad: "#4850b6",
  surprise: "#239ffa",
  neutral: "#becdd0",
};
// a model from elsewhere: Paul Tol's "muted" scheme, by the class's place
const OTHERS = ["#cc6677", "#332288", "#ddcc77", "#117733", "#88ccee", "#882255", "#44aa99", "#999933", "#aa4499"];

export const UNCERTAIN = "uncertain";

// `labels`: all names of the model, in its order. `uncertain` has no colour: it is hatched.
export function colourOf(label, labels) {
  if (labels.every((name) => name in KNOWN)) return KNOWN[label];
  return OTHERS[Math.max(0, labels.indexOf(label)) % OTHERS.length];
}

export function luminance(colour) {
  const [red, green, blue] = [1, 3, 5].map((from) => parseInt(colour.slice(from, from + 2), 16) / 255);
  const linear = (share) => (share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4);
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
}

// Black or white, whichever reads better on it (WCAG 2.2: they are equal at a luminance of 0.179).
export const inkOn = (colour) => (luminance(colour) > 0.179 ? "#111111" : "#ffffff");
