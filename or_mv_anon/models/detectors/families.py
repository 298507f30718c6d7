"""The families of detectors by the `kind` that weights.toml and model.toml name; a new one is one more entry.

Families that need packages which not everybody has register themselves where they are used (see `register`), so that
nothing here imports them.
"""

from __future__ import annotations

from pathlib import Path

from or_mv_anon.core.errors import UserError
from or_mv_anon.models.detectors import people_and_heads, query, yolox, yunet
from or_mv_anon.models.detectors.protocol import Detector, Opener, Thresholds
from or_mv_anon.models.graphs import classes_with_boxes, read_onnx
from or_mv_anon.models.network_file import Engine, NetworkFile

FAMILIES: dict[str, Opener] = {
    "yolox": yolox.open_file,
    "people_and_heads": people_and_heads.open_file,
    "yunet": yunet.open_file,
    "query": query.open_file,
}
PERSON_KINDS = ("yolox", "people_and_heads", "query")
"""Families of ONNX files that find people."""


def register(kind: str, opener: Opener) -> None:
    """Add a family, or put another in its place."""
    FAMILIES[kind] = opener


def open_detector(file: NetworkFile, config: Thresholds, engine: Engine) -> Detector:
    """The loaded detector.

    Raises:
        UserError: the kind is unknown, the file is no such network, or the device is not to be had.
    """
    if file.kind not in FAMILIES:
        raise UserError(f"{file.path} is a detector of kind '{file.kind}'; known are {', '.join(FAMILIES)}.")
    return FAMILIES[file.kind](file, config, engine)


def kind_of(path: Path) -> str:
    """The family of an ONNX file that finds people, from the names in its graph.

    Raises:
        UserError: it is no ONNX file, or of no family that is known.
    """
    graph = read_onnx(path).graph
    if query.is_query_graph([output.name for output in graph.output]):
        return "query"
    if (classes := classes_with_boxes(graph)) is not None:
        return "yolox" if classes < len(people_and_heads.CLASSES) else "people_and_heads"
    raise UserError(
        f"{path} is no detector of a known layout: expected mmdet's YOLOX heads, or the outputs of an end-to-end "
        f"detector ({query.LAYOUTS_IN_WORDS}); found the outputs {', '.join(output.name for output in graph.output)}."
    )
