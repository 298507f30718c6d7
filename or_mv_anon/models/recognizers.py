"""Face recognizers of unlike kinds: what an attacker compares faces with.

SFace (Zhong et al. 2021, "SFace: Sigmoid-Constrained Hypersphere Loss for Robust Face Recognition", as OpenCV Zoo
publishes it) and dlib's ResNet (King 2017): other networks, other losses, other training data, other alignment.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.errors import UserError
from or_mv_anon.models import graphs
from or_mv_anon.models.detectors.protocol import Picture
from or_mv_anon.models.registry import fetch
from or_mv_anon.models.runtime import Device, load_model

SFACE, DLIB = "sface", "dlib"
RECOGNIZERS = (SFACE, DLIB)
WEIGHTS = {SFACE: "sface-2021dec", DLIB: "dlib-face-resnet-v1"}
BATCH = 32  # faces per call: bounds the memory
# Where a face's landmarks lie in the crop that the network was trained on, as shares of its side. SFace: the template
# of ArcFace (Deng et al. 2019) for 112 px. dlib: the mean face of its 68-point annotation (image_processing/
# render_face_detections), its eye points averaged per eye, with the padding of 0.25 that the network expects.
SFACE_POINTS = [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
SFACE_TEMPLATE = (np.array(SFACE_POINTS) / 112).astype(np.float32)
DLIB_PADDING = 0.25
DLIB_POINTS = [[0.2255, 0.2160], [0.7548, 0.2160], [0.4901, 0.5156], [0.2541, 0.7802], [0.7261, 0.7802]]
DLIB_TEMPLATE = ((np.array(DLIB_POINTS) + DLIB_PADDING) / (1 + 2 * DLIB_PADDING)).astype(np.float32)
INSTALL_DLIB = "install it with: pip install 'or_mv_anon[attack]', or attack with --recognizers sface alone"


class Recognizer(Protocol):
    """Describes faces by vectors that are close for one person and far apart for two.

    Attributes:
        name: of the network.
        same_person: cosine similarity from which on the network's makers call two faces one person's.
    """

    name: str
    same_person: float

    def embed(self, pictures: Sequence[Picture], landmarks: NDArray[np.float32]) -> NDArray[np.float32]:
        """Unit vectors ``(N, D)`` of the faces at `landmarks` ``(N, 5, 2)`` in N upright BGR pictures."""


class SFace:
    """SFace through the runtime of the other models, always in 32-bit floats so that scores are comparable."""

    name = SFACE
    same_person = 0.363  # OpenCV's documentation of FaceRecognizerSF

    def __init__(self, model: Path, *, device: Device = "cpu", threads: int = 1) -> None:
        """Loads `model`, OpenCV Zoo's ONNX file.

        Raises:
            UserError: the file is no such model, or the device is not to be had.
        """
        self._model = load_model(graphs.sface(model), device=device, precision="f32", threads=threads)

    def embed(self, pictures: Sequence[Picture], landmarks: NDArray[np.float32]) -> NDArray[np.float32]:
        parts = [np.zeros((0, 128), np.float32)]
        for first in range(0, len(pictures), BATCH):
            rows = range(first, min(first + BATCH, len(pictures)))
            crops = np.stack([align(pictures[row], landmarks[row], side=112) for row in rows])
            parts.append(self._model.infer(crops)["vector"])
        return unit(np.concatenate(parts))


class DlibResNet:
    """dlib's ResNet with 29 layers; it wants 150 px and more of the head than SFace."""

    name = DLIB
    same_person = 0.911  # dlib documents a distance of 0.6 between vectors, whose length is about 1.42

    def __init__(self, model: Path) -> None:
        """Loads `model`, dlib's `dlib_face_recognition_resnet_model_v1.dat`.

        Raises:
            UserError: the optional package is missing, or the file is no such model.
        """
        try:
            self._network: Any = _dlib().face_recognition_model_v1(str(model))
        except RuntimeError as error:
            raise UserError(f"{model} is not dlib's face recognition network ({error}).") from error

    def embed(self, pictures: Sequence[Picture], landmarks: NDArray[np.float32]) -> NDArray[np.float32]:
        vectors = np.zeros((len(pictures), 128), np.float32)
        for row, (picture, points) in enumerate(zip(pictures, landmarks, strict=True)):
            crop = align(picture, points, side=150, template=DLIB_TEMPLATE)
            rgb = np.ascontiguousarray(crop[..., ::-1])
            vectors[row] = np.array(self._network.compute_face_descriptor(rgb), np.float32)
        return unit(vectors)


def open_recognizers(
    names: Sequence[str] = RECOGNIZERS, *, weights_dir: Path | None = None, threads: int = 1
) -> list[Recognizer]:
    """The recognizers called `names`.

    Args:
        names: of `RECOGNIZERS`.
        weights_dir: see `or_mv_anon.models.registry.fetch`.
        threads: CPU threads of those that can use several; 0 leaves it to the engine.

    Raises:
        UserError: there is none of that name, its package is missing, or its weights are not to be had.
    """
    opened: list[Recognizer] = []
    for name in names:
        if name not in RECOGNIZERS:
            raise UserError(f"There is no recognizer '{name}'; known are {', '.join(RECOGNIZERS)}.")
        if name == DLIB:
            _dlib()  # before a download that would be in vain
        path = fetch(WEIGHTS[name], weights_dir=weights_dir)
        opened.append(SFace(path, threads=threads) if name == SFACE else DlibResNet(path))
    return opened


def align(
    picture: Picture,
    landmarks: NDArray[np.float32],
    *,
    side: int = 112,
    margin: float = 0.0,
    template: NDArray[np.float32] = SFACE_TEMPLATE,
) -> Picture:
    """The face upright and to scale in a square crop.

    Args:
        picture: BGR ``(H, W, 3)``.
        landmarks: ``(5, 2)`` pixels in it.
        side: of the crop in pixels.
        margin: how much more than the template's square the crop shows, as a share of its side on every side.
        template: where the landmarks come to lie, ``(5, 2)`` shares of the template's square.

    Returns:
        ``(side, side, 3)``; black where the picture has nothing.
    """
    wanted = (template + margin) / (1 + 2 * margin) * side
    crop = cv2.warpAffine(picture, similarity_transform(landmarks, wanted), (side, side), flags=cv2.INTER_LINEAR)
    return crop.astype(np.uint8, copy=False)


def similarity_transform(points: NDArray[np.float32], wanted: NDArray[np.float32]) -> NDArray[np.float64]:
    """The matrix ``(2, 3)`` of turning, scaling and moving that brings `points` closest to `wanted`, both ``(N, 2)``.

    The least-squares solution without mirroring (Umeyama 1991), which in the complex plane is one division.
    """
    source, target = points.astype(np.float64) @ [1, 1j], wanted.astype(np.float64) @ [1, 1j]
    centred = source - source.mean()
    turn = (centred.conj() @ (target - target.mean())) / (centred.conj() @ centred).real
    move = target.mean() - turn * source.mean()
    return np.array([[turn.real, -turn.imag, move.real], [turn.imag, turn.real, move.imag]])


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows scaled to length 1; rows of zeros stay."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0)


def _dlib() -> ModuleType:
    try:
        return importlib.import_module("dlib")
    except ImportError as error:
        raise UserError(f"The recognizer 'dlib' needs the package dlib; {INSTALL_DLIB}.") from error
