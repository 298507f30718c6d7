// Small helpers to build the page: elements with text only, so that no name from outside can become markup.

export const find = (id) => document.getElementById(id);

export function make(tag, { text, css, ...rest } = {}, ...children) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (css) element.className = css;
  for (const [name, value] of Object.entries(rest)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

// Puts elements into a place; what is null is left out.
export function fill(place, ...children) {
  place.replaceChildren(...children.filter((child) => child !== null));
}

export function clock(second, digits = 2) {
  const scale = 10 ** digits;
  const ticks = Math.floor(Math.abs(second) * scale + 1e-3);
  const whole = Math.floor(ticks / scale);
  const two = (number) => String(number).padStart(2, "0");
  const part = digits ? `.${String(ticks % scale).padStart(digits, "0")}` : "";
  return `${second < 0 && ticks ? "-" : ""}${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}${part}`;
}

export function lasting(seconds) {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  return `${Math.round(seconds / 60)} min`;
}

// Asks for one of several things in a dialog; resolves to its value, or to null where it was called off.
export function choose({ title, text, choices, no = "Cancel" }) {
  const dialog = find("ask");
  return new Promise((resolve) => {
    const end = (value) => { dialog.close(); resolve(value); };
    const offered = choices.map(({ value, name, about, css }) => make("button", { css, value, onclick: () => end(value) }, name, make("small", { text: about })));
    dialog.replaceChildren(make("h2", { text: title }), make("p", { text }), make("div", { css: "choices" }, ...offered),
      make("div", { css: "row" }, make("button", { text: no, value: "no", onclick: () => end(null) })));
    dialog.oncancel = () => resolve(null);
    dialog.showModal();
    offered[0].focus();
  });
}

let hide = 0;
export function toast(text, bad = false) {
  const place = find("toast");
  place.textContent = text;
  place.classList.toggle("bad", bad);
  place.hidden = false;
  clearTimeout(hide);
  hide = setTimeout(() => (place.hidden = true), bad ? 9000 : 3500);
}

// Asks in a dialog; resolves to the text that was typed ("" without a field), or null where it was called off.
export function ask({ title, text, yes, no = "Cancel", field = "", danger = false, needed = false }) {
  const dialog = find("ask");
  return new Promise((resolve) => {
    const input = field ? make("textarea", { placeholder: field, "aria-label": field, maxlength: 1500 }) : null;
    const agree = make("button", { text: yes, css: danger ? "danger" : "main", value: "yes" });
    const form = make(
      "form", { method: "dialog" },
      make("h2", { text: title }), make("p", { text }), input,
      make("div", { css: "row" }, make("button", { text: no, value: "no", formnovalidate: true }), agree),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const said = input ? input.value.replace(/\s+/g, " ").trim() : "";
      if (event.submitter === agree && needed && !said) return input.focus();
      dialog.close();
      resolve(event.submitter === agree ? said : null);
    });
    dialog.replaceChildren(form);
    dialog.oncancel = () => resolve(null);
    dialog.showModal();
    (input || agree).focus();
  });
}
