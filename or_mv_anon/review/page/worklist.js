// The worklist: which cases there are, what became of each, and the one that is looked at.

import { clock, fill, find, lasting, make } from "./show.js";

const WORDS = { open: "open", seen: "seen", corrected: "corrected", accepted: "fine" };

export class Worklist {
  // chosen(case) is called when another case is to be looked at; act(name) when a button of the case is pressed.
  constructor({ chosen, act }) {
    this.calls = { chosen, act };
    this.cases = [];
    this.current = null;
  }

  set(cases, decisions) {
    const states = statesOf(cases, decisions);
    this.cases = cases.map((each) => ({ ...each, state: states.get(each.id) }));
    for (const each of this.cases) each.done = each.state === "corrected" || each.state === "accepted";
    this.current = this.cases.find((each) => each.id === this.current?.id) ?? null;
    this.draw();
  }

  choose(each) {
    this.current = each;
    this.draw();
    find("cases").querySelector('[aria-current="true"]')?.scrollIntoView({ block: "nearest" });
    this.calls.chosen(each);
  }

  // The next or previous one in the list; `open` looks for the next that nothing was decided about.
  move(by, { open = false } = {}) {
    const at = this.current === null ? (by > 0 ? -1 : this.cases.length) : this.cases.indexOf(this.current);
    for (let i = at + by; i >= 0 && i < this.cases.length; i += by) {
      if (!open || !this.cases[i].done) return this.choose(this.cases[i]);
    }
    return null;
  }

  get open() {
    return this.cases.filter((each) => !each.done);
  }

  draw() {
    const left = this.open.reduce((sum, each) => sum + each.review_s, 0);
    find("left").textContent = this.cases.length ? `${this.open.length} of ${this.cases.length} open, about ${lasting(left)}` : "";
    find("progress").textContent = !this.cases.length ? "" : this.open.length
      ? `${this.cases.length - this.open.length} of ${this.cases.length} cases done, about ${lasting(left)} left`
      : "All cases done. Look through the rest as you see fit, then render again if you corrected anything.";
    find("cases").replaceChildren(...this.cases.map((each, i) => this.entry(each, i)));
    this.drawCurrent();
  }

  entry(each, i) {
    const where = each.cameras.length > 2 ? `${each.cameras.length} cameras` : each.cameras.join(", ");
    return make("li", {}, make("button", {
      "aria-current": String(each === this.current), "data-case": each.id, onclick: () => this.choose(each),
    }, make("span", { text: `${i + 1}. ${each.what}` }), make("span", { css: `state ${each.state}`, text: WORDS[each.state] }),
    make("small", { text: `${clock(each.start, 1)} to ${clock(each.end, 1)} · ${where}` })));
  }

  drawCurrent() {
    const place = find("case");
    const each = this.current;
    if (each === null) {
      fill(place,
        make("h2", { text: this.cases.length ? "Ready to begin" : "No worklist" }),
        make("p", { css: "what", text: this.cases.length
          ? "Moments worth a look come first. Go through them one by one."
          : "Look through the videos: play, or click into a timeline." }),
        this.cases.length ? button("Begin", "n", () => this.move(1, { open: true }), "main") : null,
      );
      return;
    }
    const act = (name) => () => this.calls.act(name);
    const number = this.cases.indexOf(each) + 1;
    fill(place,
      make("h2", { text: `Case ${number} of ${this.cases.length} ` }, make("span", { css: `state ${each.state}`, text: WORDS[each.state] })),
      make("p", { css: "what", text: each.what }),
      make("p", { css: "soft", text: `${clock(each.start, 1)} to ${clock(each.end, 1)}, ${each.cameras.join(", ")}` }),
      make("div", { css: "buttons" },
        button("Play around it", "p", act("around")),
        button("Cover …", "c", act("cover")),
        button("Fine, next", "a", act("accept"), "main"),
        button("Note …", "t", act("note")),
        button("Previous", "k", () => this.move(-1)),
        button("Next", "n", () => this.move(1))),
    );
  }
}

function button(text, key, onclick, css) {
  return make("button", { css, onclick }, text, make("kbd", { text: key }));
}

// What the record says of each case: the last word counts, and a correction that still stands.
function statesOf(cases, { lines }) {
  const states = new Map(cases.map((each) => [each.id, "open"]));
  for (const { stands, reason, action } of lines) {
    if (!stands) continue;
    const said = { seen: "seen", accept: "accepted", open: "open" }[action.action];
    if (said && states.has(action.case) && !(said === "seen" && states.get(action.case) !== "open")) states.set(action.case, said);
    const within = /^case ([0-9a-f]+):/.exec(reason)?.[1];
    if (within && states.has(within) && ["cover", "not_a_person"].includes(action.action)) states.set(within, "corrected");
  }
  return states;
}
