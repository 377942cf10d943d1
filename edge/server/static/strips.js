// Draws what each face showed: a strip per face, time from left to right.

import { UNCERTAIN, colourOf, inkOn } from "./expressions.js";
import { FACE_COLOURS } from "./palette.js";
import { capital } from "./words.js";

const ROW_PX = 30;
const STRIP_PX = 20;
const NAME_PX = 68; // where the strips begin
const FOOT_PX = 20;
const MARGIN_PX = 6; // beside a name on its colour
const TICKS_S = [180, 150, 120, 90, 60, 30, 0];

export class Strips {
  #canvas;
  #context;
  #colours = {};
  #hatch = null;
  #font = "";
  #size = "";

  constructor(canvas) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d");
    this.dress();
  }

  // Take the colours of the page's theme.
  dress() {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(`--${name}`).trim();
    this.#colours = { ink: colour("ink"), quiet: colour("quiet"), line: colour("line") };
    this.#hatch = hatch(this.#context, colour("rail"), this.#colours.quiet);
    this.#font = `500 12px ${getComputedStyle(document.body).fontFamily}`;
  }

  // Milliseconds before now at a distance from the left edge; null beside the strips.
  backAt(x, width, span) {
    const share = (x - NAME_PX) / (width - NAME_PX);
    return share < 0 || share > 1 ? null : (1 - share) * span;
  }

  // `rows`: { id, stretches, present }; `span`: ms that are shown; `marked`: ms before now, or null; `labels`: of the model.
  draw(rows, { now, span, width, marked, labels }) {
    const height = Math.max(1, rows.length) * ROW_PX + FOOT_PX;
    this.#fit(width, height);
    const context = this.#context;
    const at = (back) => NAME_PX + (width - NAME_PX) * (1 - Math.min(back, span) / span);
    context.clearRect(0, 0, width, height);
    context.font = this.#font;
    context.textBaseline = "middle";
    this.#axis(at, span, width, height);
    rows.forEach((row, index) => this.#row(row, index * ROW_PX + ROW_PX / 2, now, span, at, labels));
    if (marked === null) return;
    context.fillStyle = this.#colours.ink;
    context.fillRect(Math.min(Math.round(at(marked)), width - 2), 0, 2, height - FOOT_PX);
  }

  #fit(width, height) {
    const ratio = devicePixelRatio || 1;
    const size = [width, height, ratio].join();
    if (size === this.#size) return;
    this.#size = size;
    this.#canvas.width = Math.round(width * ratio);
    this.#canvas.height = Math.round(height * ratio);
    this.#canvas.style.height = `${height}px`;
    this.#context.setTransform(ratio, 0, 0, ratio, 0, 0);
  }

  #axis(at, span, width, height) {
    const context = this.#context;
    const steps = TICKS_S.filter((back) => back * 1000 <= span && (back % 60 === 0 || span <= 120_000));
    for (const back of steps) {
      const x = at(back * 1000);
      context.fillStyle = this.#colours.line;
      context.fillRect(Math.min(Math.round(x), width - 1), 0, 1, height - FOOT_PX);
      context.fillStyle = this.#colours.quiet;
      context.textAlign = back === 0 ? "right" : x < NAME_PX + 30 ? "left" : "center";
      const text = back === 0 ? "now" : back % 60 ? `${back} s` : `${back / 60} min`;
      context.fillText(back === steps[0] && back ? `${text} ago` : text, x, height - FOOT_PX / 2 + 1);
    }
  }

  #row({ id, stretches, present }, middle, now, span, at, labels) {
    const context = this.#context;
    const top = middle - STRIP_PX / 2;
    context.fillStyle = `rgb(${FACE_COLOURS[id % FACE_COLOURS.length].join(" ")})`;
    box(context, 0, middle - 5, 10, 10, 3);
    context.textAlign = "left";
    context.fillStyle = present ? this.#colours.ink : this.#colours.quiet;
    context.fillText(`Face ${id}`, 16, middle, NAME_PX - 20);
    for (const { from, to, label } of stretches) {
      if (now - to >= span) continue;
      const left = at(now - from);
      const width = Math.max(at(Math.max(0, now - to)) - left, 1.5);
      const colour = label === UNCERTAIN ? null : colourOf(label, labels);
      context.fillStyle = colour ?? this.#hatch;
      box(context, left, top, width, STRIP_PX, Math.min(3, width / 2));
      const text = capital(label);
      if (!colour || context.measureText(text).width + 2 * MARGIN_PX > width) continue;
      context.fillStyle = inkOn(colour);
      context.fillText(text, left + MARGIN_PX, middle + 0.5);
    }
  }
}

function box(context, x, y, width, height, radius) {
  context.beginPath();
  context.roundRect(x, y, width, height, radius);
  context.fill();
}

function hatch(context, ground, line) {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 6;
  const pen = tile.getContext("2d");
  pen.fillStyle = ground;
  pen.fillRect(0, 0, 6, 6);
  pen.strokeStyle = line;
  pen.globalAlpha = 0.55;
  pen.beginPath();
  for (const from of [-6, 0, 6]) {
    pen.moveTo(from, 6);
    pen.lineTo(from + 6, 0);
  }
  pen.stroke();
  return context.createPattern(tile, "repeat");
}
