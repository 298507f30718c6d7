"""Whether anything gets out or gets lost when the tool is treated badly: kills, races, damage, settings, odd files.

Every attempt is a whole run of a command on a few frames of the simulated session that ships, judged by its exit code,
by what it prints and by what its outputs show. The command under trial may belong to another version of the tool.

Examples:
  python benchmarks/hostile.py --out hostile.json                                 some 700 runs of 7 s of processor time
  python benchmarks/hostile.py --out hostile.json --limit 3                       a short look at every kind
  python benchmarks/hostile.py --out old.json --command ../old/.venv/bin/or-mv-anon --kinds stale tables
"""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tqdm import tqdm

from benchmarks.hostile_files import CODECS, fuzz
from benchmarks.hostile_given import faults
from benchmarks.hostile_kills import at_moments, at_operations, stale_results
from benchmarks.hostile_names import data_loss, names
from benchmarks.hostile_network import network
from benchmarks.hostile_odd import odd
from benchmarks.hostile_races import changed_output, changing_input, two_runs
from benchmarks.hostile_settings import bundles, settings, site_files
from benchmarks.hostile_tables import damaged_notes, edited_tables, flipped_bits
from benchmarks.hostile_tool import Case, Tool, Verdict
from benchmarks.hostile_world import SEGMENTS, World

KINDS: Mapping[str, Callable[[World], Iterator[Case]]] = {
    "operations": at_operations, "moments": at_moments, "stale": stale_results, "two-runs": two_runs,
    "input": changing_input, "output": changed_output, "tables": edited_tables, "bits": flipped_bits,
    "notes": damaged_notes, "settings": settings, "site": site_files, "bundles": bundles, "names": names,
    "loss": data_loss, "network": network, "odd": odd, "faults": faults,
} | {f"fuzz-{codec}": fuzz(codec) for codec in CODECS}  # fmt: skip
REPOSITORY = Path(__file__).resolve().parents[1]
FAILED = 1


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--out", type=Path, required=True, metavar="JSON", help="where the figures go, after every attempt")
    add("--kinds", nargs="+", choices=list(KINDS), default=list(KINDS), metavar="KIND", help=f"of {', '.join(KINDS)}")
    add("--limit", type=int, default=20, metavar="N", help="attempts of a kind, drawn from all (default: 20)")
    add("--seed", type=int, default=0, metavar="N", help="of all draws (default: 0)")
    add("--command", default=str(Path(sys.executable).with_name("or-mv-anon")),
        help="the tool under trial (default: the one beside this Python)")  # fmt: skip
    add("--faults", type=Path, metavar="DIR", help="a folder of odd recordings to try as well")
    add("--patience", type=float, default=240, metavar="S", help="seconds after which a run hangs (default: 240)")
    add("--work", type=Path, metavar="DIR", help="where attempts are made; failed ones are kept there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = (options.work or Path(temporary)).resolve()
        work.mkdir(parents=True, exist_ok=True)
        config = work / "segments.toml"
        config.write_text(SEGMENTS)
        tool = Tool(shlex.split(options.command), options.patience, config)
        faults_folder = options.faults.resolve() if options.faults else None
        data = REPOSITORY / "data" / "simulated_session"
        world = World(tool, work / "material", data, options.seed, options.limit, faults_folder)
        shutil.rmtree(world.work, ignore_errors=True)
        result = try_all(world, options.kinds, options.out, work / "attempts", keep=options.work is not None)
    print(table(result))
    return FAILED if any(row["survived"] < row["tried"] for row in result["kinds"].values()) else 0


def try_all(world: World, kinds: list[str], out: Path, attempts: Path, *, keep: bool) -> dict[str, Any]:
    """Make the attempts of all kinds; what is known so far is in `out` at any time."""
    result: dict[str, Any] = {
        "seed": world.seed,
        "limit": world.limit,
        "command": list(world.tool.command),
        "kinds": {},
    }
    for name in kinds:
        cases = list(KINDS[name](world))
        chosen = sorted(world.draws("chosen", name).sample(range(len(cases)), min(world.limit, len(cases))))
        for number in tqdm(chosen, desc=name, unit="attempt", mininterval=5):
            case, folder = cases[number], attempts / f"{name}-{number}"
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            started = time.monotonic()
            verdict = _attempt(case, folder)
            row = result["kinds"].setdefault(
                case.kind, {"tried": 0, "survived": 0, "exposed_faces": 0, "seconds": 0.0, "failures": []}
            )
            row["seconds"] = round(row["seconds"] + time.monotonic() - started, 1)
            if verdict.applies:
                row["tried"] += 1
                row["survived"] += not verdict.why
                row["exposed_faces"] += verdict.exposed
                row["failures"] += [{"case": case.name, "why": verdict.why}] if verdict.why else []
            if not (keep and verdict.why):
                shutil.rmtree(folder, ignore_errors=True)
            out.write_text(json.dumps(result, indent=1))
    return result


def _attempt(case: Case, folder: Path) -> Verdict:
    try:
        return case.attempt(folder)
    except Exception as error:  # one attempt that cannot be judged does not end hours of others
        return Verdict(f"cannot be judged: {type(error).__name__}: {error}")


def table(result: Mapping[str, Any]) -> str:
    """The kinds with what was tried and survived, as Markdown, and the failures below."""
    lines = ["| kind | tried | survived | faces shown | s |", "|---|---|---|---|---|"]
    for kind, row in result["kinds"].items():
        figures = (row["tried"], row["survived"], row["exposed_faces"], round(row["seconds"]))
        lines.append(f"| {kind} | {' | '.join(map(str, figures))} |")
    for kind, row in result["kinds"].items():
        lines += [f"- {kind}: {failure['case']}: {failure['why']}" for failure in row["failures"]]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
