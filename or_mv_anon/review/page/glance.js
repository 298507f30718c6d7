// Many cases at a glance: of each the place to look at, as a loop; what shows a face is looked at closer, the rest is fine.

import { clock, fill, find, make, toast } from "./show.js";
import { glance } from "./wire.js";

const MOST_TILES = 9; // as many as there are keys for, and as one can look over
const STEP_MS = 250; // from one picture of a loop to the next
const KEPT = 40; // cases whose tiles are kept
const WHY = "at a glance, beside others";

export class Glance {
  // open() gives the cases left; ready() whether decisions can be taken; accept(cases, reason) takes them, true where
  // all were saved; closer(case) looks at one by itself.
  constructor({ open, ready, accept, closer }) {
    this.calls = { open, ready, accept, closer };
    this.place = find("glance");
    this.made = new Map();
    this.later = new Set(); // cases that are to be looked at closer
    this.shown = [];
    this.timer = 0;
    this.place.addEventListener("close", () => clearInterval(this.timer));
    this.place.addEventListener("keydown", (event) => this.key(event));
  }

  begin() {
    if (!this.calls.ready()) return;
    this.later.clear();
    if (this.turn()) this.place.showModal();
    else toast("No open case can be judged by a glance.");
  }

  forget() {
    this.made.clear();
  }

  // What is left that can be judged so: a face must be large enough in a tile.
  left() {
    return this.calls.open().filter(({ id, glance: fits }) => fits && !this.later.has(id));
  }

  // The next cases whose tiles fit on one page; false where there are none left.
  turn() {
    const left = this.left();
    const page = fitting(left);
    if (!page.length) return false;
    this.show(page, left.length);
    for (const each of fitting(left.slice(page.length))) this.tiles(each).catch(() => {});
    return true;
  }

  // Asked for one after another: whoever waits for the page that is shown comes first.
  tiles(each) {
    if (!this.made.has(each.id)) {
      this.made.set(each.id, (this.last ?? Promise.resolve()).catch(() => {}).then(() => glance(each.id)));
      this.last = this.made.get(each.id);
      this.last.catch(() => this.made.delete(each.id));
      if (this.made.size > KEPT) this.made.delete(this.made.keys().next().value);
    }
    return this.made.get(each.id);
  }

  show(page, left) {
    clearInterval(this.timer);
    let number = 0;
    this.shown = page.map((each) => ({ each, closer: false, seen: false, tiles: each.cameras.map((name) => new Tile(name, each, ++number, () => this.flag(each))) }));
    this.fine = make("button", { css: "main", onclick: () => this.accept() });
    fill(this.place,
      make("div", { css: "glancehead" }, make("h2", { text: "Is a face to be seen in one of these?" }),
        make("p", { css: "soft", text: `${page.length} of ${left} open cases. Each loop shows the place in question and what is around it, covered. Click what you are not sure of, or press its number.` })),
      make("div", { css: "tiles" }, ...this.shown.flatMap(({ tiles }) => tiles.map((tile) => tile.place))),
      make("div", { css: "row" }, make("button", { onclick: () => this.place.close() }, "Close", make("kbd", { text: "Esc" })), this.fine));
    for (const entry of this.shown) {
      this.tiles(entry.each).then((tiles) => entry.tiles.forEach((tile, i) => tile.take(tiles[i])))
        .catch((error) => entry.tiles.forEach((tile) => tile.refuse(error.message)))
        .finally(() => this.draw());
    }
    this.timer = setInterval(() => this.step(), STEP_MS);
    this.draw();
  }

  step() {
    const { top, bottom } = this.place.getBoundingClientRect();
    for (const entry of this.shown) {
      for (const tile of entry.tiles) tile.step(top, bottom - this.fine.parentElement.offsetHeight);
    }
    const fresh = this.shown.filter(({ tiles, seen }) => !seen && tiles.every((tile) => tile.rounds > 0));
    for (const entry of fresh) entry.seen = true;
    if (fresh.length) this.draw();
  }

  flag(each) {
    const entry = this.shown.find((other) => other.each === each);
    entry.closer = !entry.closer;
    this.draw();
  }

  draw() {
    for (const { tiles, closer } of this.shown) {
      for (const tile of tiles) tile.mark(closer || tiles.some(({ why }) => why));
    }
    const closer = this.closer().length;
    const fine = this.shown.length - closer;
    const waits = this.shown.some(({ tiles, seen }) => !seen && !tiles.some(({ why }) => why));
    this.fine.disabled = waits; // nothing is fine that was not shown to the end
    fill(this.fine, waits ? "First look at each" : closer ? `${fine ? `${fine} fine, l` : "L"}ook at ${closer} closer` : "All fine, next", make("kbd", { text: "a" }));
  }

  closer() {
    return this.shown.filter(({ closer, tiles }) => closer || tiles.some(({ why }) => why)).map(({ each }) => each);
  }

  async accept() {
    if (this.fine.disabled) return;
    const closer = this.closer();
    const fine = this.shown.map(({ each }) => each).filter((each) => !closer.includes(each));
    this.fine.disabled = true;
    clearInterval(this.timer);
    if (fine.length && !(await this.calls.accept(fine, WHY))) return this.place.close();
    for (const { id } of closer) this.later.add(id);
    if (closer.length) {
      this.place.close();
      this.calls.closer(closer[0]);
    } else if (!this.turn()) {
      this.place.close();
      const rest = this.calls.open().length;
      toast(rest ? `${rest} more have to be looked at one by one.` : "There is no open case left.");
    }
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const tile = /^[1-9]$/.test(event.key) && this.shown.find(({ tiles }) => tiles.some(({ number }) => number === Number(event.key)));
    if (tile) this.flag(tile.each);
    else if (event.key === "a") this.accept();
    else return;
    event.preventDefault();
  }
}

// One camera's part of a case.
class Tile {
  constructor(camera, each, number, chosen) {
    Object.assign(this, { camera, number, pictures: [], why: "", at: -1, rounds: 0, whole: true });
    this.canvas = make("canvas", { width: 320, height: 240 });
    this.told = make("span", { css: "told" , text: "…" });
    this.words = make("span", { text: `${number}. ${camera} · ${clock(each.start, 1)}` });
    this.place = make("button", { css: "tile", title: each.what, "data-case": each.id, "data-camera": camera, "aria-pressed": "false", onclick: chosen }, this.canvas, this.told, this.words);
  }

  take({ box, pictures, why }) {
    if (why) return this.refuse(why);
    Object.assign(this, { box, pictures });
    this.told.textContent = "";
    this.step();
  }

  refuse(why) {
    this.why = why;
    this.told.textContent = why;
  }

  // The next picture; a loop counts as shown if its middle is between these heights of the window, not scrolled away.
  step(from = -Infinity, to = Infinity) {
    if (!this.pictures.length) return;
    const place = this.place.getBoundingClientRect();
    const middle = (place.top + place.bottom) / 2;
    if (middle < from || middle > to) this.whole = false;
    if (this.at === this.pictures.length - 1) {
      this.rounds += this.whole;
      this.whole = true;
    }
    this.at = (this.at + 1) % this.pictures.length;
    this.place.dataset.at = this.at;
    const [picture, drawing, { width, height }] = [this.pictures[this.at], this.canvas.getContext("2d"), this.canvas];
    const [left, top] = [(width - picture.width) / 2, (height - picture.height) / 2];
    drawing.clearRect(0, 0, width, height);
    drawing.drawImage(picture, left, top);
    if (!this.box) return;
    const [x1, y1, x2, y2] = this.box;
    drawing.strokeStyle = "#ffcf8a";
    drawing.setLineDash([4, 4]);
    drawing.strokeRect(left + x1 * picture.width, top + y1 * picture.height, (x2 - x1) * picture.width, (y2 - y1) * picture.height);
  }

  mark(closer) {
    this.place.setAttribute("aria-pressed", String(closer));
  }
}

// Cases from the first on, as long as their tiles fit; one that fills more than a page has one of its own.
function fitting(cases) {
  const page = [];
  let tiles = 0;
  for (const each of cases) {
    tiles += each.cameras.length;
    if (page.length && tiles > MOST_TILES) break;
    page.push(each);
  }
  return page;
}
