"""A face recognizer trained further on anonymized faces of other people: SFace's own weights, an angular margin.

The loss is CosFace's (Wang et al. 2018, "CosFace: Large Margin Cosine Loss"). Only the end of the network trains, from
`FIRST_TRAINED` on: what comes before runs once per picture, which is what makes this affordable on a CPU.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx.utils import Extractor
from torch.nn import functional
from tqdm import tqdm

from or_mv_anon.attack.anonymizers import Anonymizer, anonymized
from or_mv_anon.attack.attack import ADAPTIVE
from or_mv_anon.attack.identities import Face
from or_mv_anon.core.errors import UserError
from or_mv_anon.models import graphs
from or_mv_anon.models.detectors.protocol import Picture
from or_mv_anon.models.recognizers import align, unit
from or_mv_anon.models.runtime import load_model
from or_mv_anon.openmmlab.trainable_graph import TrainableGraph

FIRST_TRAINED = "conv_14_dw_conv2d"  # name of the first layer that trains: the last block and the matrix after it
MARGIN = 0.35  # of the cosine, as in the paper
SCALE = 30.0  # of the cosines, as in the paper for few people
BATCH = 32  # faces per step, and per call of the first part
LEARNING_RATE = 1e-4  # AdamW, cosine to zero
WEIGHT_DECAY = 1e-3


class DividedSFace:
    """SFace in two parts: one that stays as it is, and one that trains."""

    def __init__(self, model: Path, *, threads: int = 1) -> None:
        """Loads `model`, OpenCV Zoo's ONNX file.

        Raises:
            UserError: the file is no such model.
        """
        whole = onnx.load_from_string(graphs.sface(model))
        first = next((node for node in whole.graph.node if node.name == FIRST_TRAINED), None)
        if first is None:
            raise UserError(f"{model} is no SFace export: expected a layer {FIRST_TRAINED}.")
        self._between = first.input[0]
        whole.graph.value_info.append(onnx.helper.make_tensor_value_info(self._between, onnx.TensorProto.FLOAT, None))
        parts = Extractor(whole)
        front = parts.extract_model(["picture"], [self._between])
        self._end = parts.extract_model([self._between], ["vector"]).SerializeToString()
        self._front = load_model(front.SerializeToString(), device="cpu", precision="f32", threads=threads)

    def features(self, pictures: Sequence[Picture], landmarks: NDArray[np.float32]) -> NDArray[np.float16]:
        """What the fixed part makes of the faces at `landmarks` ``(N, 5, 2)``: ``(N, 1024, 7, 7)``."""
        found = []
        for first in range(0, len(pictures), BATCH):
            rows = range(first, min(first + BATCH, len(pictures)))
            crops = np.stack([align(pictures[row], landmarks[row], side=112) for row in rows])
            found.append(self._front.infer(crops)[self._between].astype(np.float16))
        return np.concatenate(found)

    def end(self) -> TrainableGraph:
        """The part that trains, with the published weights."""
        return TrainableGraph(self._end)


class TrainedFurther:
    """SFace trained further on other people's faces, anonymized by the very method; its gallery is anonymized too.

    Args:
        divided: SFace.
        steps: of training, for each anonymizer.
    """

    kind = ADAPTIVE
    name = "sface trained further"

    def __init__(self, divided: DividedSFace, *, steps: int) -> None:
        self._divided, self._steps = divided, steps
        self._fitted: tuple[Anonymizer, TrainableGraph] | None = None

    def fit(self, known: Sequence[Face], anonymizer: Anonymizer) -> None:
        """Train on `known`, two pictures each of two people at the very least."""
        person = np.unique([face.identity for face in known], return_inverse=True)[1]
        features = self._features(anonymized(known, anonymizer))
        self._fitted = anonymizer, train_further(self._divided.end(), features, person, steps=self._steps)

    def similarity(self, probes: Sequence[Face], gallery: Sequence[Face]) -> NDArray[np.float32]:
        assert self._fitted is not None, "fit comes first"
        anonymizer, end = self._fitted
        enrolled = embed_features(end, self._features(anonymized(gallery, anonymizer)))
        return embed_features(end, self._features(probes)) @ enrolled.T

    def _features(self, faces: Sequence[Face]) -> NDArray[np.float16]:
        return self._divided.features([face.picture for face in faces], np.stack([face.landmarks for face in faces]))


def train_further(
    end: TrainableGraph, features: NDArray[np.float16], person: NDArray[np.integer], *, steps: int, seed: int = 0
) -> TrainableGraph:
    """Teach the trainable part to tell known people apart by their anonymized faces; it is changed in place.

    Args:
        end: see `DividedSFace.end`.
        features: ``(N, ...)`` of anonymized faces of people who are not attacked, see `DividedSFace.features`.
        person: ``(N,)`` counts those people from 0.
        steps: batches.
        seed: of the batches.
    """
    draw, people = np.random.default_rng(seed), int(person.max()) + 1
    with torch.no_grad():
        vectors = torch.from_numpy(embed_features(end, features))
    labels = torch.from_numpy(person.astype(np.int64))
    centres = torch.stack([vectors[labels == each].mean(dim=0) for each in range(people)])
    classes = torch.nn.Parameter(functional.normalize(centres))
    optimizer = torch.optim.AdamW([*end.parameters(), classes], lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    shown = 1.0 if sys.stderr.isatty() else 30.0
    for _ in tqdm(range(steps), desc="recognizer", unit="step", mininterval=shown, leave=False):
        rows = draw.choice(len(features), min(BATCH, len(features)), replace=False)
        vector = functional.normalize(_vectors(end, features[rows]))
        cosine = vector @ functional.normalize(classes).T
        wanted = functional.one_hot(labels[rows], people)
        loss = functional.cross_entropy(SCALE * (cosine - MARGIN * wanted), labels[rows])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        schedule.step()
    return end


@torch.no_grad()
def embed_features(end: TrainableGraph, features: NDArray[np.float16]) -> NDArray[np.float32]:
    """Unit vectors ``(N, 128)`` of faces that the fixed part has seen."""
    parts = [_vectors(end, features[row : row + BATCH]).numpy() for row in range(0, len(features), BATCH)]
    return unit(np.concatenate(parts))


def _vectors(end: TrainableGraph, features: NDArray[np.float16]) -> torch.Tensor:
    return end(torch.from_numpy(features.astype(np.float32)))["vector"]
