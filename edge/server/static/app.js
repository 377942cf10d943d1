// Puts the page together: one event feed, one picture, one question about the state every two seconds.

import { Cards } from "./cards.js";
import { Feed } from "./feed.js";
import { FreezeWatch } from "./freeze.js";
import { Picture } from "./picture.js";
import { StatePoll } from "./poll.js";
import { showStatus } from "./status.js";
import { Veil } from "./veil.js";

const STALE_MS = 3000; // without news for this long, faces are no longer shown as live

const at = (id) => document.getElementById(id);
const veil = new Veil(at("screen"), at("veil-title"), at("veil-text"));
const cards = new Cards(at("cards"), at("count"), at("nobody"), at("announcement"));

const known = { status: null, reachable: null, refused: false, fed: false, pictured: false, newsAt: -Infinity };

const picture = new Picture(at("picture"), {
  arrived: (width, height) => {
    at("screen").style.setProperty("--ratio", String(width / height));
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
    picture.describe(scene.faces.length, known.status?.source.name ?? "");
    refresh();
  },
  lost: () => {
    known.fed = false;
    refresh();
  },
});

const poll = new StatePoll("state", {
  status: (status) => {
    Object.assign(known, { status, reachable: true, refused: false });
    cards.setThreshold(status.threshold);
    showStatus(status);
    refresh();
  },
  failed: (refused) => {
    Object.assign(known, { reachable: false, refused });
    refresh();
  },
});

function refresh() {
  veil.show(known);
  const source = known.status?.source;
  const connected = known.fed || known.reachable !== false;
  document.body.classList.toggle("lost", !connected);
  if (!connected) at("source").dataset.state = "lost";
  const fresh = known.fed && performance.now() - known.newsAt < STALE_MS && source?.state === "online";
  const still = source?.state === "ended" && known.fed; // what the last frame shows stays true of that frame
  cards.setLive(fresh || still, !known.fed ? "No connection" : source?.state === "online" ? "" : (source?.reason ?? ""));
}

function start() {
  feed.start();
  picture.start();
  poll.start();
}

// nobody sees a hidden page: the device need not encode for it, and browsers allow six connections to a server
function stop() {
  feed.stop();
  picture.stop();
  poll.stop();
  known.pictured = false;
}

document.addEventListener("visibilitychange", () => (document.hidden ? stop() : start()));
// a page that comes back from the history has dead connections
addEventListener("pageshow", (event) => event.persisted && (stop(), start()));
setInterval(refresh, 1000);

const fullscreen = at("fullscreen");
const toggle = () => (document.fullscreenElement ? document.exitFullscreen() : at("screen").requestFullscreen());
fullscreen.hidden = !document.fullscreenEnabled;
fullscreen.addEventListener("click", toggle);
document.addEventListener("keydown", (event) => {
  const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
  if (event.key === "f" && plain && document.fullscreenEnabled) toggle();
});

if (!document.hidden) start();
