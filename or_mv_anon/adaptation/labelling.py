"""From findings to labelled images: the pictures of one iteration, and the held-out ones of all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.adaptation.coco import LabelledImage
from or_mv_anon.adaptation.decided import Decided, corrected_labels
from or_mv_anon.adaptation.decode import picture_size
from or_mv_anon.adaptation.head_boxes import HeadBoxes, label_head_boxes
from or_mv_anon.adaptation.material import Window
from or_mv_anon.adaptation.pseudo_labels import PseudoLabels, label_camera
from or_mv_anon.adaptation.results import CameraResults
from or_mv_anon.adaptation.sampling import Candidates, TimeUse, affordable, choose_frames, time_use
from or_mv_anon.adaptation.settings import HeadBoxConfig, LabelConfig, SamplingConfig
from or_mv_anon.core.config import PipelineConfig


class Labelling:
    """Everything that one iteration knows about the people in the windows.

    Args:
        windows: that were looked at.
        findings: by window, of every camera.
        labels: settings of the labels of people.
        heads: of those of heads.
        sampling: settings of the choice of frames.
        seed: of all draws.
        decided: what reviewers decided about the sessions.
        pipeline: the anonymizer's settings.
    """

    def __init__(
        self,
        windows: Sequence[Window],
        findings: Mapping[int, Sequence[CameraResults]],
        *,
        labels: LabelConfig,
        heads: HeadBoxConfig,
        pipeline: PipelineConfig,
        sampling: SamplingConfig,
        seed: int,
        decided: Decided | None = None,
    ) -> None:
        self._sampling = sampling
        self._seed = seed
        self._cameras = [(window, camera) for window in windows for camera in findings[window.number]]
        self._labels = [label_camera(camera, labels) for _, camera in self._cameras]
        if decided:
            self._labels = [
                corrected_labels(found, camera, decided.get(window.recording.session.name, ()), labels, pipeline.manual)
                for (window, camera), found in zip(self._cameras, self._labels, strict=True)
            ]
        self._heads = [
            None if camera.heads is None else label_head_boxes(camera, found, heads, pipeline)
            for (_, camera), found in zip(self._cameras, self._labels, strict=True)
        ]

    @property
    def people(self) -> int:
        """Trusted boxes in all frames that were looked at."""
        return sum(int(labels.trusted.sum()) for labels in self._labels)

    def training_images(self, iteration: int) -> list[LabelledImage]:
        """The pictures that the iteration trains on."""
        config = self._sampling
        size = self._largest()
        count = affordable(config.pictures, size, config)
        return self._chosen(TimeUse.TRAINING, count, [self._seed, 1, iteration])

    def held_out_images(self, chosen: Sequence[LabelledImage] | None = None) -> list[LabelledImage]:
        """The pictures that iterations are compared on, with this iteration's labels.

        Args:
            chosen: the same pictures as an earlier iteration labelled them; None chooses them.
        """
        if chosen is None:
            return self._chosen(TimeUse.HELD_OUT, self._sampling.held_out_pictures, [self._seed, 2])
        by_camera: dict[str, list[LabelledImage]] = {}
        for image in chosen:
            by_camera.setdefault(image.camera, []).append(image)
        images = []
        for (_, camera), labels, heads in zip(self._cameras, self._labels, self._heads, strict=True):
            mine = [entry for entry in by_camera.get(camera.name, []) if _inside(camera, entry.frame)]
            frames = np.array([entry.frame - camera.plan.first for entry in mine], np.int64)
            images += self._images(camera, labels, heads, frames, [entry.number for entry in mine])
        return images

    def _largest(self) -> tuple[int, int]:
        sizes = [picture_size(camera.size, self._sampling.long_side) for _, camera in self._cameras]
        return max(sizes, key=lambda size: size[0] * size[1])

    def _chosen(self, use: TimeUse, count: int, seed: Sequence[int]) -> list[LabelledImage]:
        candidates = []
        for (window, camera), labels in zip(self._cameras, self._labels, strict=True):
            uses = time_use(
                camera.seconds, start=window.start, end=window.end, config=self._sampling,
                seed=held_out_seed(self._seed, window),
            )  # fmt: skip
            candidates.append(Candidates(camera.seconds, camera.looked & (uses == use), labels, camera.size))
        images: list[LabelledImage] = []
        picks = choose_frames(candidates, count, config=self._sampling, seed=seed)
        for (_, camera), labels, heads, frames in zip(self._cameras, self._labels, self._heads, picks, strict=True):
            numbers = range(len(images) + 1, len(images) + 1 + len(frames))
            images += self._images(camera, labels, heads, frames, numbers)
        return images

    def _images(
        self,
        camera: CameraResults,
        labels: PseudoLabels,
        heads: HeadBoxes | None,
        frames: NDArray[np.int64],
        numbers: Sequence[int],
    ) -> list[LabelledImage]:
        size = picture_size(camera.size, self._sampling.long_side)
        scale = np.array([size[0] / camera.size[0], size[1] / camera.size[1]] * 2, np.float32)
        scaled = labels.replace(box=labels.box * scale, frame=labels.frame + camera.plan.first)
        spans = _spans(labels, frames)
        images = [
            LabelledImage(
                number=number,
                camera=camera.name,
                frame=int(frame) + camera.plan.first,
                time=float(camera.seconds[frame]),
                size=size,
                labels=scaled[span],
            )
            for number, frame, span in zip(numbers, frames.tolist(), spans, strict=True)
        ]
        if heads is None:
            return images
        found = heads.replace(box=heads.box * scale, frame=heads.frame + camera.plan.first)
        return [replace(image, heads=found[span]) for image, span in zip(images, _spans(heads, frames), strict=True)]


def held_out_seed(seed: int, window: Window) -> list[int]:
    """What draws the stretches of a window that are held out; the same for all cameras and iterations."""
    return [seed, 3, window.number]


def _spans(rows: PseudoLabels | HeadBoxes, frames: NDArray[np.int64]) -> list[slice]:
    """Where the rows of each frame lie; `rows` are ordered by frame."""
    starts = np.searchsorted(rows.frame, frames, side="left")
    stops = np.searchsorted(rows.frame, frames, side="right")
    return [slice(start, stop) for start, stop in zip(starts.tolist(), stops.tolist(), strict=True)]


def _inside(camera: CameraResults, frame: int) -> bool:
    return camera.plan.first <= frame < camera.plan.stop
