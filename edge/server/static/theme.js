// Light or dark, before the first paint: a plain script, so that the page does not flash. Follows the system until somebody
// chooses; the choice is kept where the browser lets it.

{
  const KEY = "emotion-edge theme";
  const system = matchMedia("(prefers-color-scheme: dark)");
  let chosen = "auto";
  try {
    chosen = localStorage.getItem(KEY) ?? "auto";
  } catch {
    // storage is blocked: the choice lasts as long as the page
  }
  const apply = () => {
    document.documentElement.dataset.theme = chosen === "auto" ? (system.matches ? "dark" : "light") : chosen;
    dispatchEvent(new Event("themechange"));
  };
  system.addEventListener("change", apply);
  globalThis.theme = {
    get chosen() {
      return chosen;
    },
    choose(name) {
      chosen = name;
      try {
        localStorage.setItem(KEY, name);
      } catch {
        // as above
      }
      apply();
    },
  };
  if (!["auto", "light", "dark"].includes(chosen)) chosen = "auto";
  apply();
}
