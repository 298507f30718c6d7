"""What an attack is run against: functions that cover regions of a picture, exactly as the main job does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace

from or_mv_anon.attack.identities import Face
from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.config import OperatorConfig, PipelineConfig, load_config
from or_mv_anon.core.records import RegionKind, Regions
from or_mv_anon.models.detectors.protocol import Picture
from or_mv_anon.operators.cells import Method, cover
from or_mv_anon.operators.drawn.modifier_model import find_modifier
from or_mv_anon.operators.drawn.operator import LearnedOperator, LearnedSettings, load_learned
from or_mv_anon.video.frame import Frame, PictureScaler
from or_mv_anon.video.orientation import Orientation
from or_mv_anon.video.pixels import working_format

CAMERA_FORMAT = "yuv420p"  # what nearly every camera records


class Anonymizer(Protocol):
    """Covers regions of pictures.

    Attributes:
        name: method and strength, such as `pixelate 6`.
    """

    name: str

    def __call__(self, picture: Picture, regions: Boxes) -> Picture:
        """A copy of the upright BGR picture with the regions ``(N, 4)`` covered."""


class ProductAnonymizer:
    """An operator of the main job, on planes as a camera's decoder would give them."""

    def __init__(self, method: Method, config: OperatorConfig) -> None:
        self.method = method
        self.config = config
        strength = {"pixelate": f" {config.cells}", "blur": f" {config.blur_cells}"}.get(method, "")
        self.name = f"{method}{strength}"

    def __call__(self, picture: Picture, regions: Boxes) -> Picture:
        frame = as_frame(picture)
        cover(frame.planes(), regions, self.method, self.config)
        return frame.bgr()


def product(method: Method, config: OperatorConfig) -> Anonymizer:
    """The main job's operator `method` with the strength in `config`; `none` shows what the others are up against."""
    return ProductAnonymizer(method, config)


class LearnedAnonymizer:
    """The main job's `--method learned`; every picture stands for itself, nothing is remembered from the one before.

    Attributes:
        operator: `operator.counts` says how often the head was drawn, and why not.
    """

    name = "learned"

    def __init__(self, operator: LearnedOperator) -> None:
        self.operator = operator

    def __call__(self, picture: Picture, regions: Boxes) -> Picture:
        frame = as_frame(picture)
        count = len(regions)
        heads = Regions(
            frame=np.zeros(count),
            box=regions,
            kind=np.full(count, RegionKind.HEAD),
            track=np.full(count, -1),
            uncertainty=np.zeros(count),
        )
        self.operator.cover(frame, heads)
        return frame.bgr()


def learned(
    modifier: Path | None = None, *, config: PipelineConfig | None = None, weights_dir: Path | None = None
) -> LearnedAnonymizer:
    """The learned method, with the shipped network or another one.

    Args:
        modifier: the network's file; None for the shipped one.
        config: whose sections `learned` and `operators` count; None for the shipped settings.
        weights_dir: see `or_mv_anon.models.registry.fetch`.

    Raises:
        UserError: the network, or what judges its drawings, is not to be had.
    """
    config = config or load_config()
    settings = LearnedSettings(find_modifier(modifier), weights_dir, "cpu", "f32")
    return LearnedAnonymizer(LearnedOperator(load_learned(settings, config.learned), config.operators, config.learned))


def anonymized(faces: Sequence[Face], anonymizer: Anonymizer) -> list[Face]:
    """The same faces with their regions covered; landmarks stay those of the clear face (oracle alignment)."""
    return [replace(face, picture=anonymizer(face.picture, face.region)) for face in faces]


def as_frame(picture: Picture) -> Frame:
    """A BGR picture ``(H, W, 3)`` as a frame of 4:2:0 video that holds a copy of it."""
    height, width = picture.shape[:2]
    coloured = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="bgr24")
    native = coloured.reformat(
        width, height, CAMERA_FORMAT, dst_colorspace=Colorspace.ITU601, dst_color_range=ColorRange.MPEG
    )
    return Frame(0, 0, 0.0, False, native, working_format(CAMERA_FORMAT), Orientation(), PictureScaler())
