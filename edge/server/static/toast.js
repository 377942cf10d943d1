// A sentence to the person that goes away by itself.

import { at } from "./dom.js";

const SHOWN_MS = 8000;
let timer = 0;

export function tell(sentence) {
  const toast = at("toast");
  clearTimeout(timer);
  toast.textContent = sentence;
  toast.hidden = false;
  timer = setTimeout(() => (toast.hidden = true), SHOWN_MS);
}
