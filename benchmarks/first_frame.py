"""How long it takes from the start of a run to its first looked-at frame, in a new process every time.

Each start is the whole main job on the recording, in a folder of its own, stopped as soon as the first frame of any
camera was looked at. The pool of workers tells how many frames are done every 0.2 s, which single starts are uneven by.

Example:
  python benchmarks/first_frame.py --videos data/simulated_session/recording --starts 5 --out first_frame.json
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

START = """
import sys
from or_mv_anon.api import anonymize

class Seen(Exception):
    pass

def heard(progress):
    if progress.title.endswith("analyse") and progress.done:
        raise Seen

try:
    anonymize(sys.argv[1], sys.argv[2], progress=heard)
except Seen:
    print("seen", flush=True)
"""


def seconds_to_first_frame(videos: Path) -> float:
    """Of one start."""
    with tempfile.TemporaryDirectory() as out:
        started = time.perf_counter()
        command = [sys.executable, "-c", START, str(videos), out]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            told = process.stdout.readline()
            seconds = time.perf_counter() - started
        if told != "seen\n":
            raise SystemExit(f"The run ended before a frame was looked at, with exit code {process.returncode}.")
    return seconds


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--videos", type=Path, required=True, metavar="DIR", help="recording, one session")
    add("--starts", type=int, default=5, metavar="N", help="one after another (default: 5)")
    add("--out", type=Path, required=True, metavar="JSON", help="where the figures go")
    options = parser.parse_args()
    seconds = [seconds_to_first_frame(options.videos) for _ in range(options.starts)]
    result = {"command": sys.argv, "seconds": seconds, "median": median(seconds)}
    options.out.write_text(json.dumps(result, indent=1) + "\n")
    print(f"to the first frame: median {median(seconds):.2f} s of " + ", ".join(f"{each:.2f}" for each in seconds))


if __name__ == "__main__":
    main()
