"""Damages short clips in many ways and counts the visibly damaged frames that are not found, per codec.

The clips are made from `data/simulated_session`; every file gets 10 to 100 flipped bits in its packets, or loses
packets, or has some cut short. "before" is what the decoder says by itself. Sound clips, also noisy, flickering and
coarse ones, tell how many sound frames are covered for nothing. With --heads the files in which damaged frames are
left, and every N-th of the others (--every), are anonymized, and those in which a head shows that the sound clip's run
covers are counted.

Usage: python benchmarks/damage_fuzz.py [--files 100] [--codecs h264,hevc,vp9,av1,mjpeg] [--seed 1] [--heads] [--json F]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import tempfile
from collections import Counter
from pathlib import Path

from benchmarks.damage_clips import CODECS, Clip, damage, sound_clips, write_clip
from benchmarks.damage_heads import shown_heads
from benchmarks.damage_judging import before, found, visible

SOUND_KINDS = ("plain", "noise", "flicker", "coarse")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=100, help="damaged files per codec (default: 100)")
    parser.add_argument("--codecs", default=",".join(CODECS), help="which codecs (default: all)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--heads", action="store_true", help="anonymize the files in which damage is left")
    parser.add_argument("--every", type=int, default=25, help="which of the other files --heads takes (default: 25)")
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    options = parser.parse_args()
    os.environ.setdefault("SVT_LOG", "1")
    figures = {}
    for codec in options.codecs.split(","):
        with tempfile.TemporaryDirectory() as folder:
            figures[codec] = _codec(
                Path(folder), codec, options.files, options.seed, every=options.every * options.heads
            )
        print(f"{codec}: {json.dumps(figures[codec])}", flush=True)
    if options.json is not None:
        options.json.write_text(json.dumps(figures, indent=1))


def _codec(folder: Path, codec: str, files: int, seed: int, *, every: int) -> dict[str, int]:
    count: Counter[str] = Counter(files=files)
    for name in ("files_with_a_shown_head", "sound_frames", "sound_frames_covered"):
        count[name] = 0
    for number in range(files):
        choice = random.Random(f"{codec} {seed} {number}")
        clip = Clip.choose(choice, codec)
        sound = write_clip(folder / "sound", clip)
        damaged = damage(sound, clip, choice)
        seen = visible(sound, damaged)
        left = seen - found(damaged)
        count["damaged_frames"] += len(seen)
        count["found_before"] += len(seen & before(damaged))
        count["found"] += len(seen) - len(left)
        count["files_with_damage_left"] += bool(left)
        if every and (left or number % every == 0):
            count["files_anonymized"] += 1
            count["files_with_a_shown_head"] += shown_heads(folder, clip, sound, damaged) > 0
        if left:
            print(f"  {codec} file {number} ({clip.kind}, {damaged.suffix}): {len(left)} frames left", flush=True)
    for sound in sound_clips(folder, codec, SOUND_KINDS):
        frames, covered = len(visible(sound, sound, least=-1.0)), len(found(sound))
        count["sound_frames"] += frames
        count["sound_frames_covered"] += covered
    return dict(count)


if __name__ == "__main__":
    main()
