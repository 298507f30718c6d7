"""How far a person gets who follows the list of cases: the curve of what the first minutes of review show.

Finished runs are judged as they are, each --run with its truth. For every seed a site is simulated and anonymized with
the defaults, or taken as it lies in --work from an earlier run. Each list of cases is judged against the exact ground
truth: which exposed stretches do the first N minutes of review per camera-hour show, by the cases' own count of what
looking takes? A second curve is of the review page's "many at a glance", see `glancing`. Figures of several sites are
of all their stretches together; minutes are per camera-hour of each. Development used the session that ships and seeds
41 to 44; a figure counts only on seeds that nothing was tuned on.

Examples, the second takes an hour or two on two cores:
  python benchmarks/worklist_curve.py --run out1/ site1/truth/ --run out2/ site2/truth/ --out worklist_curve.json
  python benchmarks/worklist_curve.py --work /tmp/sites --seeds 71 72 73 --out worklist_curve.json
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.glancing import share_seen
from or_mv_anon.audit.cases import read_cases
from or_mv_anon.core.truth import Truth, load_truth
from or_mv_anon.evaluation.evaluate import evaluate_run
from or_mv_anon.evaluation.worklist import MINUTES

TARGET_MINUTES = 5.0
SIMULATED = {
    71: ["--people", "8", "--position", "lateral"],
    72: ["--people", "9", "--position", "lithotomy"],
    73: ["--people", "8", "--position", "prone", "--nudge"],
}
"""What the seeds that are judged are simulated with, beyond the common options: the hard positions of patients."""


def command(*arguments: str) -> None:
    """One of the tool's own commands."""
    subprocess.run([sys.executable, "-m", "or_mv_anon", *arguments], check=True)


def measure(seed: int, options: argparse.Namespace) -> dict[str, Any]:
    """One site; what lies in --work is taken as it is."""
    site, run = options.work / f"s{seed}", options.work / f"r{seed}"
    if not (site / "truth" / "truth.json").exists():
        size = ["--seconds", str(options.seconds), "--fps", str(options.fps)]
        command("simulate", "--out", str(site), "--seed", str(seed), *size, *SIMULATED.get(seed, []))
    command("anonymize", "--videos", str(site / "recording"), "--out", str(run))
    return judged(f"seed {seed}", run, load_truth(site / "truth"))


def judged(site: str, run: Path, truth: Truth) -> dict[str, Any]:
    """A finished run, as plain values."""
    result, cases = evaluate_run(run, truth), read_cases(run)
    assert result.worklist is not None
    sizes, hours = (
        {name: (each.width, each.height) for name, each in truth.cameras.items()},
        result.worklist.camera_hours,
    )
    glances = [share_seen(cases, result.stretches, sizes, minutes=minutes, camera_hours=hours) for minutes in MINUTES]
    return {
        "site": site,
        "camera_minutes": result.worklist.camera_hours * 60,
        "faces": result.exposure.faces.considered,
        "exposed": result.exposure.faces.exposed,
        "stretches": [stretch.as_dict() for stretch in result.stretches],
        "worklist": result.worklist.as_dict(),
        "glances": glances,
    }


def together(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The curve of all sites: every stretch counts once."""
    weights = np.array([len(each["stretches"]) for each in rows], float)
    curve = []
    for number, minutes in enumerate(MINUTES):
        points = [each["worklist"]["curve"][number] for each in rows]
        share = [point["stretches"] for point in points]
        glances = [each["glances"][number] for each in rows]
        curve.append(
            {
                "minutes": minutes,
                "stretches": float(np.average(share, weights=weights)) if weights.any() else 1.0,
                "at_a_glance": float(np.average(glances, weights=weights)) if weights.any() else 1.0,
                "longest": sum(point["longest"] for point in points),
            }
        )
    return curve


def shares(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Of the stretches of all sites: how many no case shows, and after how much review each of the others is shown."""
    found = [rank for each in rows for rank in each["worklist"]["found_by"]]
    return {
        "sites": len(rows),
        "camera_minutes": sum(each["camera_minutes"] for each in rows),
        "faces": sum(each["faces"] for each in rows),
        "exposed": sum(each["exposed"] for each in rows),
        "stretches": len(found),
        "never_shown": sum(rank is None for rank in found),
    }


def markdown(results: dict[str, Any]) -> str:
    """The table for the documentation."""
    lines = [
        "| site | exposed face-frames | stretches | longest | cases | seen in 5 min | its longest | 95 % after |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for each in results["sites"]:
        worklist = each["worklist"]
        (at,) = (point for point in worklist["curve"] if point["minutes"] == TARGET_MINUTES)
        longest = max((one["end"] - one["start"] for one in each["stretches"]), default=0.0)
        needed = worklist["minutes_for"]["95 %"]
        lines.append(
            f"| {each['site']} | {each['exposed']:,} of {each['faces']:,} | {len(each['stretches'])} | {longest:.1f} s "
            f"| {worklist['cases']} | {at['stretches']:.0%} | {'yes' if at['longest'] else 'no'} "
            f"| {'never' if needed is None else f'{needed:.1f} min'} |"
        )
    lines += ["", "| review per camera-hour | " + " | ".join(f"{minutes:g} min" for minutes in MINUTES) + " |"]
    lines.append("|---|" + "---|" * len(MINUTES))
    lines.append("| stretches shown | " + " | ".join(f"{each['stretches']:.0%}" for each in results["curve"]) + " |")
    lines.append("| many at a glance | " + " | ".join(f"{each['at_a_glance']:.0%}" for each in results["curve"]) + " |")
    whole = results["together"]
    lines += [
        "",
        f"{whole['exposed']:,} of {whole['faces']:,} face-frames exposed, {whole['stretches']} stretches, of which "
        f"{whole['never_shown']} are in no case; {whole['sites']} sites, {whole['camera_minutes']:.1f} camera-minutes.",
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--run", type=Path, nargs=2, action="append", default=[], metavar=("OUT", "TRUTH"),
        help="a finished run and the truth of its recording; may be given several times",
    )  # fmt: skip
    parser.add_argument("--work", type=Path, help="where simulated sites and their runs lie, or are made")
    parser.add_argument("--seeds", type=int, nargs="+", default=sorted(SIMULATED), help="which of them, with --work")
    parser.add_argument("--seconds", type=float, default=60.0, help="length of a recording (default: %(default)g)")
    parser.add_argument("--fps", type=int, default=10, help="pictures per second and camera (default: %(default)d)")
    parser.add_argument("--out", type=Path, required=True, help="where to write all figures as JSON")
    options = parser.parse_args()
    if not options.run and options.work is None:
        parser.error("there is nothing to judge: give --run or --work")
    rows = [judged(str(out), out, load_truth(truth)) for out, truth in options.run]
    if options.work is not None:
        rows += [measure(seed, options) for seed in options.seeds]
    made = {} if options.work is None else {"seconds": options.seconds, "fps": options.fps}
    results = {**made, "sites": rows, "curve": together(rows), "together": shares(rows)}
    options.out.write_text(json.dumps(results, indent=1, allow_nan=False))
    print(markdown(results))


if __name__ == "__main__":
    main()
