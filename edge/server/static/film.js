// What was found in a video, from its event log: who was there when, and how likely which expression was.

const GAP_S = 0.5; // a face that is away for longer begins anew

export class Film {
  // `text`: a record per line, as `events.jsonl` has them.
  constructor(text) {
    this.scenes = text.split("\n").filter(Boolean).map((line) => JSON.parse(line));
    this.times = Float64Array.from(this.scenes, (scene) => scene.media_s);
    this.faces = new Map();
    for (const scene of this.scenes) for (const face of scene.faces) this.#note(face, scene.media_s);
  }

  #note({ id, scores }, at) {
    let face = this.faces.get(id);
    if (!face) this.faces.set(id, (face = { id, points: [] }));
    if (Object.keys(scores).length) face.points.push({ at, scores });
  }

  // The faces at a moment; none if no record is near enough.
  at(seconds) {
    let low = 0;
    let high = this.times.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.times[middle] <= seconds + 1e-3) low = middle + 1;
      else high = middle;
    }
    const scene = this.scenes[low - 1];
    return scene && seconds - scene.media_s < GAP_S ? scene.faces : [];
  }

  // For each of so many columns the mean of a face's scores; null where it was not read.
  columns(id, count, duration) {
    const sums = Array.from({ length: count }, () => null);
    for (const { at, scores } of this.faces.get(id).points) {
      const column = Math.min(count - 1, Math.max(0, Math.floor((at / duration) * count)));
      const sum = (sums[column] ??= { n: 0, scores: {} });
      sum.n += 1;
      for (const [name, share] of Object.entries(scores)) sum.scores[name] = (sum.scores[name] ?? 0) + share;
    }
    return bridged(sums, Math.ceil((GAP_S / duration) * count));
  }
}

// Columns between two records that belong together show the earlier one.
function bridged(columns, gap) {
  let last = -Infinity;
  for (let index = 0; index < columns.length; index += 1) {
    if (!columns[index]) continue;
    if (index - last <= gap) columns.fill(columns[last], last + 1, index);
    last = index;
  }
  return columns;
}
