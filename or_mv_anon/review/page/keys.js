// The keyboard: one table, which `?` shows.

import { find, make } from "./show.js";

// key -> [name of what is done, words]; "shift+" in front where the shift key has to be held.
export const KEYS = [
  ["n", "next", "next open case"],
  ["j / k", null, "next, previous case in the list"],
  ["p", "around", "play around the case"],
  ["space", "play", "play, pause"],
  ["← / →", null, "one frame back, on"],
  ["Shift + ← / →", null, "one second back, on"],
  ["[ / ]", null, "slower, faster"],
  ["a", "accept", "fine: nothing to correct in this case, on to the next"],
  ["g", "glance", "many cases at a glance: loops side by side; there 1 to 9 for a closer look, a for the rest"],
  ["c", "cover", "cover: put a box here (or draw one with the mouse)"],
  ["arrows", null, "while covering: move the box; with Shift its size"],
  ["1 2 3", null, "while covering: this moment, this stretch, always; otherwise choose a camera"],
  ["Enter / Esc", null, "while covering: save, cancel; Esc also calls off choosing a person"],
  ["t", "note", "note something about the case"],
  ["u", "undo", "withdraw the last decision"],
  ["b", "boxes", "outline what is covered and who it is; click into one to say that it is nobody, or who"],
  ["e", "enlarge", "enlarge the chosen camera"],
  ["o", "original", "show the recording itself (is noted)"],
  ["z", "zoom", "timeline: whole session, or around this moment"],
  ["r", "render", "render again"],
  ["?", "help", "these keys"],
];

export function showKeys() {
  const dialog = find("keys");
  const rows = KEYS.map(([key, , words]) => make("tr", {}, make("td", {}, make("kbd", { text: key })), make("td", { text: words })));
  dialog.replaceChildren(make("h2", { text: "Keys" }), make("table", {}, make("tbody", {}, ...rows)),
    make("form", { method: "dialog" }, make("div", { css: "row" }, make("button", { css: "main", text: "Close" }))));
  dialog.querySelector("form").addEventListener("submit", (event) => { event.preventDefault(); dialog.close(); });
  dialog.showModal();
}

// Calls does[name](amount) for keys; editing() tells whether a box is being drawn, picking() whether somebody is chosen.
export function listen(does, editing, picking) {
  const simple = Object.fromEntries(KEYS.filter(([, name]) => name).map(([key, name]) => [key === "space" ? " " : key, name]));
  document.addEventListener("keydown", (event) => {
    const inField = event.target.closest("input:not([type=checkbox]), textarea, select, dialog");
    if (event.ctrlKey || event.metaKey || event.altKey || inField) return;
    const call = (name, ...more) => { event.preventDefault(); does[name](...more); };
    const arrow = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (editing()) {
      if (arrow) return call("nudge", ...arrow, event.shiftKey);
      if (event.key === "Enter" && event.target.tagName !== "BUTTON") return call("save");
      if (event.key === "Escape") return call("cancel");
      if ("123".includes(event.key)) return call("hold", ["moment", "span", "always"][Number(event.key) - 1]);
    }
    if (picking() && event.key === "Escape") return call("cancel");
    if (arrow && arrow[0]) return event.shiftKey ? call("second", arrow[0]) : call("step", arrow[0]);
    if (arrow) return call("move", arrow[1]);
    if (event.key === "j") return call("move", 1);
    if (event.key === "k") return call("move", -1);
    if (event.key === "[" || event.key === "]") return call("faster", event.key === "]" ? 1 : -1);
    if (/^[1-9]$/.test(event.key)) return call("camera", Number(event.key) - 1);
    if (event.key === " " && event.target.tagName === "BUTTON" && event.target.id !== "play") return;
    const name = simple[event.key];
    if (name) call(name);
  });
}
