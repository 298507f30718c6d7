// The review page: ties together what is shown, what is played, what is decided.

import { Decisions } from "./decisions.js";
import { Editor } from "./editor.js";
import { Glance } from "./glance.js";
import { listen, showKeys } from "./keys.js";
import { Player } from "./player.js";
import { ask, choose as chooseOne, clock, find, make, toast } from "./show.js";
import { Timelines } from "./timeline.js";
import { Views } from "./views.js";
import { get, post, postForPicture } from "./wire.js";
import { Worklist } from "./worklist.js";

const AROUND_S = 2; // before and after a case
const STATE_MS = 1000;

let session, views, player, timelines, worklist, editor, decisions, glances;
let lead = "";
let [enlarged, outlined, bare] = [false, false, false];
let rendering = false;
let notice = ""; // of the last rendering, until the next
let lastMark = 0;
let picking = null; // {action, camera, time, track}: who is to be joined with, or told from, whom is clicked next
let who = ""; // what was decided about who is who, to know when the timelines have to be drawn anew

async function begin() {
  try {
    await load();
  } catch (error) {
    return banner(error.message, true);
  }
  listen(does, () => editor.open, () => picking !== null);
  find("picking").querySelector("button").addEventListener("click", () => pick(null));
  for (const [id, name] of [["play", "play"], ["boxes", "boxes"], ["original", "original"], ["zoom", "zoom"], ["render", "render"], ["help", "help"], ["end", "end"], ["aglance", "glance"]]) {
    find(id).addEventListener("click", () => does[name]());
  }
  find("stepback").addEventListener("click", () => player.step(-1));
  find("stepon").addEventListener("click", () => player.step(1));
  find("speed").addEventListener("change", (event) => setSpeed(Number(event.target.value)));
  find("author").value = sessionStorage.getItem("author") ?? "";
  find("author").addEventListener("input", (event) => {
    sessionStorage.setItem("author", event.target.value);
    event.target.classList.remove("missing");
  });
  addEventListener("hashchange", follow);
  if (!(await follow())) await player.jump(session.start);
  watch();
}

async function load() {
  session = await get("session");
  decisions ??= new Decisions({
    changed: decided, camera, within: () => worklist.current,
    openIn: (name) => worklist.open.filter((each) => each.cameras.includes(name)).length,
  });
  await decisions.load();
  find("session").textContent = session.session;
  document.title = `Review: ${session.session}`;
  lead = session.cameras.some((camera) => camera.name === lead) ? lead : session.cameras[0].name;
  views = new Views(find("views"), session.cameras, { drawn, chosen: (name) => { choose(name); does.enlarge(); }, touched });
  const at = player?.second ?? session.start;
  player?.halt();
  player = new Player({
    start: session.start, end: session.end, lead: () => lead, rate,
    show: (moment) => show(moment), changed: playing, failed: (error) => toast(error.message, true),
  });
  player.second = at;
  player.speed = Number(find("speed").value);
  timelines = new Timelines(find("timelines"), session, (second) => player.jump(second));
  worklist ??= new Worklist({ chosen: goTo, act: (name) => does[name]() });
  glances ??= new Glance({
    open: () => worklist.open, ready: () => decisions.named(), closer: ({ id }) => worklist.choose(worklist.cases.find((each) => each.id === id)),
    accept: (cases, reason) => decisions.takeAll(cases.map(({ id }) => ({ action: "accept", case: id })), reason),
  });
  glances.forget();
  find("aglance").hidden = !session.cases.some(({ glance }) => glance);
  editor ??= new Editor({ changed: mark, saved: saveCover, now: secondOf, seek: (second) => player.jump(second) });
  decisions.draw();
  decided();
  choose(lead);
  if (session.note) banner(session.note);
  readPeople();
}

function readPeople() {
  for (const camera of session.cameras) {
    get("people", { camera: camera.name }).then((people) => timelines.setPeople(camera.name, people)).catch(() => {});
  }
}

const camera = (name) => session.cameras.find((each) => each.name === name);
const rate = () => camera(lead).frames / Math.max(1e-6, camera(lead).end - camera(lead).start);
const secondOf = ({ name }) => (views.frameOf(name) < 0 ? player.second : views.shotOf(name).second);

function show(moment) {
  views.show(moment);
  bare = false;
  find("original").setAttribute("aria-pressed", "false");
  find("now").textContent = clock(moment.second);
  timelines.at(moment.second);
  mark();
}

function playing(on) {
  find("play").textContent = on ? "Pause" : "Play";
  mark();
}

function choose(name) {
  lead = name;
  views.lead(lead, enlarged, worklist.current?.cameras ?? []);
}

function setSpeed(speed) {
  const resume = player.playing;
  player.speed = speed;
  if (resume) player.play(player.until);
}

// What is drawn over the pictures: where to look, what is being drawn, what is covered.
async function mark() {
  if (!editor) return;
  const turn = ++lastMark;
  const marks = new Map(session.cameras.map((each) => [each.name, []]));
  const now = worklist.current;
  if (now) for (const [name, box] of Object.entries(now.boxes)) marks.get(name)?.push({ box, kind: "case" });
  for (const { stands, action } of decisions.lines) {
    if (stands && action.action === "cover" && holds(action, player.second)) marks.get(action.camera)?.push({ box: action.boxes[0].box, kind: "cover" });
  }
  if (editor.open) marks.get(editor.draft.camera.name).push({ box: editor.boxAt(secondOf(editor.draft.camera)), kind: "draft" });
  views.mark(marks);
  if (!outlined || player.playing) return;
  for (const each of session.cameras) {
    const frame = views.frameOf(each.name);
    if (frame < 0) continue;
    const places = await get("covered", { camera: each.name, frame }).catch(() => []);
    if (turn !== lastMark) return;
    marks.get(each.name).push(...places.map((place) => ({ box: place.box, kind: "covered", place, text: place.identity >= 0 ? String(place.identity) : "" })));
  }
  views.mark(marks);
}

function holds({ hold, start, end, boxes }, second) {
  if (hold === "always") return true;
  const [from, to] = hold === "span" ? [start, end] : [boxes[0].time, boxes.at(-1).time];
  return second >= from - 0.05 && second <= to + 0.05;
}

// Someone dragged a box, or clicked at a place.
function drawn(name, box) {
  player.halt();
  choose(name);
  const now = worklist.current;
  const within = now && player.second >= now.start - AROUND_S && player.second <= now.end + AROUND_S;
  editor.draw(camera(name), box, within ? [now.start, now.end] : null);
}

function touched(name, [x, y]) {
  choose(name);
  if (!outlined || player.playing) return;
  const inside = (views.marks.get(name) ?? []).filter(({ kind, place, box }) => kind === "covered" && place.track >= 0
    && x >= box[0] && x <= box[2] && y >= box[1] && y <= box[3]).sort((a, b) => size(a.box) - size(b.box)); // of several the smallest
  if (!inside.length) return;
  const here = { camera: name, time: secondOf(camera(name)), track: inside[0].place.track };
  if (picking) picked(here);
  else told(here, inside[0].place.identity);
}

const size = ([x1, y1, x2, y2]) => (x2 - x1) * (y2 - y1);

// What a person knows of a cover that was clicked.
async function told(here, identity) {
  const chosen = await chooseOne({
    title: `This cover in ${here.camera}`, text: identity < 0 ? "The tool follows somebody here. Who is it?" : `The tool takes this for person ${identity}. Who is it?`,
    choices: [
      { value: "merge", name: "The same person as …", about: "next, click that person in another camera, or at another moment" },
      { value: "split", name: "Not the same person as …", about: "next, click the one whom the tool confuses with this one" },
      { value: "nobody", name: "Nobody is there …", about: "a lamp, a drape: the cover can be removed; you are asked again", css: "danger" },
    ],
  });
  if (chosen === "nobody") notAPerson(here.camera, here.track);
  else if (chosen !== null) pick({ action: chosen, ...here });
}

function pick(wanted) {
  picking = wanted;
  find("picking").hidden = wanted === null;
  if (wanted === null) return;
  const whom = wanted.action === "merge" ? "the same person" : "the other person";
  find("picking").querySelector("span").textContent = `Now click the outline of ${whom}, in any camera; you can go to another moment first.`;
}

async function picked({ camera: name, time, track }) {
  const { action, ...first } = picking;
  if (first.camera === name && first.track === track) return toast(action === "merge" ? "That is the one you chose: click another outline." : "That is one track, and a track is one person. Click another outline.", true);
  pick(null);
  const place = (each) => ({ camera: each.camera, time: Number(each.time.toFixed(4)), track: each.track });
  const line = await decisions.take({ action, places: [place(first), place({ camera: name, time, track })] });
  if (line !== null && !decisions.unheeded.some((sentence) => sentence.includes(`(${line.id})`))) {
    toast("Saved. The timelines show it now, the worklist is made anew when you render again. No cover changes by it.");
  }
}

async function notAPerson(name, track) {
  const reason = await ask({
    title: "Really remove this cover?", text: `Everything that this cover in ${name} hides (track ${track}) will be visible in the released video, now and at every other moment for as long as it is followed. Say what it is.`, yes: "Remove the cover", field: "What is it? (a lamp, a drape …)", needed: true, danger: true,
  });
  if (reason === null) return;
  await decisions.take({ action: "not_a_person", camera: name, track, override: false }, reason);
}

// The record has changed: whatever shows it is drawn again.
function decided() {
  worklist.set(session.cases, decisions);
  timelines.cases = worklist.cases;
  timelines.current = worklist.current;
  timelines.draw();
  const about = JSON.stringify(decisions.lines.filter(({ stands, action }) => stands && ["merge", "split"].includes(action.action)).map(({ id }) => id));
  if (about !== who && timelines) readPeople();
  who = about;
  const { waiting } = decisions;
  find("render").textContent = waiting ? `Render again (${waiting} ${waiting === 1 ? "change" : "changes"})` : "Render again";
  find("render").classList.toggle("main", waiting > 0); // nothing to do there otherwise
  find("render").disabled = rendering;
  mark();
}

async function saveCover(action) {
  const line = await decisions.take(action);
  if (line === null) return;
  editor.close();
  const one = action.all_cameras && !decisions.lines.some(({ stands, action: other }) => stands && other.action === "cover" && other.all_cameras && other.camera !== action.camera);
  toast(one ? "Saved. Now draw the same in a second camera, so that its place in the others is known." : "Saved. It is covered when you render again.");
}

async function goTo(each) {
  timelines.current = each;
  timelines.draw();
  enlarged = false;
  if (editor.open) editor.close();
  choose(each.cameras[0] && camera(each.cameras[0]) ? each.cameras[0] : lead);
  await player.jump(each.start);
}

async function leave() {
  const now = worklist.current;
  if (now && now.state === "open" && find("author").value.trim()) await decisions.take({ action: "seen", case: now.id });
}

const does = {
  next: async () => { await leave(); if (worklist.move(1, { open: true }) === null) toast("There is no other open case below."); },
  move: async (by) => { await leave(); worklist.move(by); },
  around: () => {
    const now = worklist.current;
    if (!now) return does.play();
    player.jump(now.start - AROUND_S).then((there) => there && player.play(now.end + AROUND_S));
  },
  play: () => (player.playing ? player.jump(player.second) : player.play()),
  step: (by) => player.step(by),
  second: (by) => player.jump(player.second + by),
  faster: (by) => {
    const choices = [...find("speed").options];
    const at = Math.min(Math.max(find("speed").selectedIndex + by, 0), choices.length - 1);
    find("speed").selectedIndex = at;
    setSpeed(Number(choices[at].value));
  },
  accept: async () => {
    const now = worklist.current;
    if (!now) return;
    if (await decisions.take({ action: "accept", case: now.id })) worklist.move(1, { open: true });
  },
  glance: () => { player.halt(); glances.begin(); },
  cover: () => {
    player.halt();
    const [each, now] = [camera(lead), worklist.current];
    const [wide, high] = [each.width, each.height];
    const box = now?.boxes[lead] ?? [0.45 * wide, 0.4 * high, 0.55 * wide, 0.6 * high];
    drawn(lead, box);
  },
  note: async () => {
    const now = worklist.current;
    if (!now) return toast("Choose a case first.");
    const text = await ask({ title: "Note", text: "It is kept with the case.", yes: "Save", field: "What you noticed", needed: true });
    if (text !== null) await decisions.take({ action: now.done ? "accept" : "seen", case: now.id }, text);
  },
  undo: () => {
    const last = decisions.lines.filter(({ stands, action }) => stands && !["withdraw", "seen", "show_original"].includes(action.action)).at(-1);
    if (!last) return toast("There is nothing to undo.");
    decisions.withdraw(last.id, true);
  },
  boxes: () => {
    outlined = !outlined;
    find("boxes").setAttribute("aria-pressed", String(outlined));
    mark();
  },
  enlarge: () => { enlarged = !enlarged; choose(lead); },
  camera: (number) => { if (session.cameras[number]) choose(session.cameras[number].name); },
  original: async () => {
    if (bare) return player.jump(player.second);
    if (session.original) return toast(session.original, true);
    await player.jump(player.second);
    const author = find("author").value.trim();
    if (!author) return decisions.nameless();
    const key = `original-${lead}`;
    if (!sessionStorage.getItem(key)) {
      const agreed = await ask({
        title: `Show the recording of ${lead}?`, text: "It is not covered: faces will be seen. Make sure that nobody else sees this screen. It is noted that you looked.", yes: "Show it", danger: true,
      });
      if (agreed === null) return;
      sessionStorage.setItem(key, "agreed");
    }
    try {
      const name = lead;
      const picture = await postForPicture("original", { camera: name, second: player.second, author, reason: "" });
      views.showOriginal(name, picture);
      bare = true;
      find("original").setAttribute("aria-pressed", "true");
    } catch (error) {
      toast(error.message, true);
    }
  },
  zoom: () => timelines.zoom(),
  render: async () => {
    if (rendering) return;
    player.halt();
    const text = decisions.waiting ? "The videos are made again with what you corrected. You can go on looking meanwhile." : "Nothing waits to be taken in. Render all the same?";
    if (await ask({ title: "Render again?", text, yes: "Render" }) === null) return;
    try {
      await post("render");
      notice = "";
      rendering = true;
    } catch (error) {
      toast(error.message, true);
    }
  },
  end: async () => {
    if (await ask({ title: "End the review?", text: "Everything you decided is saved. This page will stop working.", yes: "End" }) === null) return;
    player.halt();
    await post("end").catch(() => {});
    document.body.replaceChildren(make("main", {}, make("h1", { text: "The review has ended. You can close this window." })));
  },
  help: showKeys,
  nudge: (dx, dy, grow) => editor.nudge(dx, dy, grow),
  hold: (name) => editor.hold(name),
  save: () => editor.save(),
  cancel: () => (picking ? pick(null) : editor.close()),
};

// A link into the page: #case=ID or #at=SECONDS.
async function follow() {
  const [name, value] = location.hash.slice(1).split("=");
  if (name === "case") {
    const each = worklist.cases.find(({ id }) => id === value);
    if (each) { worklist.choose(each); return true; }
    toast("There is no such case in this run.", true);
  }
  if (name === "at" && Number.isFinite(Number(value))) { await player.jump(Number(value)); return true; }
  return false;
}

function banner(text, bad = false) {
  const place = find("banner");
  place.textContent = text;
  place.classList.toggle("bad", bad);
  place.hidden = !text;
}

async function watch() {
  try {
    const state = await get("state");
    const made = Object.values(state.proxies);
    const share = made.reduce((sum, each) => sum + each.made, 0) / Math.max(1, made.length);
    const work = state.rendering;
    if (work.running) {
      rendering = true;
      banner(`Rendering again: ${work.title}${work.total ? `, ${work.done} of ${work.total} frames` : ""}`);
    } else if (rendering) {
      rendering = false;
      const told = work.said.length ? work.said.join(" ") : "see the report.";
      notice = work.error ? `Rendering stopped: ${work.error}` : work.code ? `Rendered, with something to look at: ${told}` : "";
      if (!notice) toast("Rendered. The pictures are the new ones.");
    } else if (notice) {
      banner(notice, true);
    } else if (made.some((each) => each.refused)) {
      banner(made.map((each) => each.refused).filter(Boolean).join(" "), true);
    } else {
      banner(session.note ?? "");
    }
    find("prepared").textContent = share < 1 ? `· pictures prepared: ${Math.floor(100 * share)} %` : "";
    if (decisions.rendering !== rendering) {
      decisions.rendering = rendering;
      decisions.draw();
      decided();
    }
    if (state.version !== session.version) {
      await load();
      await player.jump(player.second);
    }
  } catch (error) {
    banner(`No answer from the review: ${error.message} What was saved is kept.`, true);
  }
  setTimeout(watch, STATE_MS);
}

begin();
