// Single keys. They can be switched off: speech input and trembling hands press them by accident (WCAG 2.1.4).

import { at } from "./dom.js";

const KEY = "emotion-edge keys";

export function shortcuts(actions) {
  const box = at("keys-on");
  try {
    box.checked = localStorage.getItem(KEY) !== "off";
  } catch {
    // storage is blocked: the choice lasts as long as the page
  }
  box.addEventListener("change", () => {
    try {
      localStorage.setItem(KEY, box.checked ? "on" : "off");
    } catch {
      // as above
    }
  });
  document.addEventListener("keydown", (event) => {
    if (!box.checked || event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.defaultPrevented) return;
    if (document.querySelector("dialog[open]")) return;
    const target = event.target;
    if (target.closest("input, textarea, select, [contenteditable], [role=slider]") && event.key !== "?") return;
    // the space bar presses what has the focus
    if (event.key === " " && target.closest("button, a, summary, video, audio")) return;
    const action = actions[event.key.toLowerCase()];
    if (!action) return;
    event.preventDefault();
    action();
  });
}
