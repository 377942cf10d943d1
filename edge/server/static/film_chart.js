// The expressions of each face over the time of a video, stacked: a full column is certain of one. Click or drag to go there.

import { made } from "./dom.js";
import { colourOf } from "./expressions.js";
import { FACE_COLOURS } from "./palette.js";
import { capital } from "./words.js";

const ROW_PX = 54;
const BAND_PX = 44;
const NAME_PX = 68;
const FOOT_PX = 20;
const MOST_FACES = 8;
const STEPS_S = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10 };

export class FilmChart {
  #film;
  #labels;
  #duration;
  #seek;
  #canvas = made("canvas");
  #head = made("div", "", "chart-head");
  #width = 0;
  #watch;

  // `seek`: told the second somebody wants to see.
  constructor(film, labels, duration, seek) {
    this.#film = film;
    this.#labels = labels;
    this.#duration = Math.max(duration, 0.1);
    this.#seek = seek;
    this.element = made("div", "", "chart");
    this.#canvas.setAttribute("aria-hidden", "true");
    const { element: plot } = this;
    plot.tabIndex = 0;
    plot.setAttribute("role", "slider");
    plot.setAttribute("aria-label", "Place in the video");
    plot.setAttribute("aria-valuemin", "0");
    plot.setAttribute("aria-valuemax", this.#duration.toFixed(1));
    plot.append(this.#canvas, this.#head);
    plot.addEventListener("pointerdown", (event) => this.#grab(event));
    plot.addEventListener("pointermove", (event) => event.buttons === 1 && this.#go(event.clientX));
    plot.addEventListener("keydown", (event) => this.#key(event));
    this.#watch = new ResizeObserver(() => this.#draw());
    this.#watch.observe(plot);
    this.redraw = () => this.#draw(true);
    addEventListener("themechange", this.redraw);
    this.mark(0, "");
  }

  close() {
    this.#watch.disconnect();
    removeEventListener("themechange", this.redraw);
  }

  // Show where the video is.
  mark(seconds, sentence) {
    this.at = seconds;
    const share = Math.min(1, seconds / this.#duration);
    this.#head.style.left = `calc(${NAME_PX}px + (100% - ${NAME_PX}px) * ${share})`;
    this.element.setAttribute("aria-valuenow", seconds.toFixed(1));
    this.element.setAttribute("aria-valuetext", `${seconds.toFixed(1)} s${sentence && `: ${sentence}`}`);
  }

  #grab(event) {
    this.element.setPointerCapture(event.pointerId);
    this.#go(event.clientX);
  }

  #go(x) {
    const { left, width } = this.element.getBoundingClientRect();
    const share = (x - left - NAME_PX) / (width - NAME_PX);
    this.#seek(Math.min(1, Math.max(0, share)) * this.#duration);
  }

  #key(event) {
    const places = { Home: 0, End: this.#duration };
    const wanted = event.key in places ? places[event.key] : this.at + STEPS_S[event.key];
    if (!Number.isFinite(wanted)) return;
    event.preventDefault();
    this.#seek(Math.min(this.#duration, Math.max(0, wanted)));
  }

  #draw(again = false) {
    const width = this.element.clientWidth;
    if (!width || (width === this.#width && !again)) return;
    this.#width = width;
    const faces = [...this.#film.faces.values()].sort((one, other) => other.points.length - one.points.length);
    const shown = faces.slice(0, MOST_FACES).sort((one, other) => one.id - other.id);
    const height = Math.max(1, shown.length) * ROW_PX + FOOT_PX;
    const ratio = devicePixelRatio || 1;
    Object.assign(this.#canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
    this.#canvas.style.height = `${height}px`;
    const context = this.#canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const style = getComputedStyle(document.documentElement);
    const colours = Object.fromEntries(["ink", "quiet", "line", "rail"].map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
    context.font = `500 12px ${getComputedStyle(document.body).fontFamily}`;
    context.textBaseline = "middle";
    this.#axis(context, width, height, colours);
    shown.forEach((face, index) => this.#row(context, face, index * ROW_PX, width, colours));
  }

  #axis(context, width, height, colours) {
    const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600];
    const step = steps.find((each) => this.#duration / each <= Math.max(2, width / 110)) ?? 1200;
    for (let second = 0; second <= this.#duration; second += step) {
      const x = NAME_PX + ((width - NAME_PX) * second) / this.#duration;
      context.fillStyle = colours.line;
      context.fillRect(Math.min(Math.round(x), width - 1), 0, 1, height - FOOT_PX);
      context.fillStyle = colours.quiet;
      context.textAlign = x > width - 24 ? "right" : second ? "center" : "left";
      context.fillText(clock(second), x, height - FOOT_PX / 2 + 1);
    }
  }

  #row(context, face, top, width, colours) {
    const count = Math.max(1, Math.round(width - NAME_PX));
    context.fillStyle = `rgb(${FACE_COLOURS[face.id % FACE_COLOURS.length].join(" ")})`;
    context.fillRect(0, top + BAND_PX / 2 - 5, 10, 10);
    context.textAlign = "left";
    context.fillStyle = colours.ink;
    context.fillText(`Face ${face.id}`, 16, top + BAND_PX / 2, NAME_PX - 20);
    context.fillStyle = colours.rail;
    context.fillRect(NAME_PX, top, count, BAND_PX);
    this.#film.columns(face.id, count, this.#duration).forEach((column, x) => {
      if (!column) return;
      let from = top + BAND_PX;
      for (const name of this.#labels) {
        const part = ((column.scores[name] ?? 0) / column.n) * BAND_PX;
        context.fillStyle = colourOf(name, this.#labels);
        context.fillRect(NAME_PX + x, from - part, 1, part);
        from -= part;
      }
    });
  }
}

export function legend(labels) {
  const list = made("ul", "", "legend");
  list.setAttribute("aria-label", "Colours of the expressions");
  list.append(
    ...labels.map((name) => {
      const entry = made("li", capital(name));
      const sample = made("span", "", "sample");
      sample.style.background = colourOf(name, labels);
      entry.prepend(sample);
      return entry;
    }),
  );
  return list;
}

export const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
