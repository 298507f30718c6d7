"""One table of who is missed and what is covered for nothing: real views, real people by posture, simulated rooms.

Every row is one way to run the tool: another detector, changed settings, or the model that was adapted to the room.
Real views are judged as `covered_pictures.py` does, people as `people_found.py` does, simulated rooms against their
exact truth. What was measured is kept in --work and not measured again, so that rows can be added later. A model of a
room is taken where --models holds one under the room's name; it says nothing of other places, so its row has no more.

Example:
  python benchmarks/nobody_missed.py --people DIR/people --or-pictures DIR/or_pictures --empty DIR/empty_room \\
      --rooms judged_rooms/ --seeds 9101 9102 9103 --sites room1/ room2/ --models models/ --work work/ --out table.json
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks import covered_pictures, people_found
from benchmarks.exposure_figures import figures
from benchmarks.people_found_sets import Judged
from or_mv_anon.api import anonymize
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.truth import load_truth
from or_mv_anon.evaluation.evaluate import evaluate_run
from or_mv_anon.models.registry import fetch
from or_mv_anon.regions.registry import needed_weights

STILLS = ["--seconds", "20", "--rate", "1"]  # long enough for what keeps still to be looked for
TAGS = ("all", "lying", "from_above", "masked", "profile", "small")
GROUPS = {
    "wards, lying": ("person, ward_hospital_bed", "lying"),
    "wards, standing": ("person, ward_hospital_bed", "standing"),
    "heads in the operating room": ("head, operating room", ""),
    "of them lying": ("head, operating room", "lying"),
    "simulated, lying": ("person, simulated", "lying"),
}
"""What the groups' names in `people_found` begin and end with."""
EMPTY = "person, empty rooms"


@dataclass(frozen=True)
class Row:
    """One way to run the tool.

    Attributes:
        name: in the table.
        detector: name of registered weights; None for the default.
        changes: of the settings, as TOML.
        adapted: with the room's own model.
    """

    name: str
    detector: str | None = None
    changes: str = ""
    adapted: bool = False


ROWS = (
    Row("rooms prior", detector="yolox-tiny-rooms"),
    Row("people and heads, no ward pictures", detector="people-and-heads-no-wards"),
    Row("default without looks for still heads", changes="[static_heads]\ninterval_s = 0.0\n"),
    Row("default"),
    Row("default with the room's model", adapted=True),
)


def kept(path: Path, measure: Callable[[], Any]) -> Any:
    """What was measured before, or is now."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(measure(), indent=1))
    return json.loads(path.read_text())


def asked(row: Row, folder: Path) -> dict[str, Any]:
    """The tool's options."""
    options: dict[str, Any] = {}
    if row.detector is not None:
        options["detector"] = (fetch(row.detector),)
    if row.changes:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "changes.toml").write_text(row.changes)
        options["config"] = folder / "changes.toml"
    return options


def of_views(row: Row, pictures: Path, work: Path) -> dict[str, Any]:
    """Faces of the real views by tag, and what is covered for nothing."""
    options = asked(row, work)
    arguments = ["--pictures", str(pictures), "--work", str(work / "views"), "--out", str(work / "views.json"), *STILLS]
    if "detector" in options:
        arguments += ["--detector", str(options["detector"][0])]
    if "config" in options:
        arguments += ["--config", str(options["config"])]
    covered_pictures.main(arguments)
    told = json.loads((work / "views.json").read_text())
    faces = {
        tag: [face["covered"] >= covered_pictures.COVERED for face in told["faces"] if tag in ("all", *face["tags"])]
        for tag in TAGS
    }
    return {
        "faces": {tag: [sum(covered), len(covered)] for tag, covered in faces.items()},
        "over_cover": told["mean"]["all"],
    }


def of_people(row: Row, judged: Sequence[Judged]) -> dict[str, Any]:
    """What the row's detector finds in single pictures."""
    return people_found.judge(fetch(row.detector or needed_weights()["detector"]), judged)


def of_site(row: Row, site: Path, model: Path | None, work: Path) -> dict[str, Any]:
    """What a run over a simulated room leaves exposed."""
    out = work / site.name
    anonymize(site / "recording", out, **asked(row, work), **({} if model is None else {"model": model}))
    return figures(evaluate_run(out, load_truth(site / "truth")))


def measured(row: Row, options: argparse.Namespace, judged: Callable[[], Sequence[Judged]]) -> dict[str, Any]:
    """Everything about one row."""
    work = options.work / row.name.replace(" ", "-").replace(",", "").replace("'", "")
    result: dict[str, Any] = {"name": row.name, "sites": {}}
    for site in options.sites:
        model = options.models / site.name if row.adapted and options.models is not None else None
        if row.adapted and (model is None or not model.is_dir()):
            continue
        result["sites"][site.name] = kept(work / f"{site.name}.json", lambda: of_site(row, site, model, work))  # noqa: B023
    if not row.adapted:
        result["views"] = kept(work / "of_views.json", lambda: of_views(row, options.or_pictures, work))
        result["people"] = kept(work / "of_people.json", lambda: of_people(row, judged()))
    return result


def share_found(found: Mapping[str, Any], start: str, end: str) -> str:
    """Of all groups with such names, at the lowest score."""
    entries = [entry for name, entry in found.items() if name.startswith(start) and name.endswith(end)]
    wanted = sum(entry["wanted"] for entry in entries)
    return f"{sum(entry['at'][0] for entry in entries) / wanted:.0%} of {wanted}" if wanted else "-"


def markdown(results: Sequence[Mapping[str, Any]]) -> str:
    """The table, in three parts of the same rows."""
    of_pictures = [result for result in results if "views" in result]
    lines = [f"| faces covered | {' | '.join(TAGS)} | over-cover |", "|---" * (len(TAGS) + 2) + "|"]
    for result in of_pictures:
        cells = [f"{kept} of {of}" for kept, of in (result["views"]["faces"][tag] for tag in TAGS)]
        lines.append(f"| {result['name']} | {' | '.join(cells)} | {result['views']['over_cover']:.1%} |")
    lines += ["", f"| found at 0.1 | {' | '.join(GROUPS)} | false, empty room | ms |", "|---" * (len(GROUPS) + 3) + "|"]
    for result in of_pictures:
        found, false = result["people"]["found"], result["people"]["false"].get(EMPTY)
        cells = [share_found(found, *ends) for ends in GROUPS.values()]
        cells.append(f"{false['at'][0] / false['pictures']:.1f}" if false else "-")
        lines.append(f"| {result['name']} | {' | '.join(cells)} | {result['people']['milliseconds']:.0f} |")
    lines += ["", "| room | row | exposed | a camera-hour | longest | in all views | over-cover |", "|---" * 7 + "|"]
    for site in dict.fromkeys(name for result in results for name in result["sites"]):
        for result in results:
            if (room := result["sites"].get(site)) is None:
                continue
            lines.append(
                f"| {site} | {result['name']} | {room['exposed']} of {room['faces']:,} "
                f"| {room['exposed'] / room['camera_hours']:.0f} | {room['longest_s']:.1f} s "
                f"| {room['holistic']:.1%} | {room['over_cover']:.1%} |"
            )
    return "\n".join(lines)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    people_found.add_sets(parser)
    add = parser.add_argument
    add("--sites", type=Path, nargs="+", required=True, metavar="DIR", help="simulated sites")
    add("--models", type=Path, metavar="DIR", help="models of the sites, by their names")
    add("--work", type=Path, required=True, metavar="DIR", help="where outputs and figures are kept")
    add("--out", type=Path, required=True, metavar="JSON", help="where the figures go")
    options = parser.parse_args()
    try:
        judged = cache(lambda: people_found.judged_sets(options))
        results = [measured(row, options, judged) for row in ROWS]
    except UserError as error:
        sys.exit(str(error))
    options.out.write_text(json.dumps({"command": sys.argv, "rows": results}, indent=1) + "\n")
    print(markdown(results))


if __name__ == "__main__":
    main()
