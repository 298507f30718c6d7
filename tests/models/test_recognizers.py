"""Alignment, unit vectors, and errors; with weights, that SFace is what OpenCV makes of it."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from or_mv_anon.attack.cached_recognizer import CachedRecognizer
from or_mv_anon.core.errors import UserError
from or_mv_anon.models import graphs, registry
from or_mv_anon.models.recognizers import (
    DLIB_TEMPLATE,
    SFACE_TEMPLATE,
    SFace,
    align,
    open_recognizers,
    similarity_transform,
    unit,
)
from tests.attack.toy_people import ToyRecognizer, toy_picture

POINTS = np.array([[40, 50], [70, 45], [56, 66], [46, 80], [72, 76]], np.float32)


def test_turn_scale_and_move_are_recovered() -> None:
    angle, scale = 0.3, 1.7
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = POINTS @ turn.T + [5, -3]
    assert similarity_transform(POINTS, moved) == pytest.approx(np.c_[turn, [5, -3]], abs=1e-4)


def test_a_face_is_never_mirrored() -> None:
    matrix = similarity_transform(POINTS, POINTS * [-1, 1])
    assert np.linalg.det(matrix[:, :2]) > 0


@pytest.mark.parametrize(("template", "margin"), [(SFACE_TEMPLATE, 0.0), (SFACE_TEMPLATE, 0.25), (DLIB_TEMPLATE, 0.0)])
def test_landmarks_come_to_lie_where_the_network_wants_them(template: np.ndarray, margin: float) -> None:
    picture = np.zeros((200, 200, 3), np.uint8)
    points = 60 * template + 50  # upright, so that they fit exactly
    for x, y in points.round().astype(int):
        cv2.circle(picture, (int(x), int(y)), 1, (255, 255, 255), -1)
    crop = align(picture, points.astype(np.float32), side=200, margin=margin, template=template)
    for x, y in ((template + margin) / (1 + 2 * margin) * 200).round().astype(int):
        assert crop[y - 3 : y + 4, x - 3 : x + 4].max() > 100


def test_vectors_have_length_one() -> None:
    assert unit(np.array([[3, 4], [0, 0]], np.float32)).tolist() == [[pytest.approx(0.6), pytest.approx(0.8)], [0, 0]]


WEIGHTS = np.random.default_rng(0).normal(size=(128, 3)).astype(np.float32)


def write_tiny_sface(path: Path) -> Path:
    """Scalars, a convolution and an average, under the names and with the fixed sizes of OpenCV Zoo's export."""
    weights = [
        numpy_helper.from_array(np.array([127.5], np.float32), "mean"),
        numpy_helper.from_array(np.array([1 / 128], np.float32), "scale"),
        numpy_helper.from_array(WEIGHTS[..., None, None], "weights"),
    ]
    nodes = [
        helper.make_node("Sub", ["data", "mean"], ["centred"]),
        helper.make_node("Mul", ["centred", "scale"], ["scaled"]),
        helper.make_node("Conv", ["scaled", "weights"], ["features"], kernel_shape=[1, 1]),
        helper.make_node("GlobalAveragePool", ["features"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["fc1"]),
    ]
    data = helper.make_tensor_value_info("data", TensorProto.FLOAT, [1, 3, 112, 112])
    vector = helper.make_tensor_value_info("fc1", TensorProto.FLOAT, [1, 128])
    graph = helper.make_graph(nodes, "tiny", [data], [vector], weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=6), path)
    return path


def test_sface_sees_red_green_blue_and_any_number_of_faces(tmp_path: Path) -> None:
    network = SFace(write_tiny_sface(tmp_path / "tiny.onnx"))
    pictures = [toy_picture(person, 0) for person in range(3)]
    points = np.repeat(POINTS[None], 3, axis=0)
    rgb = np.stack([align(picture, POINTS)[..., ::-1].mean(axis=(0, 1)) for picture in pictures]) - 127.5
    expected = unit((rgb @ WEIGHTS.T).astype(np.float32))
    assert network.embed(pictures, points) == pytest.approx(expected, abs=1e-3)
    assert network.embed(pictures[:1], points[:1]) == pytest.approx(expected[:1], abs=1e-3)
    assert len(network.embed([], points[:0])) == 0


def test_the_graph_of_sface_says_how_large_its_pictures_are(tmp_path: Path) -> None:
    (picture,) = onnx.load_from_string(graphs.sface(write_tiny_sface(tmp_path / "tiny.onnx"))).graph.input
    sides = [axis.dim_value for axis in picture.type.tensor_type.shape.dim]
    assert sides == [0, 112, 112, 3]  # 0: any number of them


def test_every_face_is_looked_at_once() -> None:
    toy = ToyRecognizer()
    cached = CachedRecognizer(toy)
    pictures = [toy_picture(person, 0) for person in (1, 2, 1)]
    points = np.repeat(POINTS[None], 3, axis=0)
    expected = ToyRecognizer().embed(pictures, points)
    assert (cached.embed(pictures, points) == expected).all()
    assert (cached.embed(pictures[::-1], points) == expected[::-1]).all()
    assert toy.faces == 2
    cached.embed(pictures[:1], points[:1] + 5)
    assert toy.faces == 3
    assert cached.embed([], points[:0]).shape == (0, 48)


def test_unknown_recognizers_are_named() -> None:
    with pytest.raises(UserError, match="known are sface, dlib"):
        open_recognizers(["arcface"])


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dlib", None)
    with pytest.raises(UserError, match=r"or_mv_anon\[attack\]"):
        open_recognizers(["dlib"])


@pytest.mark.sample
def test_sface_is_what_opencv_makes_of_it() -> None:
    try:
        path = registry.fetch("sface-2021dec")
    except UserError as error:
        pytest.skip(str(error))
    picture = toy_picture(1, 0)
    row = np.zeros((1, 15), np.float32)
    row[0, 4:14] = POINTS.reshape(-1)
    opencv = cv2.FaceRecognizerSF.create(str(path), "")
    aligned = opencv.alignCrop(picture, row)
    assert np.abs(aligned.astype(int) - align(picture, POINTS)).mean() < 0.5
    theirs = unit(np.asarray(opencv.feature(aligned), np.float32).reshape(1, -1))
    assert float(theirs[0] @ SFace(path).embed([picture], POINTS[None])[0]) > 0.999


@pytest.mark.sample
def test_dlib_tells_pictures_apart() -> None:
    pytest.importorskip("dlib")
    try:
        (network,) = open_recognizers(["dlib"])
    except UserError as error:
        pytest.skip(str(error))
    pictures = [toy_picture(1, 0), toy_picture(1, 1), toy_picture(2, 0)]
    first, same, other = network.embed(pictures, np.repeat(POINTS[None], 3, axis=0))
    assert float(first @ first) == pytest.approx(1, abs=1e-5)
    assert first @ same > first @ other
