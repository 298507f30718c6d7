// Every camera over time: who is seen, how much is covered, what is to be looked at; a click goes there.

import { clock, find, make } from "./show.js";

const LANES = 5;
const GRAVE_S = 0.3; // expected seconds of exposed faces from which a case is marked at full height
const LEAST_FULL = 0.1; // share of the picture covered that fills the height, or the largest there is
const AROUND_S = 60; // seconds on either side where it is shown closely

export class Timelines {
  constructor(place, session, seek) {
    this.session = session;
    this.zoomed = false;
    this.second = session.start;
    this.people = new Map();
    this.cases = [];
    this.current = null;
    for (const each of session.cameras) each.most = each.course.covered.reduce((most, share) => Math.max(most, share), 0);
    this.lines = session.cameras.map((camera) => {
      const canvas = make("canvas", { "aria-label": `${camera.name} over time`, role: "img" });
      const at = (event) => {
        const frame = canvas.getBoundingClientRect();
        const [from, to] = this.range();
        seek(from + ((event.clientX - frame.left) / frame.width) * (to - from));
      };
      canvas.addEventListener("pointerdown", at);
      canvas.addEventListener("pointermove", (event) => event.buttons === 1 && at(event));
      return { camera, canvas, still: make("canvas"), row: make("div", { css: "line" }, make("span", { text: camera.name }), canvas) };
    });
    place.replaceChildren(...this.lines.map((line) => line.row));
    new ResizeObserver(() => this.draw()).observe(place);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  setPeople(camera, people) {
    this.people.set(camera, lanes(people));
    this.draw();
  }

  zoom() {
    this.zoomed = !this.zoomed;
    find("zoom").textContent = this.zoomed ? "Two minutes around here" : "Whole session";
    this.draw();
  }

  range() {
    const { start, end } = this.session;
    if (!this.zoomed || end - start <= 2 * AROUND_S) return [start, end];
    const from = Math.min(Math.max(this.second - AROUND_S, start), end - 2 * AROUND_S);
    return [from, from + 2 * AROUND_S];
  }

  at(second) {
    this.second = second;
    if (!this.waiting) this.waiting = requestAnimationFrame(() => this.drawMoment());
  }

  // What does not move with the moment is drawn once, and again when it has changed.
  draw() {
    this.drawn = null;
    this.drawMoment();
  }

  drawMoment() {
    this.waiting = 0;
    const [from, to] = this.range();
    const ink = colour("ink");
    const same = this.drawn === `${from} ${to}`;
    this.drawn = `${from} ${to}`;
    for (const { camera, canvas, still } of this.lines) {
      const ratio = window.devicePixelRatio || 1;
      const [wide, high] = [canvas.clientWidth, canvas.clientHeight];
      if (!same) {
        for (const each of [canvas, still]) [each.width, each.height] = [Math.round(wide * ratio), Math.round(high * ratio)];
        const context = still.getContext("2d");
        context.scale(ratio, ratio);
        this.drawCamera(context, camera, (second) => ((second - from) / (to - from)) * wide, [from, to], [wide, high]);
      }
      const context = canvas.getContext("2d");
      context.clearRect(0, 0, canvas.width, canvas.height);
      if (still.width && still.height) context.drawImage(still, 0, 0);
      context.fillStyle = ink;
      context.fillRect((((this.second - from) / (to - from)) * wide - 1) * ratio, 0, 2 * ratio, canvas.height);
      canvas.setAttribute("aria-label", `${camera.name} from ${clock(from, 0)} to ${clock(to, 0)}, now ${clock(this.second, 0)}`);
    }
  }

  drawCamera(context, camera, x, [from, to], [wide, high]) {
    context.fillStyle = colour("rule");
    context.fillRect(Math.max(0, x(camera.start)), 0, x(camera.end) - Math.max(0, x(camera.start)), high);
    for (const { lane, start, end, identity } of this.people.get(camera.name) ?? []) {
      if (end < from || start > to) continue;
      const mine = this.current && this.current.identity !== null && identity === this.current.identity;
      context.fillStyle = colour(mine ? "here" : "people");
      context.fillRect(x(start), 2 + lane * 4, Math.max(1, x(end) - x(start)), 3);
    }
    context.fillStyle = colour("covered");
    this.area(context, camera.course, x, wide, high);
    for (const each of this.cases) {
      if (!each.cameras.includes(camera.name) || each.end < from || each.start > to) continue;
      const chosen = this.current && each.id === this.current.id;
      const size = 3 + 6 * Math.min(1, each.severity / GRAVE_S);
      context.fillStyle = colour("doubt");
      context.globalAlpha = each.done && !chosen ? 0.35 : 1; // what is done steps back
      context.fillRect(x(each.start), high - size, Math.max(3, x(each.end) - x(each.start)), size);
      context.globalAlpha = 1;
      if (chosen) {
        context.strokeStyle = colour("ink");
        context.lineWidth = 2;
        context.strokeRect(x(each.start) - 1, high - 10, Math.max(3, x(each.end) - x(each.start)) + 2, 9);
      }
    }
  }

  area(context, course, x, wide, high) {
    const [top, bottom] = [24, high - 11];
    const most = Math.max(LEAST_FULL, ...this.session.cameras.map((each) => each.most));
    const column = new Float32Array(Math.ceil(wide) + 1);
    for (let i = 0; i < course.second.length; i++) {
      const [a, b] = [Math.floor(x(course.second[i])), Math.ceil(x(course.second[i] + 1))];
      for (let c = Math.max(0, a); c < Math.min(column.length, Math.max(b, a + 1)); c++) {
        column[c] = Math.max(column[c], course.covered[i]);
      }
    }
    column.forEach((share, c) => {
      if (share > 0) {
        const size = Math.max(1, (share / most) * (bottom - top));
        context.fillRect(c, bottom - size, 1, size);
      }
    });
  }
}

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

// Spreads people over lanes so that those who are there together do not hide each other.
function lanes(people) {
  const free = new Array(LANES).fill(-Infinity);
  return [...people].sort((a, b) => a.start - b.start).map((each) => {
    let lane = free.findIndex((end) => end <= each.start);
    if (lane < 0) lane = free.indexOf(Math.min(...free));
    free[lane] = Math.max(free[lane], each.end);
    return { ...each, lane };
  });
}
