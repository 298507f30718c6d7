"""What association costs: seconds by cameras and minutes, on synthetic rooms of seven people.

Nothing is rendered or detected: tracks with body points are projected as a tracker would give them
(tests/association/synthetic_room.py), so that an hour is made in seconds. Times are the processor's.

Example, about six minutes:
  python -m benchmarks.association_cost --out association_cost.json
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from pathlib import Path
from typing import Any

from or_mv_anon.association.associate import associate
from or_mv_anon.core.config import load_config
from tests.association.synthetic_room import synthetic_room

PEOPLE, FALSE_TRACKS = 7, 8


def cost(cameras: int, minutes: float) -> dict[str, Any]:
    """Processor seconds for one session, and a digest of the identities that came out."""
    config = load_config().association
    room = synthetic_room(
        seed=3, cameras=cameras, people=PEOPLE, seconds=60 * minutes, instant_s=config.instant_s, appearance=True,
        false_tracks=FALSE_TRACKS,
    )  # fmt: skip
    started = time.process_time()
    found = associate(room.views, config, seed=0)
    seconds = time.process_time() - started
    digest = hashlib.sha256()
    for name in sorted(found.identities):
        digest.update(name.encode() + found.identities[name].identity.tobytes())
    return {
        "cameras": cameras,
        "minutes": minutes,
        "seconds": seconds,
        "tracks": sum(len(view.tracks) for view in room.views),
        "identities": digest.hexdigest()[:12],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cameras", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--minutes", type=float, nargs="+", default=[1, 5, 10])
    parser.add_argument("--out", type=Path, required=True, metavar="JSON")
    options = parser.parse_args()
    rows = []
    print("| cameras | minutes | tracks | seconds | identities |\n|---|---|---|---|---|")
    for cameras in options.cameras:
        for minutes in options.minutes:
            row = cost(cameras, minutes)
            rows.append(row)
            print(
                f"| {cameras} | {minutes:g} | {row['tracks']} | {row['seconds']:.1f} | {row['identities']} |",
                flush=True,
            )
    options.out.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
