"""Whom joint association brings back on MVOR: weaker detections promoted, and people placed where nothing was found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.mvor.association import NOTHING, Found
from benchmarks.mvor.dataset import Mvor, MvorDetections, MvorInstant
from benchmarks.mvor.joint import Joint, assign_likely, probabilities
from benchmarks.mvor.people import Crowd, Floats, boxes_of
from benchmarks.mvor.place_map import PlaceMap
from benchmarks.mvor.retrieval import SAME_BOX_IOU, missed_people
from or_mv_anon.core import boxes as geometry
from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.figures import Figures, share

ROUGH_IOU = 0.3  # of a placed box with the person whom it is meant for
DUPLICATE_IOU = 0.7
LEAST_PROBABILITY = 0.05  # that somebody is whom another view trusts; covering too many is the lesser evil
TAKEN_IOU = 0.3  # with a person who is covered already
AGREEMENT = 3.0  # standard deviations by which what two views expect may differ
EDGE = 0.95  # of the picture's half side; the expected place must be within

Claims = Mapping[int, NDArray[np.bool_]]


@dataclass(frozen=True)
class Transfer(Figures):
    """What placing people by two other views brings back, after promotion.

    Attributes:
        left: people whom neither a trusted nor a promoted detection shows (IoU 0.5).
        left_seen_twice: of them, those whom both other views show to a trusted or promoted detection.
        placed: boxes where nothing was found.
        brought_back: of `left`, those with a placed box (IoU 0.3).
        right: share of the placed boxes that lie on an annotated person (IoU 0.3).
    """

    left: int
    left_seen_twice: int
    placed: int
    brought_back: int
    right: float


def without_duplicates(found: Found) -> dict[int, MvorDetections]:
    """The same detections less those that a better one of the same picture overlaps by much."""
    kept = {
        image: np.sort(geometry.nms(rows.boxes, rows.scores.astype(np.float32), iou_threshold=DUPLICATE_IOU))
        for image, rows in found.items()
    }
    return {image: MvorDetections(found[image].boxes[rows], found[image].scores[rows], found[image].points[rows])
            for image, rows in kept.items()}  # fmt: skip


def promote(mvor: Mvor, people: Mapping[int, Crowd], joint: Joint, *, trusted: float) -> Claims:
    """Mask of each picture's detections that are trusted, or that may well be somebody whom another view trusts."""
    sure = {image: crowd.scores >= trusted for image, crowd in people.items()}
    claimed = {image: mask.copy() for image, mask in sure.items()}
    for (moment, first, second), log_odds in joint.log_odds.items():
        views = mvor.instants[moment].views
        one, other = views[first].image, views[second].image
        for table, here, there in ((log_odds, one, other), (log_odds.T, other, one)):
            likely = probabilities(table[sure[here]]) >= LEAST_PROBABILITY
            claimed[there] |= likely.any(axis=0)
    return claimed


def transfer(mvor: Mvor, found: Found, people: Mapping[int, Crowd], joint: Joint, claims: Claims) -> Transfer:
    """Place people who are in two views and not in the third there, and count whom that brings back.

    Args:
        mvor: the annotated instants.
        found: what the detector found.
        people: the same by image number.
        joint: outcome of the association of `people`.
        claims: masks of trusted and promoted people.
    """
    left = twice = placed = back = right = 0
    for moment, instant in enumerate(mvor.instants):
        gone = {camera: _uncovered(instant, camera, found, claims) for camera in instant.views}
        for camera, view in instant.views.items():
            boxes = _placed(moment, instant, camera, people, joint, claims)
            overlap = geometry.iou(view.boxes, boxes) >= ROUGH_IOU
            left += int(gone[camera].sum())
            others = [set(each.identities[~gone[c]].tolist()) for c, each in instant.views.items() if c != camera]
            seen = set.intersection(*others) - {-1}
            twice += int((gone[camera] & np.isin(view.identities, list(seen))).sum())
            placed += len(boxes)
            back += int((gone[camera] & overlap.any(axis=1)).sum())
            right += int(overlap.any(axis=0).sum())
    return Transfer(left=left, left_seen_twice=twice, placed=placed, brought_back=back, right=share(right, placed))


def _uncovered(instant: MvorInstant, camera: int, found: Found, claims: Claims) -> NDArray[np.bool_]:
    view = instant.views[camera]
    rows = found.get(view.image, NOTHING)
    trusted = claims[view.image]
    overlap = geometry.iou(view.boxes, rows.boxes[trusted]) >= SAME_BOX_IOU
    return np.asarray(missed_people(view, rows, np.inf) & ~overlap.any(axis=1))


def _placed(
    moment: int, instant: MvorInstant, camera: int, people: Mapping[int, Crowd], joint: Joint, claims: Claims
) -> Boxes:
    """Boxes (N, 4) of people who are in the two other views and not here."""
    first, second = sorted(set(instant.views) - {camera})
    images = {number: view.image for number, view in instant.views.items()}
    mine = [claims[images[number]] for number in (first, second)]
    log_odds = np.where(mine[0][:, None] & mine[1][None, :], joint.log_odds[moment, first, second], -np.inf)
    pairs = assign_likely(log_odds)
    found_here = _matches_here(moment, (first, second), camera, joint, claims[images[camera]])
    here = [set(match[:, 0].tolist()) for match in found_here]
    pairs = np.array([p for p in pairs.tolist() if p[0] not in here[0] and p[1] not in here[1]]).reshape(-1, 2)
    sides = [people[images[number]].places[pairs[:, k].astype(int)] for k, number in enumerate((first, second))]
    places, apart = _fuse([joint.maps[number, camera] for number in (first, second)], sides)
    boxes = boxes_of(places)
    crowd = people[images[camera]]
    taken = (geometry.iou(boxes, crowd.boxes[claims[images[camera]]]) >= TAKEN_IOU).any(axis=1)
    inside = (np.abs(places[:, :2]) <= EDGE).all(axis=1)
    return np.asarray(boxes[inside & ~taken & (apart <= AGREEMENT)])


def _matches_here(
    moment: int, others: tuple[int, int], camera: int, joint: Joint, claimed: NDArray[np.bool_]
) -> Iterator[NDArray[np.int64]]:
    for number in others:
        first, second = sorted((number, camera))
        table = joint.log_odds[moment, first, second]
        yield assign_likely(np.where(claimed, table if number < camera else table.T, -np.inf))


def _fuse(maps: list[PlaceMap], sides: list[Floats]) -> tuple[Floats, Floats]:
    """Places (N, 4) by what both views expect, weighted by their certainty, and how far the two are apart (N,)."""
    expected = [each.at(side) for each, side in zip(maps, sides, strict=True)]
    precision = [np.linalg.inv(each.covariance) for each in maps]
    total = sum(values @ weight for values, weight in zip(expected, precision, strict=True))
    places = total @ np.linalg.inv(precision[0] + precision[1])
    difference = expected[0] - expected[1]
    joint = np.linalg.inv(maps[0].covariance + maps[1].covariance)
    return np.asarray(places), np.sqrt(np.einsum("ni,ij,nj->n", difference, joint, difference))
