// Drawing what is to be covered: a box at one moment or several, and how long it holds.

import { clock, fill, find, make } from "./show.js";

const NUDGE = 0.01; // of the picture, per press of an arrow
const LEAST = 0.01;

export class Editor {
  // changed() redraws marks; saved(action) stores; now() is the moment; seek(second) goes there.
  constructor({ changed, saved, now, seek }) {
    this.calls = { changed, saved, now, seek };
    this.draft = null;
  }

  get open() {
    return this.draft !== null;
  }

  // A box was drawn: the first begins a cover, others in the same camera move it at other moments.
  draw(camera, box, span) {
    const second = this.calls.now(camera);
    if (this.draft === null || this.draft.camera.name !== camera.name) {
      this.draft = { camera, boxes: [], hold: span ? "span" : "moment", follow: true, everywhere: false, span };
      if (!span) this.draft.span = [second, second];
    }
    const { boxes } = this.draft;
    const at = boxes.findIndex((each) => Math.abs(each.time - second) < 1e-4);
    if (at >= 0) boxes[at].box = box;
    else boxes.push({ time: second, box });
    boxes.sort((a, b) => a.time - b.time);
    this.draft.span = [Math.min(this.draft.span[0], second), Math.max(this.draft.span[1], second)];
    this.show();
  }

  close() {
    this.draft = null;
    find("editor").hidden = true;
    this.calls.changed();
  }

  // The box at a moment, moved evenly between the moments at which it was drawn.
  boxAt(second) {
    const { boxes } = this.draft;
    const next = boxes.findIndex((each) => each.time >= second - 1e-4);
    if (next < 0) return boxes.at(-1).box;
    if (next === 0) return boxes[0].box;
    const [a, b] = [boxes[next - 1], boxes[next]];
    const share = (second - a.time) / (b.time - a.time);
    return a.box.map((value, i) => value + share * (b.box[i] - value));
  }

  nudge(dx, dy, grow) {
    const { camera } = this.draft;
    const [wide, high] = [dx * NUDGE * camera.width, dy * NUDGE * camera.height];
    let [x1, y1, x2, y2] = this.boxAt(this.calls.now(camera));
    if (grow) [x2, y2] = [Math.max(x1 + LEAST * camera.width, x2 + wide), Math.max(y1 + LEAST * camera.height, y2 + high)];
    else [x1, y1, x2, y2] = [x1 + wide, y1 + high, x2 + wide, y2 + high];
    this.draw(camera, [x1, y1, x2, y2], this.draft.span);
  }

  hold(name) {
    this.draft.hold = name;
    this.show();
  }

  save() {
    const { camera, boxes, hold, follow, everywhere, span } = this.draft;
    const [start, end] = hold === "span" ? span.map((value) => Number(value.toFixed(4))) : [null, null];
    const plain = boxes.map(({ time, box }) => ({ time: Number(time.toFixed(4)), box: box.map((value) => Number(value.toFixed(2))) }));
    this.calls.saved({
      action: "cover", camera: camera.name, boxes: plain, hold, start, end,
      follow: hold === "span" && follow, all_cameras: everywhere,
    });
  }

  show() {
    const place = find("editor");
    const draft = this.draft;
    const { camera, boxes, hold, span } = draft;
    const choice = (name, key, title, text) => make("button", {
      "aria-pressed": String(hold === name), "data-hold": name, onclick: () => this.hold(name),
    }, `${title} `, make("kbd", { text: key }), make("small", { text }));
    const check = (text, value, set) => {
      const box = make("input", { type: "checkbox", checked: value, onchange: (event) => set(event.target.checked) });
      return make("label", {}, box, text);
    };
    const set = (i) => () => {
      span[i] = this.calls.now(camera);
      if (span[0] > span[1]) span[1 - i] = span[i];
      this.show();
    };
    fill(place,
      make("h2", { text: `Cover this place in ${camera.name}` }),
      make("p", { css: "soft", text: "Draw again, or use the arrow keys (with Shift: size), to adjust it. Go to another moment and draw there where it has moved." }),
      make("div", { css: "choices" },
        choice("moment", "1", "This moment", "a glimpse: a moment before and after the box"),
        choice("span", "2", "This stretch", `${clock(span[0])} to ${clock(span[1])}`),
        choice("always", "3", "This place, always", "the whole recording, such as a patient who lies still")),
      hold === "span" ? make("div", { css: "row" },
        make("button", { text: "From this moment", onclick: set(0) }), make("button", { text: "To this moment", onclick: set(1) }),
        check("follow it as it moves", draft.follow, (value) => (draft.follow = value))) : null,
      make("div", { css: "row" },
        check("in all cameras (draw it in two of them)", draft.everywhere, (value) => (draft.everywhere = value)),
        make("span", { css: "wide tags" }, ...boxes.map((each) => make("span", {},
          make("button", { text: clock(each.time), title: "go there", onclick: () => this.calls.seek(each.time) }),
          boxes.length > 1 ? make("button", { text: "×", "aria-label": `remove the box at ${clock(each.time)}`,
            onclick: () => { draft.boxes = boxes.filter((other) => other !== each); this.show(); } }) : null)))),
      make("div", { css: "row" },
        make("button", { css: "main", id: "savecover", onclick: () => this.save() }, "Save ", make("kbd", { text: "Enter" })),
        make("button", { onclick: () => this.close() }, "Cancel ", make("kbd", { text: "Esc" }))),
    );
    place.hidden = false;
    this.calls.changed();
  }
}
