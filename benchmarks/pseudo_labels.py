"""How good labels are that were made without a labeller, against exact ground truth.

Three things can happen to a person in a labelled picture: a trusted box, an ignored region, or neither, and then the
person is trained as background. The last is the one that hurts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.adaptation.coco import LabelledImage
from or_mv_anon.adaptation.pseudo_labels import PseudoLabels
from or_mv_anon.core import boxes as geometry
from or_mv_anon.core.box_matching import NOBODY, Candidates, Subjects, match
from or_mv_anon.core.figures import Figures, share
from or_mv_anon.core.records import Provenance
from or_mv_anon.core.truth import CameraTruth
from or_mv_anon.evaluation.detection_rules import DetectionRules, counts
from or_mv_anon.evaluation.frame_rows import rows_by_frame

IGNORED_SHARE = 0.5  # a person counts as left out of training when this share of the visible box is ignored


@dataclass(frozen=True)
class ProvenanceResult(Figures):
    """Trusted boxes of one origin: how many, how many lie on a person, and what share of all people those are.

    Boxes on people who do not count are left out.
    """

    boxes: int
    precision: float
    recall: float
    mean_weight: float


@dataclass(frozen=True)
class LabelResult(Figures):
    """All figures of a set of labels; people are rows of ground truth that count.

    Attributes:
        pictures, people: how many were judged.
        trusted: all trusted boxes together.
        by_provenance: by the name of the origin.
        ignored: share of people without a trusted box who lie in an ignored region.
        background: share of people who are trained as background.
    """

    pictures: int
    people: int
    trusted: ProvenanceResult
    by_provenance: Mapping[str, ProvenanceResult]
    ignored: float
    background: float


def judge_labels(
    images: Sequence[LabelledImage], truth: Mapping[str, CameraTruth], rules: DetectionRules | None = None
) -> LabelResult:
    """Judge labels against ground truth.

    Args:
        images: of one session; the last part of `camera` names the camera.
        truth: by camera.
        rules: who counts, and what counts as found.

    Raises:
        KeyError: there is no ground truth of a camera.
    """
    rules = rules or DetectionRules()
    rows_of = {name: rows_by_frame(camera.people.frame) for name, camera in truth.items()}
    hits, neutral, missed_in_region, people = [], [], 0, 0
    for image in images:
        name = image.camera.rpartition("/")[2]
        rows = rows_of[name].get(image.frame, np.zeros(0, np.intp))
        here = _Picture.of(image, truth[name], rows, rules)
        found = here.found(image.labels[image.labels.trusted], rules.iou)
        taken = np.append(here.counted, False)[found]
        hits.append(taken)
        neutral.append((found != NOBODY) & ~taken)
        left = here.counted.copy()
        left[found[taken]] = False
        missed_in_region += here.covered(image.labels[~image.labels.trusted].box, left)
        people += int(here.counted.sum())
    labels = PseudoLabels.concat([image.labels[image.labels.trusted] for image in images])
    hit, judged = np.concatenate([*hits, []]).astype(bool), ~np.concatenate([*neutral, []]).astype(bool)
    return LabelResult(
        pictures=len(images),
        people=people,
        trusted=_result(labels, hit, judged, people),
        by_provenance={
            kind.name.lower(): _result(labels, hit, judged & (labels.provenance == kind), people) for kind in Provenance
        },
        ignored=share(missed_in_region, people),
        background=share(people - int(hit.sum()) - missed_in_region, people),
    )


@dataclass(frozen=True)
class _Picture:
    """The people of one picture, in its pixels."""

    visible: NDArray[np.float32]
    amodal: NDArray[np.float32]
    counted: NDArray[np.bool_]

    @classmethod
    def of(cls, image: LabelledImage, camera: CameraTruth, rows: NDArray[np.intp], rules: DetectionRules) -> _Picture:
        people = camera.people[rows]
        scale = np.array([image.size[0] / camera.width, image.size[1] / camera.height] * 2, np.float32)
        return cls(people.visible_box * scale, people.amodal_box * scale, counts(people, rules))

    def found(self, labels: PseudoLabels, iou: float) -> NDArray[np.int64]:
        """The person each label lies on, `NOBODY` for none; whoever does not count may be boxed either way."""
        others = np.flatnonzero(~self.counted)
        subjects = Subjects(
            picture=np.zeros(len(self.visible) + len(others)),
            box=np.concatenate([self.visible, self.amodal[others]]),
            counted=np.concatenate([self.counted, np.zeros(len(others), bool)]),
        )
        candidates = Candidates(picture=np.zeros(len(labels)), box=labels.box, score=labels.weight)
        rows = np.concatenate([np.arange(len(self.visible)), others, [NOBODY]])
        return rows[match(subjects, candidates, iou=iou)]

    def covered(self, regions: NDArray[np.float32], left: NDArray[np.bool_]) -> int:
        """How many of the people `left` lie in one of the regions."""
        if not len(regions) or not left.any():
            return 0
        inside = geometry.containment(self.visible[left], regions).max(axis=1)
        return int((inside >= IGNORED_SHARE).sum())


def _result(labels: PseudoLabels, hit: NDArray[np.bool_], judged: NDArray[np.bool_], people: int) -> ProvenanceResult:
    count = int(judged.sum())
    return ProvenanceResult(
        boxes=count,
        precision=share(int(hit[judged].sum()), count),
        recall=share(int(hit[judged].sum()), people),
        mean_weight=share(float(labels.weight[judged].sum()), count),
    )
