// The cameras side by side: each a picture of exactly one frame, with marks drawn over it.

import { clock, make } from "./show.js";

const LEAST_PX = 5; // a shorter drag is a click

export class Views {
  // drawn(camera, box), chosen(camera), touched(camera, point): called when a person does that; boxes in full pixels.
  constructor(place, cameras, { drawn, chosen, touched }) {
    this.place = place;
    this.calls = { drawn, chosen, touched };
    this.moment = null;
    this.marks = new Map(); // camera -> [{box, kind}]
    this.views = new Map(cameras.map((camera, i) => [camera.name, this.build(camera, i)]));
    place.dataset.count = cameras.length;
    place.replaceChildren(...[...this.views.values()].map((view) => view.figure));
    new ResizeObserver(() => this.redraw()).observe(place);
  }

  build(camera, number) {
    const picture = make("canvas");
    const scale = Math.min(1, 360 / Math.min(camera.width, camera.height));
    picture.width = 2 * Math.max(1, Math.round((camera.width * scale) / 2));
    picture.height = 2 * Math.max(1, Math.round((camera.height * scale) / 2));
    const marks = make("canvas", { css: "marks", tabindex: "-1", "aria-hidden": true });
    const told = make("div", { css: "told", text: "…" });
    const name = make("span", { text: `${number + 1} · ${camera.name}` });
    const when = make("span");
    const figure = make("figure", { css: "view", "data-camera": camera.name, "aria-label": camera.name },
      picture, told, marks, make("figcaption", {}, name, when));
    const view = { camera, picture, marks, told, name, when, figure, called: name.textContent, asked: false };
    this.listen(view);
    return view;
  }

  // Shows a moment, all cameras at once; where there is no picture of this very moment, none is left standing.
  show(moment) {
    this.moment = moment;
    for (const shot of moment.shots) {
      const view = this.views.get(shot.camera);
      const context = view.picture.getContext("2d");
      view.bare = false;
      view.figure.classList.remove("bare");
      this.call(view);
      if (shot.picture) {
        if (view.picture.width !== shot.picture.width || view.picture.height !== shot.picture.height) {
          view.picture.width = shot.picture.width;
          view.picture.height = shot.picture.height;
        }
        context.drawImage(shot.picture, 0, 0);
        shot.picture.close();
      } else {
        context.fillStyle = "#000";
        context.fillRect(0, 0, view.picture.width, view.picture.height);
      }
      const reasons = { preparing: "being prepared …", nothing: "no picture at this moment", refused: shot.why };
      view.told.textContent = shot.picture ? "" : reasons[shot.state];
      view.when.textContent = shot.frame < 0 ? "" : `frame ${shot.frame} · ${clock(shot.second)}`;
      view.figure.dataset.frame = shot.frame;
      view.figure.dataset.state = shot.state;
      view.shot = shot;
    }
    this.redraw();
  }

  // The recording itself in place of the covered picture, until another moment is shown.
  showOriginal(name, bitmap) {
    const view = this.views.get(name);
    view.picture.width = bitmap.width;
    view.picture.height = bitmap.height;
    view.picture.getContext("2d").drawImage(bitmap, 0, 0);
    bitmap.close();
    view.told.textContent = "";
    view.bare = true;
    view.figure.classList.add("bare");
    this.call(view);
    this.redraw();
  }

  call(view) {
    view.name.textContent = `${view.called}${view.asked ? " · look here" : ""}${view.bare ? " · NOT COVERED" : ""}`;
  }

  frameOf(name) {
    return this.views.get(name)?.shot?.frame ?? -1;
  }

  shotOf(name) {
    return this.views.get(name)?.shot;
  }

  lead(name, enlarged, asked) {
    this.place.classList.toggle("enlarged", enlarged && this.views.size > 1);
    for (const [camera, view] of this.views) {
      view.figure.classList.toggle("lead", camera === name);
      view.asked = asked.includes(camera);
      view.figure.classList.toggle("asked", view.asked);
      this.call(view);
    }
    this.redraw();
  }

  mark(marks) {
    this.marks = marks;
    this.redraw();
  }

  redraw() {
    const styles = { case: ["#ffb14a", [7, 5]], cover: ["#5ce1e6", []], draft: ["#5ce1e6", [4, 3]], covered: ["#ffffff", [2, 3]] };
    for (const [name, { marks, camera }] of this.views) {
      const ratio = window.devicePixelRatio || 1;
      const [wide, high] = [marks.clientWidth, marks.clientHeight];
      if (marks.width !== Math.round(wide * ratio) || marks.height !== Math.round(high * ratio)) {
        marks.width = Math.round(wide * ratio);
        marks.height = Math.round(high * ratio);
      }
      const context = marks.getContext("2d");
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      context.clearRect(0, 0, wide, high);
      const words = [];
      for (const { box, kind, text } of this.marks.get(name) ?? []) {
        const [x1, y1, x2, y2] = box.map((value, i) => (value / (i % 2 ? camera.height : camera.width)) * (i % 2 ? high : wide));
        const [colour, dash] = styles[kind];
        for (const [line, style, pattern] of [[5, "rgb(0 0 0 / 0.75)", []], [2.5, colour, dash]]) {
          context.lineWidth = line;
          context.strokeStyle = style;
          context.setLineDash(pattern);
          context.strokeRect(x1, y1, x2 - x1, y2 - y1);
        }
        if (text) words.push([text, (x1 + x2) / 2, (y1 + y2) / 2]);
      }
      for (const each of words) this.label(context, ...each); // over all outlines
    }
  }

  // A short word in the middle of a box, where only the cover is.
  label(context, text, x, y) {
    context.font = "600 13px system-ui, sans-serif";
    const wide = context.measureText(text).width + 6;
    context.fillStyle = "rgb(0 0 0 / 0.8)";
    context.fillRect(x - wide / 2, y - 8, wide, 16);
    context.fillStyle = "#fff";
    context.fillText(text, x - wide / 2 + 3, y + 5);
  }

  listen(view) {
    const { marks, camera } = view;
    let from = null;
    const point = (event) => {
      const frame = marks.getBoundingClientRect();
      const x = ((event.clientX - frame.left) / frame.width) * camera.width;
      const y = ((event.clientY - frame.top) / frame.height) * camera.height;
      return [Math.min(Math.max(x, 0), camera.width), Math.min(Math.max(y, 0), camera.height)];
    };
    const box = (a, b) => [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[0], b[0]), Math.max(a[1], b[1])];
    const far = (event) => Math.hypot(event.clientX - from.x, event.clientY - from.y) >= LEAST_PX;
    marks.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      marks.setPointerCapture(event.pointerId);
      from = { point: point(event), x: event.clientX, y: event.clientY };
    });
    marks.addEventListener("pointermove", (event) => {
      if (from === null || !far(event)) return;
      this.draft = { camera: camera.name, box: box(from.point, point(event)) };
      const others = (this.marks.get(camera.name) ?? []).filter((mark) => mark.kind !== "draft");
      this.marks.set(camera.name, [...others, { box: this.draft.box, kind: "draft" }]);
      this.redraw();
    });
    marks.addEventListener("pointerup", (event) => {
      if (from === null) return;
      const [begin, end, moved] = [from.point, point(event), far(event)];
      from = null;
      if (moved && begin[0] !== end[0] && begin[1] !== end[1]) this.calls.drawn(camera.name, box(begin, end));
      else this.calls.touched(camera.name, end);
    });
    marks.addEventListener("pointercancel", () => (from = null));
    marks.addEventListener("dblclick", () => this.calls.chosen(camera.name));
  }
}
