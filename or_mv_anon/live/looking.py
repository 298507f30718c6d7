"""One look at several cameras at once: they share the networks, and the person detector sees all pictures together."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.config import PipelineConfig
from or_mv_anon.core.records import Columns
from or_mv_anon.core.run_layout import HEADS, PERSONS, STATIC_HEADS
from or_mv_anon.live.line import Held
from or_mv_anon.live.moments import Sight
from or_mv_anon.live.settings import LookingConfig
from or_mv_anon.models.detectors.protocol import Picture
from or_mv_anon.models.pose import Halpe26, PoseEstimator
from or_mv_anon.regions.detecting import detect_together, pictures_for
from or_mv_anon.regions.networks import DETECTOR, Networks
from or_mv_anon.regions.registry import observed_tables, observing
from or_mv_anon.regions.source import Batch
from or_mv_anon.video.frame import from_picture

FACE = "face"


@dataclass
class Look:
    """What the networks noted of one frame of one camera.

    Attributes:
        held: the frame.
        sources: names of the tables of the sources that look at it.
        tables: records by source; their frame is 0.
        flags: `FrameFlag`, which sources looked.
        picture: as the person detector saw it, ``(h, w, 3)``.
        grey: what is kept of it, ``(h, w)``.
        believed: whether the picture shows the room as it is.
        overdue: whether frames between it and the look before had been due.
    """

    held: Held
    sources: frozenset[str]
    tables: dict[str, Columns] = field(default_factory=dict)
    flags: int = 0
    picture: Picture | None = None
    grey: NDArray[np.uint8] | None = None
    believed: bool = True
    overdue: bool = False

    def sight(self, *, grey: bool = True) -> Sight:
        """What it found, without its picture; `grey` keeps the small one."""
        held, kept = self.held, self.grey if grey else None
        return Sight(held.number, held.time, held.frame.upright_size, self.tables, self.flags, self.believed, kept)


def look(looks: Sequence[Look], networks: Networks, config: PipelineConfig) -> None:
    """Fill `looks`, one per camera.

    Args:
        looks: at frames of several cameras.
        networks: to run.
        config: thresholds.

    Raises:
        Exception: whatever a network raises; nothing of these looks may be believed then.
    """
    detector = networks[DETECTOR]
    batches = [Batch([each.held.frame], each.held.frame.index) for each in looks]
    for each in looks:
        (each.picture,) = pictures_for(detector, [each.held.frame])
    seen = [(each.held.frame, each.picture) for each in looks if each.picture is not None]
    for batch, found in zip(batches, detect_together(detector, seen, at_once=networks.batch), strict=True):
        batch.persons, batch.heads = found
    for source in observing():
        for each, batch in zip(looks, batches, strict=True):
            table = PERSONS if source.table is HEADS else source.table  # heads come with the same pass
            if table is None or table.name not in each.sources:
                continue
            noted = batch.persons if source.table is PERSONS else source.observe(batch, batch.frames, networks, config)
            if noted is not None:
                each.tables[source.name] = noted
            each.flags |= int(source.flag)


def warm(loaded: Sequence[tuple[Networks, PipelineConfig]], size: tuple[int, int]) -> None:
    """Run everything once on a picture of `size`, (width, height): engines prepare themselves at the first one.

    Upright looks of all of `loaded` come first: an engine prepares itself best for the first shapes that it sees.
    """
    picture = np.full((size[1], size[0], 3), 114, np.uint8)
    everything = frozenset(table.name for table in observed_tables())
    for sources in (everything - {STATIC_HEADS.name}, everything):
        for networks, config in loaded:
            look([Look(Held(0.0, from_picture(picture, 0)), sources)], networks, config)
    loaded[0][0]["pose"].estimate(picture, np.array([[0, 0, *size]], np.float32))


class FewPoses:
    """A pose network that looks at some of the people only, others every time; those left out have no keypoints.

    Their heads are carried along from the time before, and the more uncertain, the more is covered.
    """

    def __init__(self, pose: PoseEstimator, most: int) -> None:
        """`most` people are looked at in one picture."""
        self._pose, self._most = pose, most
        self._random = np.random.default_rng(0)

    @property
    def provider(self) -> str:
        """See `PoseEstimator`."""
        return self._pose.provider

    def estimate(self, picture: Picture, boxes: Boxes) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """See `PoseEstimator`; scores are 0 for those who are left out."""
        if len(boxes) <= self._most:
            return self._pose.estimate(picture, boxes)
        chosen = np.sort(self._random.choice(len(boxes), self._most, replace=False))
        points = np.zeros((len(boxes), len(Halpe26), 2), np.float32)
        scores = np.zeros((len(boxes), len(Halpe26)), np.float32)
        points[chosen], scores[chosen] = self._pose.estimate(picture, boxes[chosen])
        return points, scores

    def estimate_together(
        self, looks: Sequence[tuple[Picture, Boxes]]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """See `PoseEstimator`; in each picture so many at most."""
        points, scores = zip(*(self.estimate(picture, boxes) for picture, boxes in looks), strict=True)
        return np.concatenate(points), np.concatenate(scores)


def live_thresholds(config: PipelineConfig, looking: LookingConfig) -> PipelineConfig:
    """The settings of the networks, as they look live: keypoints of fewer people."""
    pose = dataclasses.replace(
        config.pose,
        min_detection_score=max(config.pose.min_detection_score, looking.pose_least_score),
        known_head_score=min(config.pose.known_head_score, looking.pose_known_head),
    )
    return dataclasses.replace(config, pose=pose)


def fewer_poses(networks: Networks, most: int) -> Networks:
    """The same networks, of which the pose network looks at no more than so many people in a picture."""
    return Networks({**networks.by_role, "pose": FewPoses(networks["pose"], most)})


def smaller(networks: Networks, config: PipelineConfig, share: float) -> tuple[Networks, PipelineConfig]:
    """The same networks on pictures whose sides are `share` of the configured ones, and the settings that say so."""

    def sized(side: int) -> int:
        return max(224, round(side * share))

    detection = dataclasses.replace(config.detection, input_long_side=sized(config.detection.input_long_side))
    face = dataclasses.replace(config.face, input_long_side=max(320, sized(config.face.input_long_side)))
    changed = dataclasses.replace(config, detection=detection, face=face)
    by_role: Mapping[str, object] = {
        **networks.by_role,
        DETECTOR: networks[DETECTOR].with_settings(detection),
        FACE: networks[FACE].with_settings(face),
    }
    return Networks(by_role), changed
