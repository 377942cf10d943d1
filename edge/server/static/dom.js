// What every part of the page does with the document.

export const at = (id) => document.getElementById(id);

// Only a change is written: an unchanged text that is written again would be read out, and laid out, again.
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function icon(element, name) {
  const use = element.querySelector("use");
  const link = `#i-${name}`;
  if (use.getAttribute("href") !== link) use.setAttribute("href", link);
}

export function made(tag, text = "", name = "") {
  const element = document.createElement(tag);
  element.textContent = text;
  if (name) element.className = name;
  return element;
}

// Replaces the children only if what they say has changed, so that selected text stays selected.
export function refill(parent, content, make) {
  const key = JSON.stringify(content);
  if (parent.dataset.content === key) return;
  parent.dataset.content = key;
  parent.replaceChildren(...make(content));
}

// A dialog with a button that opens it; a click beside it closes it, as Escape does.
export function dialog(element, button, opened = () => {}) {
  const open = () => {
    if (element.open) return;
    element.showModal();
    opened();
  };
  button.addEventListener("click", open);
  element.addEventListener("click", (event) => event.target === element && element.close());
  return open;
}

// Adds a style sheet that only a part of the page needs, once that part is there.
export function dress(name) {
  const link = made("link");
  link.rel = "stylesheet";
  link.href = `static/${name}`;
  document.head.append(link);
}
