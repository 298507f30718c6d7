"""Association and retrieval figures of the single-instant epipolar baseline on MVOR's real people and detections.

Every row is one source of people (the annotated ones, or one of five detectors' detections) with one source of
geometry: `calibration` and `true_pairs` are upper bounds that nobody has on site, `estimated` uses no labels at all.
Better methods are to be set beside `estimated`. The data are not shipped; name their folder with --mvor or with the
environment variable OR_MV_ANON_MVOR.

Example, about three minutes on two cores:
  python benchmarks/association_mvor.py --mvor annotations/ --out association_mvor.json
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from pathlib import Path
from typing import Any, get_args

from or_mv_anon.errors import UserError
from or_mv_anon.evaluation.association import AssociationScores, evaluate_association
from or_mv_anon.evaluation.mvor import DETECTORS, MVOR_VARIABLE, Mvor, find_mvor, load_detections, load_mvor
from or_mv_anon.evaluation.mvor_association import Geometry, annotated, associate, detected, geometries
from or_mv_anon.evaluation.mvor_retrieval import detector_average_precision, high_score, retrieve


def annotated_rows(mvor: Mvor) -> dict[str, Any]:
    """Association of the annotated people, by source of geometry."""
    people = {view.image: annotated(view) for instant in mvor.instants for view in instant.views.values()}
    rows = {}
    for kind in get_args(Geometry):
        result = evaluate_association(associate(mvor, people, geometries(mvor, people, kind)))
        rows[kind] = result.as_dict()
        tell("annotated", kind, result.overall)
    return rows


def detector_rows(mvor: Mvor, folder: Path, name: str) -> dict[str, Any]:
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
    for kind in get_args(Geometry):
        matrices = geometries(mvor, truth if kind == "true_pairs" else people, kind)
        pairs = list(associate(mvor, people, matrices))
        result, back = evaluate_association(pairs), retrieve(mvor, found, matrices, trusted=point.score)
        rows["association"][kind] = result.as_dict()
        rows["association_unknown_wrong"][kind] = evaluate_association(pairs, unknown="wrong").as_dict()
        rows["retrieval"][kind] = back.as_dict()
        tell(name, kind, result.overall)
        print(
            f"{'':27}",
            f"missed {back.missed} of {back.people}, reachable {back.reachable}, brought back {back.retrieved};",
            f"promoted {back.promoted}, right {back.promoted_right:.2f} (of all weaker {back.weaker_right:.2f})",
            flush=True,
        )
    return rows


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
    options = parser.parse_args()
    try:
        folder = find_mvor(options.mvor)
        if folder is None:
            raise UserError(f"Name the folder of MVOR's annotations with --mvor or ${MVOR_VARIABLE}.")
        mvor = load_mvor(folder)
        start = time.perf_counter()
        rows: dict[str, Any] = {"annotated": annotated_rows(mvor)}
        for name in options.detectors:
            rows[name] = detector_rows(mvor, folder, name)
    except UserError as error:
        sys.exit(str(error))
    about = {"instants": len(mvor.instants), "seconds": time.perf_counter() - start, "machine": platform.processor()}
    options.out.write_text(json.dumps({"about": about, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
