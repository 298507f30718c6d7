"""How many faces live leaves uncovered, beside what the same recording leaves offline; and what covers them there.

    python benchmarks/live_exposure.py --sites s61/ s62/ --work DIR --out live_exposure.json [-- --model room_model/]

Every site is a simulated one (recording/ and truth/). It is anonymized offline with the defaults, unless --work has
that already, and live with --pace fast: the frames and the looks are those of a machine that keeps up. Both are judged
by the pixels of their videos, in all and without the seconds in which live covers everything because it does not know
the room yet. Of every face that only live leaves uncovered it is told by which regions offline covers it.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from or_mv_anon.core import boxes as geometry
from or_mv_anon.core.records import RegionKind
from or_mv_anon.core.truth import Truth, load_truth
from or_mv_anon.evaluation.evaluate import Evaluation, evaluate_videos
from or_mv_anon.evaluation.exposure import ExposureOptions, counts, is_exposed
from or_mv_anon.evaluation.run_directory import CameraRun, load_run

HELD = 0.9  # share of a face's box within a region that counts as covering it
FIRST_S = 7.0  # seconds of a recording that are told apart, in which live covers everything
SHOWN = 12  # stretches


def command(*arguments: str) -> None:
    """One of the tool's own commands."""
    subprocess.run([sys.executable, "-m", "or_mv_anon", *arguments], check=True, stdout=subprocess.DEVNULL)


def judged(site: Path, videos: Path, truth: Truth) -> Evaluation:
    """The videos in a folder by the ground truth of the site."""
    return evaluate_videos(site / "recording", videos, truth)


def run_live(site: Path, target: Path, more: Sequence[str]) -> None:
    """Run live as quickly as it goes; every camera's only file under the camera's name."""
    shutil.rmtree(target, ignore_errors=True)
    command(
        "live", "--site", str(site / "recording" / "site.toml"), "--out", str(target / "parts"), "--pace", "fast", *more
    )
    for folder in sorted((target / "parts").iterdir()):
        for path in folder.glob("*.mp4"):
            path.rename(target / f"{folder.name}.mp4")


def exposed(result: Evaluation) -> set[tuple[int, int, int]]:
    """Camera, frame and person of every exposed face."""
    options = ExposureOptions()
    faces = result.faces[counts(result.faces, options)]
    bare = faces[is_exposed(faces, options)]
    return set(zip(bare.camera.tolist(), bare.frame.tolist(), bare.person.tolist(), strict=True))


def covered_by(run: CameraRun, truth: Truth, frame: int, person: int) -> str:
    """What offline covers a face with: the kinds of its regions, `still` for those of heads that keep still."""
    people = truth.cameras[run.name].people
    face = people.face_box[(people.frame == frame) & (people.person == person)]
    here = run.regions[run.regions.frame == frame]
    here = here[geometry.containment(face, here.box)[0] >= HELD]
    still = run.face_tracks.track[run.face_tracks.frame == frame]
    static = {int(-2 - track) for track in still if _never_moves(run, int(track))}
    words = {
        "still" if track in static else RegionKind(kind).name.lower() if track != -1 else "across"
        for kind, track in zip(here.kind.tolist(), here.track.tolist(), strict=True)
    }
    return "+".join(sorted(words)) or "several regions together"


def _never_moves(run: CameraRun, track: int) -> bool:
    rows = run.face_tracks.box[run.face_tracks.track == track]
    return len(rows) > 1 and not np.ptp(rows, axis=0).any()


def figures(result: Evaluation) -> dict[str, Any]:
    """What counts of one run."""
    exposure, options = result.exposure, ExposureOptions()
    faces = result.faces[counts(result.faces, options)]
    later = faces[faces.start >= FIRST_S]
    frames = result.frames[result.frames.start >= FIRST_S]
    return {
        "faces": exposure.faces.considered,
        "exposed": exposure.faces.exposed,
        "longest_s": exposure.longest_s.value,
        "covered_outside": exposure.covered_outside.value,
        "later": {
            "faces": len(later),
            "exposed": int(is_exposed(later, options).sum()),
            "covered_outside": float(frames.covered_outside.sum() / max(1, frames.outside.sum())),
        },
        "stretches": [
            {
                key: each.as_dict()[key]
                for key in ("camera", "person", "role", "start", "end", "face_frames", "face", "why")
            }
            for each in result.stretches[:SHOWN]
        ],
    }


def compare(site: Path, work: Path, more: Sequence[str]) -> dict[str, Any]:
    """One site, offline and live."""
    truth, name = load_truth(site / "truth"), site.name
    offline, live = work / f"{name}-offline", work / f"{name}-live"
    if not (offline / "audit.json").exists():
        command("anonymize", "--videos", str(site / "recording"), "--out", str(offline))
    run_live(site, live, more)
    results = {"offline": judged(site, offline, truth), "live": judged(site, live, truth)}
    run, cameras = load_run(offline), list(truth.cameras)
    only = exposed(results["live"]) - exposed(results["offline"])
    sources = Counter(covered_by(run.cameras[cameras[each[0]]], truth, *each[1:]) for each in only)
    return {
        "site": name,
        **{how: figures(result) for how, result in results.items()},
        "only_live": len(only),
        "covered_offline_by": dict(sources.most_common()),
    }


def main() -> None:
    """Compare every site, print a line for each, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sites", type=Path, nargs="+", required=True, metavar="DIR", help="simulated sites")
    parser.add_argument("--work", type=Path, required=True, metavar="DIR", help="for what the runs write")
    parser.add_argument("--out", type=Path, required=True, metavar="JSON")
    parser.add_argument("more", nargs="*", help="further options of live, after --")
    parsed = parser.parse_args()
    parsed.work.mkdir(parents=True, exist_ok=True)
    rows = []
    for site in parsed.sites:
        row = compare(site, parsed.work, parsed.more)
        rows.append(row)
        parsed.out.write_text(json.dumps({"options": parsed.more, "sites": rows}, indent=2) + "\n")
        for how in ("offline", "live"):
            print(f"{row['site']} {how}: {told(row[how])}")
        print(
            f"{row['site']}: only live {row['only_live']}, covered offline by {row['covered_offline_by']}", flush=True
        )


def told(found: dict[str, Any]) -> str:
    """The figures of one run in one line."""
    later = found["later"]
    return (
        f"{found['exposed']} of {found['faces']} exposed, longest {found['longest_s']:.1f} s, "
        f"{100 * found['covered_outside']:.1f} % covered where nobody is; after {FIRST_S:g} s {later['exposed']} of "
        f"{later['faces']} exposed, {100 * later['covered_outside']:.1f} %"
    )


if __name__ == "__main__":
    main()
