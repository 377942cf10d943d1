// Puts the page together: one event feed, one picture, and what is known of the program.

import { Cards } from "./cards.js";
import { Controls } from "./controls.js";
import { Details } from "./details.js";
import { at, dialog, icon, write } from "./dom.js";
import { Feed } from "./feed.js";
import { FreezeWatch } from "./freeze.js";
import { History } from "./history.js";
import { OwnCameraButton } from "./own_camera_button.js";
import { Picture } from "./picture.js";
import { StatePoll } from "./poll.js";
import { shortcuts } from "./shortcuts.js";
import { showStatus } from "./status.js";
import { Timeline } from "./timeline.js";
import { tell } from "./toast.js";
import { Totals } from "./totals.js";
import { Veil } from "./veil.js";
import { Views } from "./views.js";
import { Watchers } from "./watchers.js";

const OUTRUN_MS = 1000; // the server shares a status for half a second, and it may be on its way for some time
const STALE_MS = 3000; // without news for this long, faces are no longer shown as live

const veil = new Veil(at("screen"), at("veil"), at("veil-title"), at("veil-text"));
const cards = new Cards(at("cards"), at("count"), at("nobody"), at("announcement"));
const buttons = { pause: at("pause"), camera: at("camera"), snapshot: at("snapshot") };
const answered = { control: null, at: -Infinity };
const controls = new Controls(buttons, tell, (control) => {
  Object.assign(answered, { control, at: performance.now() });
  if (known.status) known.status = { ...known.status, control };
  refresh();
});
const history = new History();
const timeline = new Timeline(history);
const details = new Details();
const watchers = new Watchers();
const totals = new Totals();
const ownCamera = new OwnCameraButton(tell);
const views = new Views(tell, () => refresh());

const known = { status: null, reachable: null, refused: false, fed: false, pictured: false, newsAt: -Infinity };

const picture = new Picture(at("picture"), {
  arrived: (width, height) => {
    at("live").style.setProperty("--ratio", String(width / height));
    known.pictured = true;
    refresh();
  },
  lost: () => {
    known.pictured = false;
    refresh();
  },
});

const freeze = new FreezeWatch(picture);

const feed = new Feed("events", {
  opened: (again) => {
    known.fed = true;
    if (again) picture.reload(); // a stream that broke off shows its last picture for ever, without an event
    refresh();
  },
  event: (scene) => {
    known.newsAt = performance.now();
    freeze.sawScene();
    cards.show(scene.faces);
    history.add(scene.faces, scene.time === null ? performance.now() : Date.parse(scene.time), performance.now());
    describe(scene.faces.length);
    refresh();
  },
  aggregate: (record) => totals.add(record),
  status: (status) => {
    poll.heard();
    learn(status);
  },
  lost: () => {
    known.fed = false;
    poll.missed();
    refresh();
  },
});

const poll = new StatePoll("state", {
  status: learn,
  failed: (refused) => {
    Object.assign(known, { reachable: false, refused });
    refresh();
  },
});

function learn(news) {
  // a status that was made before an order was carried out may arrive after the answer
  const outrun = performance.now() - answered.at < OUTRUN_MS;
  const status = outrun ? { ...news, control: answered.control } : news;
  Object.assign(known, { status, reachable: true, refused: false });
  cards.setThreshold(status.threshold);
  timeline.setLabels(status.labels);
  showStatus(status);
  details.show(status);
  watchers.show(status);
  totals.show(status);
  ownCamera.show(status);
  views.show(status);
  refresh();
}

function describe(faces) {
  const who = faces === 0 ? "no face" : faces === 1 ? "one face" : `${faces} faces`;
  picture.describe(`Live picture from ${known.status?.source.name || "the camera"} with ${who}`);
}

function refresh() {
  const { status } = known;
  const source = status?.source;
  const control = status?.control;
  // what the program keeps to itself is not asked for, nor what nobody sees
  const shared = status !== null && (status.privacy?.video ?? "full") !== "none";
  picture.want(shared && !control?.stopped && !document.hidden && views.shown === "live");
  at("snapshot").hidden = !shared;
  at("camera").hidden = status?.push === true && !control?.stopped; // whose camera would be meant?
  at("fullscreen").hidden = !shared || !document.fullscreenEnabled;
  veil.show(known);
  const connected = known.fed || known.reachable !== false;
  document.body.classList.toggle("lost", !connected);
  if (!connected) {
    at("source").dataset.state = "lost";
    write(at("source-reason"), "No connection");
  }
  const filming = !control?.paused && !control?.stopped;
  const pictured = known.pictured && filming && (source?.state === "online" || source?.state === "ended");
  controls.show({ connected: connected && status !== null, pictured, control: control ?? null, state: source?.state ?? "" });
  if (control?.stopped || totals.only) cards.clear(); // nobody is seen, or told of, any more
  const fresh = known.fed && performance.now() - known.newsAt < STALE_MS && source?.state === "online" && filming;
  const still = source?.state === "ended" && known.fed; // what the last frame shows stays true of that frame
  const why = control?.stopped ? "The camera is off" : source?.state === "online" ? "" : (source?.reason ?? "");
  cards.setLive(fresh || still, known.fed ? why : "No connection");
  const name = views.shown === "files" ? "Pictures & videos" : source?.name;
  const title = name ? `${name} – emotion-edge` : "emotion-edge";
  if (document.title !== title) document.title = title;
}

function start() {
  feed.start();
  poll.start();
  refresh();
}

// nobody sees a hidden page: the device need not encode for it, and browsers allow six connections to a server
function stop() {
  feed.stop();
  poll.stop();
  known.pictured = false;
  picture.want(false);
}

document.addEventListener("visibilitychange", () => (document.hidden ? stop() : start()));
// a page that comes back from the history has dead connections
addEventListener("pageshow", (event) => event.persisted && (stop(), start()));
setInterval(refresh, 1000);

const THEMES = { auto: "as the system has them", light: "light", dark: "dark" };
const fullscreen = at("fullscreen");
const help = dialog(at("help-dialog"), at("help"));
dialog(at("meaning-dialog"), at("meaning"));

function fill() {
  if (!document.fullscreenEnabled || views.shown !== "live") return;
  if (document.fullscreenElement) document.exitFullscreen();
  else at("stage").requestFullscreen().catch(() => tell("The browser does not allow full screen here."));
}

function dressTheme() {
  const { chosen } = globalThis.theme;
  const name = `Colours: ${THEMES[chosen]}`;
  icon(at("theme"), chosen);
  at("theme").setAttribute("aria-label", name);
  at("theme").title = name;
}

fullscreen.addEventListener("click", fill);
at("theme").addEventListener("click", () => {
  const names = Object.keys(THEMES);
  globalThis.theme.choose(names[(names.indexOf(globalThis.theme.chosen) + 1) % names.length]);
});
addEventListener("themechange", dressTheme);
dressTheme();
shortcuts({
  " ": () => views.shown === "live" && controls.pauseOrResume(),
  f: fill,
  s: () => at("snapshot").hidden || at("snapshot").click(),
  "?": help,
});

if (!document.hidden) start();
