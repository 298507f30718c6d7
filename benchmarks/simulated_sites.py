"""Exposed faces on simulated sites: this tool as it comes and deface, judged by the same measure in one run.

For every seed a site is simulated (six cameras, two minutes), then anonymized by
  ours     tools/anonymize_multiview.py with its defaults, but for --method solid
  deface   deface 1.5.0 from PyPI, with its defaults but for a solid fill
and both videos are judged by their pixels against the exact ground truth: which share of every visible face differs
from the recording as a solid fill does. Ours is judged a second time by the regions that it stored, which gives the
FaceOff figures, too, and shows that the two ways to judge agree. Faces, the least height that counts, and every other
rule: docs/evaluation.md.

Everything is kept in --work; the same command goes on where it was stopped. Needs the extras sim and evaluation.

Example, an hour or two on two cores:
  python benchmarks/simulated_sites.py --work /tmp/sites --out simulated_sites.json
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tqdm import tqdm

from benchmarks.deface_tool import DEFACE_BACKENDS, DEFACE_ENVIRONMENT, deface_command, prepare_deface
from benchmarks.looping import time_evenly
from or_mv_anon.core.truth import Truth, load_truth
from or_mv_anon.evaluation.evaluate import Evaluation, evaluate_run, evaluate_videos
from or_mv_anon.evaluation.report_table import table

TOOLS = Path(__file__).resolve().parent.parent / "tools"
ROWS = {"ours": "this tool", "ours, by its regions": "this tool, judged by its regions", "deface": "deface 1.5.0"}


def simulate(seed: int, folder: Path, options: argparse.Namespace) -> None:
    """The site of `seed` in `folder`, unless it is there."""
    if (folder / "truth" / "truth.json").exists():
        return
    told = {"seed": seed, "cameras": options.cameras, "people": options.people, "seconds": options.seconds}
    told |= {"fps": options.fps, "size": options.size, "out": folder}
    arguments = [part for name, value in told.items() for part in (f"--{name}", str(value))]
    subprocess.run([sys.executable, str(TOOLS / "simulate_site.py"), *arguments], check=True)


def anonymize(recording: Path, out: Path) -> float:
    """This tool on the recording; the seconds it took."""
    start = time.perf_counter()
    command = [sys.executable, str(TOOLS / "anonymize_multiview.py"), "--videos", str(recording), "--out", str(out)]
    subprocess.run([*command, "--method", "solid"], check=True)
    return time.perf_counter() - start


def deface(recording: Path, out: Path, *, backend: str, fps: int) -> float:
    """deface on every camera of the recording that it has not done; the seconds it took.

    deface writes a steady frame rate whatever it reads, so it gets copies with the same frames, evenly timed.
    """
    command = prepare_deface(DEFACE_ENVIRONMENT)
    out.mkdir(parents=True, exist_ok=True)
    start = time.perf_counter()
    for video in tqdm(sorted(recording.glob("*.mp4")), desc="deface", unit="camera"):
        result = out / video.name
        if not result.exists():
            even, part = out / "even.mp4", out / "part.mp4"
            time_evenly(video, even, fps=fps)
            base = deface_command(command, even, part, crf=20, preset="veryfast")
            extra = ["--replacewith", "solid", *DEFACE_BACKENDS[backend]]
            subprocess.run([*base, *extra], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            even.unlink()
            part.rename(result)
    return time.perf_counter() - start


def measure(seed: int, options: argparse.Namespace) -> dict[str, Any]:
    """Everything about one site, as plain values."""
    folder = options.work / f"site{seed}"
    simulate(seed, folder, options)
    recording, truth = folder / "recording", load_truth(folder / "truth")
    seconds = {
        "ours": anonymize(recording, folder / "ours"),
        "deface": deface(recording, folder / "deface", backend=options.backend, fps=options.fps),
    }
    results = {
        "ours": evaluate_videos(recording, run_folder(folder / "ours"), truth),
        "ours, by its regions": evaluate_run(run_folder(folder / "ours"), truth),
        "deface": evaluate_videos(recording, folder / "deface", truth),
    }
    for name, result in results.items():
        print(f"\n== site {seed}, {ROWS[name]}\n{table(result)}", flush=True)
    return {
        "seed": seed,
        "people": people(truth),
        "seconds": seconds,
        "rows": {name: result.as_dict() for name, result in results.items()},
        "agreement": agreement(results["ours"], results["ours, by its regions"]),
    }


def run_folder(out: Path) -> Path:
    """Where the one session of a run lies."""
    return next(path.parent for path in sorted(out.rglob("audit.json")))


def people(truth: Truth) -> list[dict[str, Any]]:
    """Who is in the room: number and role."""
    return [{"person": entry["person"], "role": entry["role"]} for entry in truth.people]


def agreement(by_pixels: Evaluation, by_regions: Evaluation) -> float:
    """Share of the faces that both ways to judge call the same, covered or exposed."""
    least = by_pixels.rules.exposure.covered_share
    one, other = ((judged.faces.covered >= least * judged.faces.pixels) for judged in (by_pixels, by_regions))
    return float((one == other).mean())


def markdown(results: dict[str, Any]) -> str:
    """The headline of every site as a table."""
    lines = [
        "| site | tool | face-frames | exposed | share (95 %) | per camera-hour | longest, s | in all views | "
        "covered where nobody is |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for site in results["sites"]:
        for name, told in ROWS.items():
            exposure = site["rows"][name]["exposure"]
            faces, share = exposure["faces"], exposure["faces"]["share"]
            lines.append(
                f"| {site['seed']} | {told} | {faces['considered']} | {faces['exposed']} | {percent(share['value'])} "
                f"({percent(share['low'])} to {percent(share['high'])}) | {exposure['per_camera_hour']['value']:.0f} | "
                f"{exposure['longest_s']['value']:.1f} | {percent(exposure['holistic_recall']['value'])} | "
                f"{percent(exposure['covered_outside']['value'])} |"
            )
    lines += ["", "| site | FaceOff smoothing | precision | recall | F1 |", "|---|---|---|---|---|"]
    for site in results["sites"]:
        for row in site["rows"]["ours, by its regions"]["faceoff"]:
            smoothed = "none" if row["window"] == 1 else f"k = {row['window']}"
            figures = " | ".join(percent(row[name]) for name in ("precision", "recall", "f1"))
            lines.append(f"| {site['seed']} | {smoothed} | {figures} |")
    return "\n".join(lines)


def percent(value: float | None) -> str:
    """A share for the table; a figure that could not be had is a dash."""
    return "-" if value is None else f"{value:.1%}"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--work", type=Path, required=True, metavar="DIR", help="where sites and videos are kept")
    add("--out", type=Path, required=True, metavar="JSON", help="where the results go")
    add("--seeds", type=int, nargs="+", default=[101, 202], metavar="N", help="of the sites (default: 101 202)")
    add("--cameras", type=int, default=6, help="per site (default: 6)")
    add("--people", type=int, default=8, help="per site, the patient among them (default: 8)")
    add("--seconds", type=float, default=120.0, help="per site (default: 120)")
    add("--fps", type=int, default=10, help="frames per second (default: 10)")
    add("--size", default="640x360", help="of the pictures (default: 640x360)")
    add("--backend", choices=sorted(DEFACE_BACKENDS), default="ONNX Runtime OpenVINO", help="of deface")
    options = parser.parse_args()
    results = {
        "settings": {name: getattr(options, name) for name in ("cameras", "people", "seconds", "fps", "size")},
        "sites": [measure(seed, options) for seed in options.seeds],
    }
    options.out.write_text(json.dumps(results, indent=1) + "\n")
    print(f"\n{markdown(results)}")


if __name__ == "__main__":
    main()
