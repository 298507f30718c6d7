#!/usr/bin/env python
"""How long jumps on the review page take, in a browser, and how much memory the review holds meanwhile.

Opens the page of a finished run as a user would, jumps to random moments of the session, and measures from the request
to the moment at which the pictures of all cameras stand on the page: first wherever it may be, then, when everything is
prepared or `--minutes` are over, again. Prints JSON; `--json` also writes it.

    python benchmarks/review_jumps.py OUT --jumps 200 --json jumps.json
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.review.browsing import Page, opened
from tests.review.served import Served, served

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


def jumps(page: Page, span: tuple[float, float], count: int, seed: int) -> dict[str, float]:
    """Milliseconds of random jumps."""
    seconds = np.random.default_rng(seed).uniform(*span, count)
    took = [float(page.run(JUMP, second)) for second in seconds.tolist()]
    return {name: round(float(np.quantile(took, q)), 1) for name, q in (("median", 0.5), ("p95", 0.95), ("max", 1.0))}


def memory(review: Served) -> dict[str, float]:
    """MB of the server's own memory, and of the copies that it made."""
    status = Path(f"/proc/{review.process.pid}/status").read_text().splitlines()
    own = next(int(line.split()[1]) for line in status if line.startswith("RssAnon"))
    return {"server_mb": round(own / 1024, 1), "copies_mb": round(review.get("state").json["bytes"] / 1e6, 1)}


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="output folder of a finished run")
    parser.add_argument("--jumps", type=int, default=200)
    parser.add_argument("--anywhere", type=int, default=20, help="jumps before everything is prepared")
    parser.add_argument("--minutes", type=float, default=5.0, help="that preparing may take")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    begun = time.monotonic()
    found: dict[str, Any] = {}
    with served(options.out) as review, opened(review.address) as page:
        session = review.get("session").json
        span = session["start"], session["end"] - 0.05
        found["cameras"], found["seconds"] = len(session["cameras"]), round(span[1] - span[0], 1)
        page.wait_for_pictures()
        found["first_pictures_s"] = round(time.monotonic() - begun, 1)
        found["anywhere_ms"] = jumps(page, span, options.anywhere, 1)
        found["memory_then"] = memory(review)
        made = 0.0
        while made < 1 and time.monotonic() - begun < 60 * options.minutes:
            made = min(each["made"] for each in review.get("state").json["proxies"].values())
            time.sleep(0.5)
        found["prepared_share"], found["prepared_after_s"] = round(made, 3), round(time.monotonic() - begun, 1)
        if made == 1:
            found["prepared_ms"] = jumps(page, span, options.jumps, 2)
        found["memory"] = memory(review)
    text = json.dumps(found, indent=1)
    sys.stdout.write(text + "\n")
    if options.json is not None:
        options.json.write_text(text + "\n")


if __name__ == "__main__":
    main()
