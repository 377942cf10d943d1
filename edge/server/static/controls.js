// Pause and stop, for everybody who watches, and the picture to keep. What the buttons say is what the program said last.

import { icon, write } from "./dom.js";

const WAIT_MS = 8000;

export class Controls {
  #pause;
  #camera;
  #snapshot;
  #tell;
  #changed;
  #asking = false;
  #known = { connected: false, pictured: false, control: null, state: "" };

  // `tell`: says a sentence to the person; `changed`: gets the program's answer.
  constructor({ pause, camera, snapshot }, tell, changed) {
    this.#pause = pause;
    this.#camera = camera;
    this.#snapshot = snapshot;
    this.#tell = tell;
    this.#changed = changed;
    pause.addEventListener("click", () => this.pauseOrResume());
    camera.addEventListener("click", () => this.#ask(this.#camera, this.#known.control?.stopped ? "start" : "stop"));
    snapshot.addEventListener("click", (event) => this.#save(event));
  }

  pauseOrResume() {
    this.#ask(this.#pause, this.#known.control?.paused ? "resume" : "pause");
  }

  show(known) {
    this.#known = known;
    const { control } = known;
    const { paused = false, stopped = false } = control ?? {};
    dress(this.#pause, paused ? "play" : "pause", paused ? "Resume" : "Pause", this.#why(this.#pause), "Space");
    dress(this.#camera, stopped ? "camera" : "camera-off", stopped ? "Start camera" : "Stop camera", this.#why(this.#camera));
    const why = this.#unpictured();
    set(this.#snapshot, { title: why || "Save this picture (S)", "aria-disabled": String(Boolean(why)) });
  }

  // Why a button can do nothing now; empty if it can.
  #why(button) {
    const { connected, control, state } = this.#known;
    if (!connected) return "No connection to the device";
    if (!control) return "This device does not take orders from the page";
    if (state === "ended") return "The film is at its end";
    if (button === this.#pause && control.stopped) return "The camera is off";
    return this.#asking ? "Just a moment" : "";
  }

  #unpictured() {
    return this.#known.pictured ? "" : "There is no picture";
  }

  // Files with one name would be numbered by the browser; the moment says more.
  #save(event) {
    if (this.#unpictured()) {
      event.preventDefault();
      this.#tell("Not possible now: there is no picture.");
      return;
    }
    this.#snapshot.download = `${new Date().toISOString().slice(0, 19).replaceAll(":", "-")}.jpg`;
  }

  async #ask(button, action) {
    const why = this.#why(button);
    if (why) return this.#tell(`Not possible now: ${why.charAt(0).toLowerCase()}${why.slice(1)}.`);
    this.#asking = true;
    this.show(this.#known);
    try {
      this.#changed(await order(action));
    } catch (error) {
      this.#tell(`The device did not ${action}: ${error.message}`);
    } finally {
      this.#asking = false;
      this.show(this.#known);
    }
  }
}

async function order(action) {
  const response = await fetch("api/v1/control", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ action }),
    signal: AbortSignal.timeout(WAIT_MS),
  });
  const answer = await response.json().catch(() => null);
  if (response.ok && answer) return answer;
  throw new Error(answer?.error?.message ?? `it answered ${response.status}.`);
}

function dress(button, image, name, why, key = "") {
  icon(button, image);
  write(button.querySelector(".control-name"), name);
  const title = why || (key ? `${name} (${key})` : name);
  set(button, { "aria-label": name, title, "aria-disabled": String(Boolean(why)) });
}

function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (element.getAttribute(name) !== value) element.setAttribute(name, value);
  }
}
