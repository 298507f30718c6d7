// What is decided: saved before the page says so, listed, and taken back.

import { ask, clock, find, make, toast } from "./show.js";
import { get, post } from "./wire.js";

const LISTED = 40;
const QUIET = ["withdraw", "seen"]; // what the list leaves out

export class Decisions {
  // changed() when the record has; camera(name); within() is the case that is looked at; openIn(camera) counts cases.
  constructor({ changed, camera, within, openIn }) {
    this.calls = { changed, camera, within, openIn };
    Object.assign(this, { lines: [], waiting: 0, cases: {}, people: {}, unheeded: [], cameras: [], rendering: false });
  }

  async load() {
    Object.assign(this, await get("decisions"));
    this.draw();
  }

  // Takes a decision; resolves to its line, or to null where it was not saved.
  async take(action, reason = "") {
    const [line] = (await this.takeAll([action], reason)) ?? [null];
    return line;
  }

  // Takes several at once; resolves to their lines, or to null where not all were saved.
  async takeAll(actions, reason = "") {
    const author = find("author").value.trim();
    if (!author) return this.nameless();
    const now = this.calls.within();
    const lines = [];
    try {
      for (const action of actions) {
        const within = now && ["cover", "not_a_person"].includes(action.action) ? `case ${now.id}: ` : "";
        lines.push(await post("decide", { action, author, reason: (within + reason).slice(0, 1900) }));
      }
    } catch (error) {
      toast(`Not saved: ${error.message}`, true);
    }
    if (lines.length) await this.load().then(this.calls.changed).catch((error) => toast(error.message, true));
    return lines.length === actions.length ? lines : null;
  }

  // Whether decisions can be taken; asks for the name where it is missing.
  named() {
    if (find("author").value.trim()) return true;
    this.nameless();
    return false;
  }

  nameless() {
    find("author").classList.add("missing");
    find("author").focus();
    toast("Write your name at the top first: every decision carries it.", true);
    return null;
  }

  // Undone by withdrawing; brought back by withdrawing the withdrawal.
  async withdraw(id, stands) {
    const back = ({ stands: holds, action }) => holds && action.action === "withdraw" && action.line === id;
    const line = stands ? id : this.lines.filter(back).at(-1)?.id ?? id;
    if (await this.take({ action: "withdraw", line })) toast(stands ? "Withdrawn." : "Brought back.");
  }

  draw() {
    find("videos").replaceChildren(...this.cameras.map((each) => this.video(each)));
    const shown = this.lines.filter(({ action }) => !QUIET.includes(action.action)).slice(-LISTED).reverse();
    find("decisions").replaceChildren(...(shown.length ? shown.map((line) => this.entry(line)) : [make("li", { text: "Nothing yet." })]));
  }

  entry({ id, author, reason, stands, action, written }) {
    const note = reason.replace(/^case [0-9a-f]+: /, "");
    const text = `${words(action)}${note ? `: ${note}` : ""} (${author})`;
    const undo = () => this.withdraw(id, stands);
    const not = this.unheeded.find((sentence) => sentence.includes(`(${id})`));
    return make("li", { css: stands ? "" : "gone", title: written }, make("span", { text }, not ? make("small", { css: "unheeded", text: ` ${not}` }) : null),
      action.action === "show_original" ? null : make("button", { text: stands ? "Undo" : "Bring back", onclick: undo }));
  }

  video({ camera: name, state, reviewers, waiting }) {
    const accepted = state === "accepted";
    let told = state === "corrected" ? "corrected, look again" : "not accepted yet";
    if (waiting) told = "render again first";
    if (accepted) told = `accepted by ${reviewers.join(", ")}`;
    return make("li", {}, make("span", { text: name }), make("small", { text: told }), make("button", {
      text: accepted ? "Accepted" : "Accept", disabled: accepted || waiting > 0 || this.rendering, onclick: () => this.accept(name),
    }));
  }

  async accept(name) {
    const open = this.calls.openIn(name);
    if (await ask({
      title: `Accept the video of ${name}?`,
      text: `${open ? `${open} of its cases are still open. ` : ""}You say with your name that no face is to be seen in it, as far as you looked.`,
      yes: "Accept",
    }) === null) return;
    await this.take({ action: "accept_camera", camera: name, output: this.calls.camera(name).sha256 });
  }
}

function words(action) {
  const holds = {
    always: () => "always",
    span: () => `${clock(action.start, 1)} to ${clock(action.end, 1)}`,
    moment: () => `at ${clock(action.boxes[0].time, 1)}`,
  };
  const said = {
    cover: () => `Cover in ${action.camera}${action.all_cameras ? " and all others" : ""}, ${holds[action.hold]()}`,
    not_a_person: () => `Nobody: track ${action.track} in ${action.camera}`,
    accept: () => "Case fine",
    open: () => "Case open again",
    merge: () => `One person: ${action.places.map(where).join(", ")}`,
    split: () => `Different people: ${action.places.map(where).join(", ")}`,
    accept_camera: () => `${action.camera} accepted`,
    show_original: () => `Original of ${action.camera} looked at`,
  }[action.action];
  return said ? said() : action.action;
}

function where({ camera, time }) {
  return `${camera} at ${clock(time, 1)}`;
}
