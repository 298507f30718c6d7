"""The detector of people and heads: a YOLOX with two classes, each with boxes of its own, in one pass.

Its file also serves as a `PersonDetector`, which reads the first class alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from or_mv_anon.models import graphs
from or_mv_anon.models.detectors.protocol import Found, Picture, Thresholds
from or_mv_anon.models.detectors.yolox import PersonDetector, of_class
from or_mv_anon.models.network_file import Engine, NetworkFile

CLASSES = ("person", "head")
PERSON, HEAD = range(len(CLASSES))


class PeopleAndHeadsDetector(PersonDetector):
    """Finds people, and heads whether or not their person is seen; see `DenseDetector` for `input_size`."""

    @staticmethod
    def prepare(path: Path, *, classes: int = len(CLASSES)) -> bytes:
        """The graph with the rows of both classes; raises UserError for a network that knows people alone."""
        return graphs.yolox(path, classes=classes)

    def detect(self, pictures: Sequence[Picture], *, size: tuple[int, int]) -> list[Found]:
        """The people alone."""
        return [people for people, _ in self.detect_classes(pictures, size=size)]

    def detect_classes(
        self, pictures: Sequence[Picture], *, size: tuple[int, int], weakest: float | None = None
    ) -> list[tuple[Found, Found]]:
        """As `detect`, but for each picture the people and the heads, these from the score `weakest` on, if given."""
        found: list[tuple[Found, Found]] = []
        for picture, heads in zip(pictures, self.infer(pictures), strict=True):
            people = self._select(of_class(heads, PERSON), picture=picture, size=size)
            of_head = self._select(of_class(heads, HEAD), picture=picture, size=size, least=weakest)
            found.append((people, of_head))
        return found


def open_file(file: NetworkFile, config: Thresholds, engine: Engine) -> PeopleAndHeadsDetector:
    """The detector in an ONNX export of `tools/train_detector.py`; see `families.open_detector`."""
    return PeopleAndHeadsDetector(
        file.path, config, device=engine.device, precision=engine.precision, threads=engine.threads
    )
