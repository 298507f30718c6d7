"""Association and retrieval figures on MVOR's real people and detections: the baseline and better methods beside it.

Every row is one source of people (the annotated ones, or one of five detectors' detections) with one method. The
baseline takes the nearest epipolar match in single instants: `calibration` and `true_pairs` are upper bounds of its
geometry that nobody has on site, `estimated` uses no labels at all. `synchrony` is the learned associator alone,
`joint` puts geometry, place, score and the third view together, `joint_synchrony` adds the learned associator. None of
the three uses labels; both take the estimated geometry. The data are not shipped; name their folder with --mvor or with
the environment variable OR_MV_ANON_MVOR.

Example, 24 minutes on two cores that others used as well:
  python benchmarks/association_mvor.py --mvor annotations/ --out association_mvor.json
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Literal, get_args

from benchmarks.mvor.association import Found, Geometry, annotated, associate, detected, geometries
from benchmarks.mvor.dataset import DETECTORS, MVOR_VARIABLE, Mvor, find_mvor, load_detections, load_mvor
from benchmarks.mvor.joint import Joint, associate_jointly, matches
from benchmarks.mvor.people import Crowd, Floats, crowds
from benchmarks.mvor.recovery import promote, transfer, without_duplicates
from benchmarks.mvor.retrieval import (
    Retrieval,
    count_retrieved,
    detector_average_precision,
    high_score,
    retrieve,
)
from benchmarks.mvor.synchrony import match_by_synchrony, synchrony_distances
from or_mv_anon.core.errors import UserError
from or_mv_anon.evaluation.association import AssociationScores, evaluate_association

Method = Literal["baseline", "synchrony", "joint", "joint_synchrony"]
Matrices = Mapping[tuple[int, int, int], Floats]


def annotated_rows(mvor: Mvor, methods: Collection[Method]) -> dict[str, Any]:
    """Association of the annotated people, by source of geometry and by method."""
    people = {view.image: annotated(view) for instant in mvor.instants for view in instant.views.values()}
    rows = {}
    for kind in get_args(Geometry) if "baseline" in methods else ():
        result = evaluate_association(associate(mvor, people, geometries(mvor, people, kind)))
        rows[kind] = result.as_dict()
        tell("annotated", kind, result.overall)
    matrices = geometries(mvor, people, "estimated")
    return rows | method_rows(mvor, "annotated", crowds(mvor, None), matrices, methods)


def detector_rows(mvor: Mvor, folder: Path, name: str, methods: Collection[Method]) -> dict[str, Any]:
    """A detector's own figures, association of its trusted detections and retrieval of the people it missed."""
    found = load_detections(folder, name)
    point = high_score(mvor, found)
    views = [view for instant in mvor.instants for view in instant.views.values()]
    people = {view.image: detected(view, found, least_score=point.score) for view in views}
    truth = {view.image: annotated(view) for view in views}
    rows: dict[str, Any] = {
        "average_precision": detector_average_precision(mvor, found),
        "trusted": point.as_dict(),
        "association": {},
        "association_unknown_wrong": {},
        "retrieval": {},
    }
    matrices = geometries(mvor, people, "estimated")
    for kind in get_args(Geometry) if "baseline" in methods else ():
        given = matrices if kind == "estimated" else geometries(mvor, truth, kind)
        pairs = list(associate(mvor, people, given))
        result, back = evaluate_association(pairs), retrieve(mvor, found, given, trusted=point.score)
        rows["association"][kind] = result.as_dict()
        rows["association_unknown_wrong"][kind] = evaluate_association(pairs, unknown="wrong").as_dict()
        rows["retrieval"][kind] = back.as_dict()
        tell(name, kind, result.overall)
        tell_retrieval(back)
    trusted = crowds(mvor, found, least_score=point.score)
    rows["association"] |= method_rows(mvor, name, trusted, matrices, methods)
    if "joint" in methods:
        rows["retrieval"] |= recovery_rows(mvor, without_duplicates(found), matrices, trusted=point.score)
    return rows


def method_rows(
    mvor: Mvor, source: str, people: Mapping[int, Crowd], matrices: Matrices, methods: Collection[Method]
) -> dict[str, Any]:
    """Association of a source's people by the methods other than the baseline."""
    rows = {}
    distances = synchrony_distances(mvor, people) if {"synchrony", "joint_synchrony"} & set(methods) else None
    if distances is not None and "synchrony" in methods:
        result = evaluate_association(match_by_synchrony(mvor, people, distances))
        rows["synchrony"] = result.as_dict()
        tell(source, "synchrony", result.overall)
    for name, extra in (("joint", None), ("joint_synchrony", distances)):
        if name in methods:
            joint = associate_jointly(mvor, people, matrices, distances=extra)
            result = evaluate_association(matches(joint, mvor, people))
            rows[name] = result.as_dict()
            tell(source, name, result.overall)
    return rows


def recovery_rows(mvor: Mvor, found: Found, matrices: Matrices, *, trusted: float) -> dict[str, Any]:
    """Retrieval among detections without duplicates, by the baseline and jointly, and transfer."""
    people = crowds(mvor, found)
    joint: Joint = associate_jointly(mvor, people, matrices)
    claims = promote(mvor, people, joint, trusted=trusted)
    simple, back = (
        retrieve(mvor, found, matrices, trusted=trusted),
        count_retrieved(mvor, found, claims, trusted=trusted),
    )
    placed = transfer(mvor, found, people, joint, claims)
    tell_retrieval(simple)
    tell_retrieval(back)
    print(
        f"{'':27} left {placed.left}, in both other views {placed.left_seen_twice}; placed {placed.placed}, "
        f"brought back {placed.brought_back}, right {placed.right:.2f}",
        flush=True,
    )
    return {
        "estimated_without_duplicates": simple.as_dict(),
        "joint_without_duplicates": back.as_dict(),
        "transfer": placed.as_dict(),
    }


def tell_retrieval(back: Retrieval) -> None:
    """One line below the table's."""
    print(
        f"{'':27}",
        f"missed {back.missed} of {back.people}, reachable {back.reachable}, brought back {back.retrieved};",
        f"promoted {back.promoted}, right {back.promoted_right:.2f} (of all weaker {back.weaker_right:.2f}), "
        f"wrong {back.promoted_wrong}",
        flush=True,
    )


def tell(source: str, kind: str, result: AssociationScores) -> None:
    """One line of the table."""
    print(
        f"{source:14} {kind:12}  AP {result.average_precision:.3f}  FPR-95 {result.fpr_95:.3f}  "
        f"precision {result.precision:.3f}  recall {result.recall:.3f}  accuracy {result.accuracy:.3f}  "
        f"IPAA-100 {result.ipaa['100']:.3f}",
        flush=True,
    )


def main() -> None:
    """Run all rows and write them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mvor", type=Path, help=f"folder of the annotations; default: ${MVOR_VARIABLE}")
    parser.add_argument("--out", type=Path, required=True, help="JSON to write")
    parser.add_argument("--detectors", nargs="*", choices=list(DETECTORS), default=list(DETECTORS))
    parser.add_argument("--methods", nargs="*", choices=get_args(Method), default=get_args(Method))
    options = parser.parse_args()
    try:
        folder = find_mvor(options.mvor)
        if folder is None:
            raise UserError(f"Name the folder of MVOR's annotations with --mvor or ${MVOR_VARIABLE}.")
        mvor = load_mvor(folder)
        start = time.perf_counter()
        rows: dict[str, Any] = {"annotated": annotated_rows(mvor, options.methods)}
        for name in options.detectors:
            rows[name] = detector_rows(mvor, folder, name, options.methods)
    except UserError as error:
        sys.exit(str(error))
    about = {"instants": len(mvor.instants), "seconds": time.perf_counter() - start, "machine": platform.processor()}
    options.out.write_text(json.dumps({"about": about, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
