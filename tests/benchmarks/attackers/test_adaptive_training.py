"""A recognizer in two parts: together they are the whole, and the end learns."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

pytest.importorskip("torch")

from benchmarks.attackers.adaptive_training import (
    FIRST_TRAINED,
    DividedSFace,
    TrainedFurther,
    embed_features,
    train_further,
)
from or_mv_anon.attack.anonymizers import anonymized, product
from or_mv_anon.attack.identities import Face
from or_mv_anon.core.config import load_config
from or_mv_anon.core.errors import UserError
from or_mv_anon.models.recognizers import SFACE_TEMPLATE, SFace

LANDMARKS = (SFACE_TEMPLATE * 112).astype(np.float32)


def small_sface(path: Path, *, first_trained: str = FIRST_TRAINED) -> Path:
    """A graph with SFace's input, output and the layer where it is divided."""
    draw = np.random.default_rng(0)
    weights = {
        "middle": np.array([127.5]),
        "factor": np.array([1 / 128]),
        "first": draw.normal(size=(8, 3, 16, 16)) / 30,
        "second": draw.normal(size=(8, 8, 1, 1)) / 3,
        "matrix": draw.normal(size=(128, 8 * 7 * 7)) / 20,
        "offset": draw.normal(size=128) / 20,
    }
    nodes = [
        helper.make_node("Sub", ["data", "middle"], ["a"]),
        helper.make_node("Mul", ["a", "factor"], ["b"]),
        helper.make_node("Conv", ["b", "first"], ["c"], name="conv_1", strides=[16, 16], kernel_shape=[16, 16]),
        helper.make_node("Relu", ["c"], ["d"]),
        helper.make_node("Conv", ["d", "second"], ["e"], name=first_trained, kernel_shape=[1, 1]),
        helper.make_node("Flatten", ["e"], ["f"]),
        helper.make_node("Gemm", ["f", "matrix", "offset"], ["fc1"], transB=1),
    ]
    graph = helper.make_graph(
        nodes,
        "sface",
        [helper.make_tensor_value_info("data", TensorProto.FLOAT, [1, 3, 112, 112])],
        [helper.make_tensor_value_info("fc1", TensorProto.FLOAT, [1, 128])],
        [numpy_helper.from_array(value.astype(np.float32), name) for name, value in weights.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=8), path)
    return path


def people(count: int, pictures: int, *, seed: int) -> list[Face]:
    draw = np.random.default_rng(seed)
    region = np.array([[0, 0, 112, 112]], np.float32)
    faces = []
    for person in range(count):
        pattern = draw.uniform(60, 195, (7, 7, 3)).repeat(16, axis=0).repeat(16, axis=1)
        for _ in range(pictures):
            noisy = np.clip(pattern + draw.normal(0, 30, (7, 7, 3)).repeat(16, axis=0).repeat(16, axis=1), 0, 255)
            faces.append(Face(f"{seed}/{person}", noisy.astype(np.uint8), region, LANDMARKS))
    return faces


def test_the_parts_make_the_whole(tmp_path: Path) -> None:
    model = small_sface(tmp_path / "small.onnx")
    faces = people(3, 2, seed=0)
    pictures, landmarks = [face.picture for face in faces], np.stack([face.landmarks for face in faces])
    divided = DividedSFace(model)
    found = embed_features(divided.end(), divided.features(pictures, landmarks))
    np.testing.assert_allclose(found, SFace(model).embed(pictures, landmarks), atol=2e-3)


def test_the_end_learns_to_tell_people_apart_and_repeats_itself(tmp_path: Path) -> None:
    divided = DividedSFace(small_sface(tmp_path / "small.onnx"))
    faces = people(4, 4, seed=1)
    person = np.repeat(np.arange(4), 4)
    features = divided.features([face.picture for face in faces], np.stack([face.landmarks for face in faces]))

    def gap(vectors: np.ndarray) -> float:
        similarity, same = vectors @ vectors.T, person[:, None] == person[None]
        return float(similarity[same].mean() - similarity[~same].mean())

    before = gap(embed_features(divided.end(), features))
    trained = [embed_features(train_further(divided.end(), features, person, steps=12), features) for _ in range(2)]
    assert gap(trained[0]) > before + 0.02
    np.testing.assert_array_equal(*trained)


def test_it_attacks_people_it_never_saw(tmp_path: Path) -> None:
    attacker = TrainedFurther(DividedSFace(small_sface(tmp_path / "small.onnx")), steps=10)
    mosaic = product("pixelate", replace(load_config().operators, cells=7))
    attacked = people(4, 4, seed=2)
    gallery, probes = attacked[::2], attacked[1::2]
    attacker.fit(people(4, 4, seed=3), mosaic)
    similarity = attacker.similarity(anonymized(probes, mosaic), gallery)
    best = [gallery[column].identity for column in similarity.argmax(axis=1)]
    assert np.mean([name == face.identity for name, face in zip(best, probes, strict=True)]) > 0.6


def test_another_network_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="SFace"):
        DividedSFace(small_sface(tmp_path / "other.onnx", first_trained="other"))
