// Which videos this tab has sent: kept by the browser for as long as the tab lives, where it lets us.

const KEY = "emotion-edge videos";
const MOST = 20;

export function all() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "[]");
    return Array.isArray(kept) ? kept : [];
  } catch {
    return [];
  }
}

export function add(id) {
  try {
    sessionStorage.setItem(KEY, JSON.stringify([...all(), id].slice(-MOST)));
  } catch {
    // storage is blocked: they are forgotten when the page is loaded anew
  }
}
