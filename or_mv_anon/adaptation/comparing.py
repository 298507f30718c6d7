"""Compares the detectors of all iterations on the same held-out pictures, and says when to stop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from or_mv_anon.adaptation.coco import LabelledImage
from or_mv_anon.adaptation.criterion import DetectorCurves, detect_pictures, judge_detector
from or_mv_anon.adaptation.settings import CriterionConfig
from or_mv_anon.adaptation.support import merge_support
from or_mv_anon.core.config import DetectionConfig
from or_mv_anon.core.pictures import PictureBank
from or_mv_anon.core.workers import available_cores
from or_mv_anon.models.detectors.protocol import Found
from or_mv_anon.models.detectors.yolox import PersonDetector
from or_mv_anon.models.runtime import Device


class Comparison:
    """The held-out pictures with everything that iterations say about them.

    Args:
        pictures: in memory.
        config: see `criterion`.
        device: for the detectors.
    """

    def __init__(self, pictures: PictureBank, config: CriterionConfig, *, device: Device) -> None:
        self._pictures = pictures
        self._config = config
        self._device: Device = device
        self._labels: list[Sequence[LabelledImage]] = []
        self._found: dict[str, Mapping[int, Found]] = {}

    @property
    def pictures(self) -> PictureBank:
        """The held-out pictures."""
        return self._pictures

    @property
    def names(self) -> set[str]:
        """The detectors that were run."""
        return set(self._found)

    @property
    def labelled(self) -> int:
        """How many iterations gave their labels."""
        return len(self._labels)

    def add_labels(self, images: Sequence[LabelledImage]) -> None:
        """What one more iteration supports in these pictures."""
        self._labels.append(images)

    def add_detector(self, name: str, network: Path, detection: DetectionConfig) -> None:
        """Run one more detector at the size of `detection`."""
        detector = PersonDetector(network, detection, device=self._device, threads=available_cores())
        self._found[name] = detect_pictures(detector, self._pictures)

    def curves(self) -> dict[str, DetectorCurves]:
        """Every detector's figures, with the support of all iterations so far."""
        config = self._config
        support = merge_support(self._labels, least_weight=config.least_weight, match_iou=config.match_iou)
        return {name: judge_detector(found, support, config) for name, found in self._found.items()}


def best_iteration(curves: Sequence[DetectorCurves], config: CriterionConfig) -> tuple[int, bool]:
    """The best iteration, and whether going on is worth while.

    A later iteration must gain `least_gain` over the best before it.

    Args:
        curves: from the starting detector on.
        config: least gain and patience.
    """
    best = 0
    for number, entry in enumerate(curves):
        if entry.criterion >= curves[best].criterion + config.least_gain:
            best = number
    return best, len(curves) - 1 - best < config.patience
