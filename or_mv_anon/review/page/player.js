// Goes from moment to moment: to any at once, or one after another at a speed. All cameras come in one answer.

import { moments } from "./wire.js";

const WAITING = 40; // moments that may wait to be shown
const SHOWN_PER_S = 25;
const LATER_S = 1; // for which answers wait for pictures that the first answer did not have
const AGAIN_MS = 250;

export class Player {
  // show(moment) draws; changed(playing) tells the page; lead() names the camera whose frames are stepped through.
  constructor({ start, end, show, changed, lead, rate, failed }) {
    Object.assign(this, { start, end, show, changed, lead, rate, failed });
    this.second = start;
    this.speed = 1;
    this.turn = 0;
    this.playing = false;
    this.until = Infinity;
  }

  // To a moment; resolves when its pictures are there, to false where another was asked for meanwhile.
  async jump(second, { skip = 0 } = {}) {
    const turn = this.halt();
    let at = Math.min(Math.max(second, this.start), this.end - 1e-3);
    for (let tries = 0; turn === this.turn; tries++) {
      try {
        let found = null;
        const query = { at, camera: this.lead(), skip, ...(tries ? { patience: LATER_S } : {}) };
        for await (const moment of moments(query, this.stopper.signal)) found = moment;
        if (turn !== this.turn) return drop(found);
        if (found === null) return true; // before the beginning or behind the end
        this.second = at = found.second;
        skip = 0;
        this.show(found);
        if (!found.shots.some((shot) => shot.state === "preparing")) return true;
      } catch (error) {
        if (turn !== this.turn || error.name === "AbortError") return false;
        this.failed(error);
        return false;
      }
      if (tries) await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
    return false;
  }

  step(frames) {
    return this.jump(this.second, { skip: frames });
  }

  // From here on, to the end or to `until`; resolves when it stops, to true where it came to its end.
  async play(until = Infinity) {
    const turn = this.halt();
    this.until = until;
    this.playing = true;
    this.changed(true);
    const queue = [];
    let over = false;
    const fill = async () => {
      let [at, skip] = [this.second, 1];
      while (turn === this.turn && !over) {
        const stride = Math.max(1, Math.round((this.speed * this.rate()) / SHOWN_PER_S));
        let came = 0;
        const query = { at, camera: this.lead(), skip: skip * stride, stride, count: 100 };
        for await (const moment of moments(query, this.stopper.signal)) {
          came++;
          at = moment.second;
          queue.push(moment);
          while (queue.length > WAITING && turn === this.turn) await new Promise((resolve) => setTimeout(resolve, 20));
          if (turn !== this.turn) return queue.forEach(drop);
        }
        if (!came) over = true;
      }
    };
    fill().catch((error) => {
      over = true;
      if (turn === this.turn && error.name !== "AbortError") this.failed(error);
    });
    let [began, from] = [performance.now(), this.second];
    while (turn === this.turn) {
      const next = queue[0];
      if (next === undefined) {
        if (over) break;
        [began, from] = [performance.now(), this.second]; // nothing came in time: all cameras wait together
      } else if (next.second >= this.until) {
        break;
      } else if (next.second - from <= ((performance.now() - began) / 1000) * this.speed) {
        queue.shift();
        this.second = next.second;
        this.show(next);
      }
      await new Promise((resolve) => requestAnimationFrame(resolve));
    }
    queue.forEach(drop);
    if (turn !== this.turn) return false;
    this.halt();
    return true;
  }

  halt() {
    this.stopper?.abort();
    this.stopper = new AbortController();
    this.turn++;
    if (this.playing) {
      this.playing = false;
      this.changed(false);
    }
    return this.turn;
  }
}

// Lets go of the pictures of a moment that is not shown.
function drop(moment) {
  moment?.shots.forEach((shot) => shot.picture?.close());
  return false;
}
