"""Which networks a run uses: the built-in ones, those of a site model, the user's own."""

from pathlib import Path

import pytest

from or_mv_anon.core.errors import UserError
from or_mv_anon.core.resources import resource
from or_mv_anon.models.network_file import Engine, NetworkFile
from or_mv_anon.models.site_model import SiteModel
from or_mv_anon.pipeline import weights
from or_mv_anon.pipeline.weights import NetworkChoice, find_weights, network_files
from tests.models.tiny_networks import write_tiny_query, write_tiny_yolox


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    monkeypatch.setattr(weights, "fetch", lambda name, **_: tmp_path / name)
    files = tmp_path / "own.py", tmp_path / "own.pth"
    for path in files:
        path.write_text(path.name)
    return files


def options(folder: Path, **changes: object) -> NetworkChoice:
    return NetworkChoice(**changes)  # type: ignore[arg-type]


def test_a_detector_of_the_users_own_takes_the_place_of_the_built_in_one(
    tmp_path: Path, own: tuple[Path, Path]
) -> None:
    asked = options(tmp_path, detector=own)
    found = find_weights(asked, {"room"})
    assert sorted(entry.role for entry in found) == ["detector", "detector_config", "face", "heads", "pose"]
    assert len({entry.sha256 for entry in found}) == 5, "a changed configuration is a changed network"
    settings = network_files(found, Engine()).by_role
    assert settings["detector"] == NetworkFile("mmdet", own[1], own[0])


def test_without_one_nothing_is_configured(tmp_path: Path, own: tuple[Path, Path]) -> None:
    asked = options(tmp_path)
    built_in = network_files(find_weights(asked, {"room"}), Engine()).by_role
    assert built_in["detector"] == NetworkFile("people_and_heads", tmp_path / "people-and-heads")
    assert built_in["face"].kind == "yunet"


def test_the_built_in_one_has_a_smaller_one(tmp_path: Path, own: tuple[Path, Path]) -> None:
    files = network_files(find_weights(options(tmp_path, fast=True), {"room"}), Engine()).by_role
    assert files["detector"] == NetworkFile("people_and_heads", tmp_path / "people-and-heads-8bit")


def test_one_file_of_the_users_own_is_recognized_by_its_graph(tmp_path: Path, own: tuple[Path, Path]) -> None:
    for name, write, kind in (("d.onnx", write_tiny_query, "query"), ("y.onnx", write_tiny_yolox, "yolox")):
        asked = options(tmp_path, detector=(write(tmp_path / name),))
        detector = network_files(find_weights(asked, {"room"}), Engine()).by_role["detector"]
        assert detector == NetworkFile(kind, tmp_path / name)
    (tmp_path / "t.onnx").write_bytes(b"no graph")
    with pytest.raises(UserError, match="not an ONNX model"):
        find_weights(options(tmp_path, detector=(tmp_path / "t.onnx",)), {"room"})
    with pytest.raises(UserError, match="3 files were given"):
        find_weights(options(tmp_path, detector=(*own, own[0])), {"room"})


@pytest.mark.parametrize("place", ["", "elsewhere"])
def test_a_registered_detector_goes_by_its_name(tmp_path: Path, place: str) -> None:
    asked = options(tmp_path, detector=(Path(place) / "yolox-tiny-rooms",))
    detector = network_files(find_weights(asked, {"room"}), Engine()).by_role["detector"]
    assert detector == NetworkFile("yolox", resource("data/yolox_tiny_rooms.onnx"))
    with pytest.raises(UserError, match="no such file"):
        find_weights(options(tmp_path, detector=(Path("yunet-2023mar"),)), {"room"})


def test_files_of_the_wrong_kind_are_refused(tmp_path: Path, own: tuple[Path, Path]) -> None:
    with pytest.raises(UserError, match=r"own\.pth is no such file"):
        find_weights(options(tmp_path, detector=own[::-1]), {"room"})
    with pytest.raises(UserError, match="missing"):
        find_weights(options(tmp_path, detector=(own[0], tmp_path / "missing.pth")), {"room"})


def test_two_person_detectors_are_refused(
    tmp_path: Path, own: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "load_site_model", lambda folder: SiteModel(folder=folder, detector=own[1]))
    with pytest.raises(UserError, match="leave out"):
        find_weights(options(tmp_path, detector=own, model=tmp_path), {"room"})
