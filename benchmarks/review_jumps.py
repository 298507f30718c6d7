#!/usr/bin/env python
"""How long jumps on the review page take, in a browser, and how much memory the review holds meanwhile.

Opens the page of a finished run as a user would, jumps to random moments of the session, and measures from the request
to the moment at which the pictures of all cameras stand on the page: first wherever it may be, then, when everything is
prepared or `--minutes` are over, again. `--play` also plays from where nothing is prepared. `--rounds` opens it that
often, so that nothing is prepared again; `--other` measures another checkout's code beside this one's, in turns. Prints
JSON; `--json` also writes it.

`--hour` makes a run of four generated cameras first, if there is none (benchmarks/review_hour.py), and compares what
the page shows with what was asked for.

    python benchmarks/review_jumps.py OUT --jumps 200 --json jumps.json
    python benchmarks/review_jumps.py HOUR --hour --rounds 3 --minutes 0 --other ../before --json jumps.json
    python benchmarks/review_jumps.py HOUR --hour --keyframe-every 250 --anywhere 200 --minutes 0 --json jumps.json
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.review_hour import CAMERAS, RATE, TURN_S, write_hour
from tests.review.browsing import Page, opened
from tests.review.review_scenes import code_in
from tests.review.served import Served, served

OPENING_S = 300  # that opening may take

JUMP = """
  const done = () => ['shown', 'nothing'].includes(document.querySelector('.view').dataset.state)
    && [...document.querySelectorAll('.view')].every((view) => ['shown', 'nothing'].includes(view.dataset.state));
  const shown = () => document.querySelector('#now').value;
  const before = shown(), begun = performance.now();
  location.hash = `at=${values[0]}`;
  while (shown() === before || !done()) {
    await new Promise((resolve) => setTimeout(resolve, 2));
    if (performance.now() - begun > 55000) break;
  }
  return performance.now() - begun;
"""

PLAY = """
  const frame = () => Number(document.querySelector('.view').dataset.frame);
  const begun = performance.now(), first = frame();
  document.querySelector('#play').click();
  let [last, changed, longest] = [first, begun, 0];
  while (performance.now() - begun < 1000 * values[0]) {
    await new Promise((resolve) => requestAnimationFrame(resolve));
    if (frame() === last) continue;
    longest = Math.max(longest, performance.now() - changed);
    [last, changed] = [frame(), performance.now()];
  }
  document.querySelector('#play').click();
  return {seconds: (performance.now() - begun) / 1000, frames: last - first, longest_ms: longest};
"""


def plays(page: Page, span: tuple[float, float], seconds: float, seed: int, rate: float) -> list[dict[str, float]]:
    """Played at normal speed from three random moments: how much of real time was shown, and the longest pause."""
    found = []
    for second in np.random.default_rng(seed).uniform(span[0], span[1] - seconds, 3).tolist():
        page.run(JUMP, second)
        played = page.run(PLAY, seconds)
        share = played["frames"] / rate / played["seconds"]
        found.append({"share": round(share, 3), "longest_pause_ms": round(played["longest_ms"], 1)})
    return found


def jumps(page: Page, span: tuple[float, float], count: int, seed: int, *, coded: bool) -> list[float]:
    """Milliseconds of random jumps; what a coded picture says is held against the time that was asked for."""
    seconds = np.random.default_rng(seed).uniform(*span, count)
    took = []
    for second in seconds.tolist():
        took.append(float(page.run(JUMP, second)))
        for number, camera in enumerate(CAMERAS if coded else ()):
            expected = number, int((second + 1e-6) * RATE) % (TURN_S * RATE)
            if (found := code_in(page.picture(camera))) != expected:
                raise SystemExit(f"At {second} s {camera} shows {found}, expected {expected}.")
    return took


def spread(took: Sequence[float]) -> dict[str, float]:
    """Of milliseconds."""
    points = (("median", 0.5), ("p95", 0.95), ("max", 1.0))
    return {"count": len(took)} | {name: round(float(np.quantile(took, q)), 1) for name, q in points}


def memory(review: Served) -> dict[str, float]:
    """MB of the server's own memory, and of the copies that it made."""
    status = Path(f"/proc/{review.process.pid}/status").read_text().splitlines()
    own = next(int(line.split()[1]) for line in status if line.startswith("RssAnon"))
    return {"server_mb": round(own / 1024, 1), "copies_mb": round(review.get("state").json["bytes"] / 1e6, 1)}


def measure(options: argparse.Namespace, checkout: Path | None, turn: int) -> dict[str, Any]:
    """One opening of the page."""
    begun = time.monotonic()
    found: dict[str, Any] = {}
    with served(options.out, checkout=checkout) as review, opened(review.address) as page:
        session = review.get("session").json
        span = session["start"], session["end"] - 0.05
        found["cameras"], found["seconds"] = len(session["cameras"]), round(span[1] - span[0], 1)
        page.wait_for_pictures(seconds=OPENING_S)
        found["first_pictures_s"] = round(time.monotonic() - begun, 1)
        found["anywhere_took_ms"] = jumps(page, span, options.anywhere, 1 + turn, coded=options.hour)
        found["memory_then"] = memory(review)
        if options.play:
            lead = session["cameras"][0]
            rate = lead["frames"] / (lead["end"] - lead["start"])
            found["played"] = plays(page, span, options.play, 1 + turn, rate)
        made, last = 0.0, time.monotonic() + 60 * options.minutes
        while made < 1 and time.monotonic() < last:
            made = min(each["made"] for each in review.get("state").json["proxies"].values())
            time.sleep(0.5)
        found["prepared_share"], found["prepared_after_s"] = round(made, 3), round(time.monotonic() - begun, 1)
        if made == 1:
            found["prepared_ms"] = spread(jumps(page, span, options.jumps, 1000 + turn, coded=options.hour))
        found["memory"] = memory(review)
    return found


def together(rounds: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Of all openings."""
    took = [each for one in rounds for each in one["anywhere_took_ms"]]
    first = [one["first_pictures_s"] for one in rounds]
    return {"anywhere_ms": spread(took), "first_pictures_s": first, "rounds": list(rounds)}


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="output folder of a finished run")
    parser.add_argument("--jumps", type=int, default=200)
    parser.add_argument("--anywhere", type=int, default=20, help="jumps before everything is prepared")
    parser.add_argument("--minutes", type=float, default=5.0, help="that preparing may take")
    parser.add_argument("--play", type=float, default=0.0, help="seconds to play from each of three random moments")
    parser.add_argument("--rounds", type=int, default=1, help="how often the page is opened")
    parser.add_argument("--other", type=Path, help="another checkout, measured in turns with this one")
    parser.add_argument("--hour", action="store_true", help="make OUT, if it is not there: four generated cameras")
    parser.add_argument("--seconds", type=float, default=3600.0, help="length of what --hour makes")
    parser.add_argument("--keyframe-every", type=int, help="frames, of what --hour makes (default: the tool's own)")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if options.hour and not options.out.exists():
        write_hour(options.out, seconds=options.seconds, keyframe_every=options.keyframe_every)
    checkouts: dict[str, Path | None] = {"this": None}
    if options.other is not None:
        checkouts = {"other": options.other.absolute(), **checkouts}
    rounds: dict[str, list[dict[str, Any]]] = {name: [] for name in checkouts}
    for turn in range(options.rounds):
        for name, checkout in checkouts.items():
            rounds[name].append(measure(options, checkout, turn))
    text = json.dumps({name: together(found) for name, found in rounds.items()}, indent=1)
    sys.stdout.write(text + "\n")
    if options.json is not None:
        options.json.write_text(text + "\n")


if __name__ == "__main__":
    main()
