// This device's camera as the program's source: pictures go to it over a WebSocket, what it finds is drawn on top of them.

import { dress, made, write } from "./dom.js";
import { FACE_COLOURS } from "./palette.js";
import { UNCERTAIN } from "./expressions.js";
import { percent } from "./words.js";

const QUALITY = 0.8;
const WIDTH_PX = 640;
const UNANSWERED = 2; // pictures on their way: more would only grow old there
const PATIENCE_MS = 2000; // a picture that was overtaken on the device is never answered
const STALE_MS = 1000; // boxes that are older are taken away

let running = null;

dress("own_camera.css");

export async function toggle({ screen, button, tell }) {
  if (running) {
    running.stop();
    return;
  }
  if (!navigator.mediaDevices?.getUserMedia) {
    tell("Browsers give their camera to secure pages only: start the program with --tls, or open it as localhost.");
    return;
  }
  button.disabled = true;
  try {
    const video = { facingMode: "user", width: { ideal: WIDTH_PX }, height: { ideal: 480 } };
    const stream = await navigator.mediaDevices.getUserMedia({ video, audio: false });
    running = new OwnCamera(stream, screen, (reason) => {
      running = null;
      name(button, "Use this device's camera", false);
      if (reason) tell(reason);
    });
    name(button, "Stop this device's camera", true);
  } catch (error) {
    tell(refusal(error));
  } finally {
    button.disabled = false;
  }
}

function name(button, text, pressed) {
  write(button.querySelector(".control-name"), text);
  button.setAttribute("aria-label", text);
  button.setAttribute("aria-pressed", String(pressed));
}

function refusal(error) {
  if (error.name === "NotAllowedError") return "The browser was not allowed to use the camera. Allow it in its settings for this page.";
  if (error.name === "NotFoundError") return "This device has no camera.";
  if (error.name === "NotReadableError") return "The camera is in use by another program.";
  return `The camera cannot be used: ${error.message}`;
}

class OwnCamera {
  #stream;
  #ended;
  #layer = made("div", "", "own");
  #video = made("video");
  #marks = made("canvas");
  #shot = document.createElement("canvas");
  #socket;
  #waiting = []; // when each unanswered picture was sent
  #everyMs = 1000 / 30;
  #sentAt = -Infinity;
  #encoding = false;
  #sent = 0;
  #marked = 0;

  constructor(stream, screen, ended) {
    this.#stream = stream;
    this.#ended = ended;
    this.#video.srcObject = stream;
    Object.assign(this.#video, { muted: true, playsInline: true, autoplay: true });
    this.#video.setAttribute("aria-label", "This device's camera");
    this.#layer.append(this.#video, this.#marks);
    screen.append(this.#layer);
    stream.getVideoTracks()[0].addEventListener("ended", () => this.stop("The camera was taken away."));
    const url = new URL("api/v1/push", location.href);
    url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    this.#socket = new WebSocket(url);
    this.#socket.onmessage = (message) => this.#hear(JSON.parse(message.data));
    this.#socket.onclose = (event) => this.stop(event.reason ? `The device closed the connection: ${event.reason}` : "The device closed the connection.");
    this.#video.addEventListener("loadeddata", () => this.#look());
  }

  stop(reason = "") {
    if (!this.#ended) return;
    const ended = this.#ended;
    this.#ended = null;
    for (const track of this.#stream.getTracks()) track.stop();
    this.#socket.onclose = null;
    this.#socket.close(1000);
    this.#layer.remove();
    ended(reason);
  }

  #hear({ hello, result, seq, error }) {
    if (hello) this.#everyMs = 1000 / Math.min(30, hello.max_fps || 30);
    if (seq !== undefined) this.#waiting = this.#waiting.filter((picture) => picture.seq > seq);
    if (error) this.stop(error.message);
    if (result) this.#draw(result);
  }

  // With each picture of the camera, as far as the device keeps up.
  #look() {
    if (!this.#ended) return;
    const now = performance.now();
    this.#waiting = this.#waiting.filter((picture) => now - picture.at < PATIENCE_MS);
    if (now - this.#marked > STALE_MS) this.#wipe();
    const due = now - this.#sentAt >= this.#everyMs - 4; // the browser's own beat jitters by that
    const ready = this.#socket.readyState === WebSocket.OPEN && this.#socket.bufferedAmount === 0;
    if (due && ready && !this.#encoding && this.#waiting.length < UNANSWERED) this.#send(now);
    if (this.#video.requestVideoFrameCallback) this.#video.requestVideoFrameCallback(() => this.#look());
    else requestAnimationFrame(() => this.#look());
  }

  #send(now) {
    const { videoWidth, videoHeight } = this.#video;
    if (!videoWidth) return;
    const shrink = Math.min(1, WIDTH_PX / Math.max(videoWidth, videoHeight));
    const size = { width: Math.round(videoWidth * shrink), height: Math.round(videoHeight * shrink) };
    if (this.#shot.width !== size.width || this.#shot.height !== size.height) Object.assign(this.#shot, size);
    this.#shot.getContext("2d").drawImage(this.#video, 0, 0, size.width, size.height);
    this.#encoding = true;
    this.#sentAt = now;
    this.#shot.toBlob(
      (blob) => {
        this.#encoding = false;
        if (!this.#ended || !blob || this.#socket.readyState !== WebSocket.OPEN) return;
        this.#sent += 1;
        this.#waiting.push({ seq: this.#sent, at: performance.now() });
        this.#socket.send(blob);
      },
      "image/jpeg",
      QUALITY,
    );
  }

  #wipe() {
    this.#marks.getContext("2d").clearRect(0, 0, this.#marks.width, this.#marks.height);
  }

  // Mirrored, as people know themselves; the letters are not.
  #draw({ faces, width, height }) {
    const ratio = devicePixelRatio || 1;
    const { clientWidth, clientHeight } = this.#layer;
    const size = { width: Math.round(clientWidth * ratio), height: Math.round(clientHeight * ratio) };
    if (this.#marks.width !== size.width || this.#marks.height !== size.height) Object.assign(this.#marks, size);
    const context = this.#marks.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, clientWidth, clientHeight);
    this.#marked = performance.now();
    const scale = Math.min(clientWidth / width, clientHeight / height); // object-fit: contain
    const [w, h] = [width * scale, height * scale];
    const [left, top] = [(clientWidth - w) / 2, (clientHeight - h) / 2];
    context.font = `600 15px ${getComputedStyle(document.body).fontFamily}`;
    context.textBaseline = "middle";
    for (const face of faces) {
      const [x, y, wide, high] = face.box;
      const box = [left + (1 - x - wide) * w, top + y * h, wide * w, high * h];
      const colour = face.misses ? "#808080" : `rgb(${FACE_COLOURS[face.id % FACE_COLOURS.length].join(" ")})`;
      context.strokeStyle = context.fillStyle = colour;
      context.lineWidth = face.misses ? 1.5 : 3;
      context.strokeRect(...box);
      if (face.label) plate(context, face.label === UNCERTAIN ? UNCERTAIN : `${face.label} ${percent(face.confidence)}`, box);
    }
  }
}

function plate(context, text, [x, y]) {
  const width = context.measureText(text).width + 14;
  const top = Math.max(0, y - 24);
  context.fillRect(x - 1.5, top, width, 24);
  context.fillStyle = "#ffffff";
  context.fillText(text, x + 5.5, top + 12.5);
}
