// The worklist: which cases there are, what became of each, and the one that is looked at.

import { clock, fill, find, lasting, make } from "./show.js";

const [BEFORE, AFTER] = [30, 120]; // cases that are listed around the one that is looked at
const WORDS = { open: "open", seen: "seen", corrected: "corrected", again: "look again", accepted: "fine" };

export class Worklist {
  // chosen(case) is called when another case is to be looked at; act(name) when a button of the case is pressed.
  constructor({ chosen, act }) {
    this.calls = { chosen, act };
    this.cases = [];
    this.current = null;
  }

  set(cases, decisions) {
    // What was corrected is looked at again when the videos show it, and only then closed.
    const word = (state) => (state === "corrected" && !decisions.waiting ? "again" : state);
    this.cases = cases.map((each) => ({ ...each, state: word(decisions.cases[each.id] ?? "open"), identity: decisions.people[each.id] ?? null }));
    for (const each of this.cases) each.done = each.state === "accepted" || each.state === "corrected";
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
      : this.cases.some((each) => each.state === "corrected") ? "All cases looked at. Render again, then look at what you corrected."
        : "All cases are fine. Look through the rest as you see fit, then accept each camera's video.";
    const at = Math.max(0, this.cases.indexOf(this.current));
    const [from, to] = [Math.max(0, at - BEFORE), Math.min(this.cases.length, at + AFTER)];
    const more = (count) => (count ? make("li", { css: "soft", text: `… ${count} more` }) : null);
    fill(find("cases"), more(from), ...this.cases.slice(from, to).map((each, i) => this.entry(each, from + i)),
      more(this.cases.length - to));
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
      make("p", { css: "soft", text: `${clock(each.start, 1)} to ${clock(each.end, 1)}, ${each.cameras.join(", ")}${each.identity === null ? "" : `, person ${each.identity}`}` }),
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
