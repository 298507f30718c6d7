"""Whether adaptation pays on simulated sites: exposed faces and over-cover of the anonymizer, with and without it.

For every site the anonymizer looks at the recording with the networks that it comes with, `tools/adapt_site.py` learns
the site, and the anonymizer looks again with the site model, with it and `--fast`, and with `--fast` alone; all are
judged against the exact ground truth. Beside that stand what the adaptation's own trials said of it without any ground
truth, what was released, and the minutes.

Sites are folders that `tools/simulate_site.py` made. Everything is kept in --work; the same command goes on where it
was stopped. Needs `make setup-sim setup-adapt`.

Example, a quarter of an hour per site of a camera-minute on two cores:
  python tools/simulate_site.py --seed 9101 --cameras 4 --people 5 --seconds 48 --fps 8 --size 960x540 --out exam9101
  python benchmarks/adaptation_pays.py --sites exam9101 --work /tmp/pays --out adaptation_pays.json
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.adaptation_rows import cameras_of, product
from or_mv_anon.core.config import load_config
from or_mv_anon.core.truth import load_truth
from or_mv_anon.endoscopy.settings import load_endoscopy_config
from or_mv_anon.evaluation.detection import evaluate_detection
from or_mv_anon.evaluation.detection_rules import DetectionRules
from or_mv_anon.models.site_model import load_site_model
from or_mv_anon.pipeline.plan import plan_session
from or_mv_anon.pipeline.profiles import new_context, run_session
from or_mv_anon.pipeline.spec import RunSpec, networks_of
from or_mv_anon.pipeline.weights import NetworkChoice
from or_mv_anon.site import discover

TOOLS = Path(__file__).resolve().parent.parent / "tools"
ROWS = {"as it comes": (False, False), "site model": (True, False), "--fast": (False, True), "both": (True, True)}
"""Whether the site model is used, and `--fast`."""
SCORE = 0.1  # from which on a detected person counts


def adapt(recording: Path, out: Path, more: list[str]) -> float:
    """The site model in `out`; the minutes that it took."""
    noted, started = out / "minutes.json", time.perf_counter()
    if not noted.exists():
        command = [sys.executable, str(TOOLS / "adapt_site.py"), "--videos", str(recording), "--out", str(out)]
        subprocess.run([*command, *more], check=True)
        noted.write_text(json.dumps((time.perf_counter() - started) / 60))
    return float(json.loads(noted.read_text()))


def exposed(site: Path, out: Path, choice: NetworkChoice, *, fast: bool, workers: int) -> dict[str, Any]:
    """What the anonymizer leaves exposed; a student is taken whether or not it is quicker here."""
    session = discover(site / "recording").sessions[0]
    config = load_config(model=choice.thresholds(), fast=fast)
    weights, config = networks_of(choice, config, [session])
    spec = RunSpec(config=config, endoscopy=load_endoscopy_config(None), weights=tuple(weights), workers=workers)
    plan, started = plan_session(session, out, spec), time.perf_counter()
    run_session(new_context(plan, spec), render=False)
    seconds = time.perf_counter() - started
    truth = load_truth(site / "truth")
    runs = cameras_of(plan.store.root, truth)
    boxes = {name: run.persons[run.persons.score >= SCORE] for name, run in runs.items()}
    found = evaluate_detection(truth.cameras, boxes, rules=DetectionRules(scores=(SCORE,))).everyone
    detector = {"people_found": found.max_recall, "people_right": found.at_scores[0].precision}
    return product(truth, runs) | detector | {"seconds": seconds}


def measure(site: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Everything about one site."""
    work = options.work / site.name
    work.mkdir(parents=True, exist_ok=True)
    minutes = adapt(site / "recording", work / "model", options.adapt)
    model = load_site_model(work / "model")
    rows: dict[str, Any] = {}
    for name, (adapted, fast) in ROWS.items():
        kept = work / f"{name.strip('-').replace(' ', '-')}.json"
        if not kept.exists():
            folder = work / "model" if adapted else None
            choice = NetworkChoice(model=folder, fast=fast and adapted and model.student is not None)
            row = exposed(site, work / kept.stem, choice, fast=fast, workers=options.workers)
            kept.write_text(json.dumps(row))
        rows[name] = json.loads(kept.read_text())
        print(f"{site.name}, {name}: {told(rows[name])}", flush=True)
    networks = [role for role in ("detector", "student", "pose", "face") if getattr(model, role) is not None]
    card = (work / "model" / "card.md").read_text()
    return {"site": site.name, "minutes": minutes, "released": networks, "rows": rows, "card": card}


def told(row: dict[str, Any]) -> str:
    """A row in words."""
    return f"{row['exposed']} of {row['faces']} exposed, over-cover {row['covered_outside']:.1%}"


def markdown(results: list[dict[str, Any]]) -> str:
    """The table."""
    lines = [
        "| site | networks | exposed | in all views | over-cover | FaceOff recall, k = 1 | k = 3 | people "
        "found at 0.1, precision | released, minutes |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for site in results:
        for name, row in site["rows"].items():
            recall = {entry["window"]: entry["recall"] for entry in row["faceoff"]}
            cells = [
                site["site"], name, f"{row['exposed']} of {row['faces']}", f"{row['faces_in_all_views']:.1%}",
                f"{row['covered_outside']:.1%}", f"{recall[1]:.1%}", f"{recall[3]:.1%}",
                f"{row['people_found']:.1%}, {row['people_right']:.1%}",
                f"{', '.join(site['released']) or 'nothing'}, {site['minutes']:.0f}" if name == "site model" else "",
            ]  # fmt: skip
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--sites", type=Path, nargs="+", required=True, metavar="DIR", help="simulated sites")
    add("--work", type=Path, required=True, metavar="DIR", help="where models and stage outputs are kept")
    add("--out", type=Path, required=True, metavar="JSON", help="where the results go")
    add("--workers", type=int, default=2, help="processes (default: 2)")
    add(
        "--adapt", nargs=argparse.REMAINDER, default=[], metavar="OPTION", help="further options of adapt_site.py; last"
    )
    options = parser.parse_args()
    results = []
    for site in options.sites:
        results.append(measure(site, options))
        options.out.write_text(json.dumps(results, indent=1) + "\n")
    print(f"\n{markdown(results)}")


if __name__ == "__main__":
    main()
