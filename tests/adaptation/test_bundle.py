"""The bundle that adaptation writes is the bundle that the anonymizer reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from or_mv_anon.adaptation.bundle import BundleParts, write_bundle
from or_mv_anon.core.config import load_config
from or_mv_anon.core.errors import UserError
from or_mv_anon.models.detectors.dense import DenseDetector
from or_mv_anon.models.site_model import load_site_model
from or_mv_anon.pipeline import options as asked
from or_mv_anon.pipeline import quicker
from or_mv_anon.pipeline.options import Options
from or_mv_anon.pipeline.spec import effective_config
from tests.models.tiny_networks import write_tiny_yolox

THRESHOLDS = {
    "detector": {"tracking": {"high_score": 0.41}},
    "student": {"detection": {"input_long_side": 320}, "tracking": {}},
}


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    network = write_tiny_yolox(tmp_path / "network.onnx")
    files = {"detector": network, "student": network}
    write_bundle(tmp_path / "model", BundleParts(files=files, thresholds=THRESHOLDS, layout={"cam 1": (64, 48)}))
    return tmp_path / "model"


def test_what_was_written_is_read(bundle: Path) -> None:
    model = load_site_model(bundle)
    assert model.detector is not None
    assert model.detector.read_bytes() == (bundle.parent / "network.onnx").read_bytes()
    assert model.layout == {"cam 1": (64, 48)}
    assert model.thresholds["student"] == {"detection": {"input_long_side": 320}}


def test_a_new_bundle_replaces_the_old_one_and_its_files(bundle: Path) -> None:
    other = bundle.parent / "other.onnx"
    other.write_bytes((bundle.parent / "network.onnx").read_bytes() + b"\x00")
    write_bundle(bundle, BundleParts(files={"detector": other}))
    assert len(list(bundle.glob("*.onnx"))) == 1
    model = load_site_model(bundle)
    assert model.student is None
    assert model.detector is not None
    assert model.detector.read_bytes() == other.read_bytes()


def test_the_model_changes_settings_below_the_users_own(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = Options(videos=tmp_path, out=tmp_path)
    with_model = Options(videos=tmp_path, out=tmp_path, model=bundle)
    fast = Options(videos=tmp_path, out=tmp_path, model=bundle, fast=True)
    monkeypatch.setattr(asked, "smaller_is_quicker", lambda *_, **__: True)
    own = tmp_path / "own.toml"
    own.write_text("[tracking]\nhigh_score = 0.45")
    both = Options(videos=tmp_path, out=tmp_path, model=bundle, config=own)
    assert effective_config(plain) == load_config()
    assert effective_config(with_model).tracking.high_score == 0.41
    assert effective_config(both).tracking.high_score == 0.45
    assert effective_config(fast).detection.input_long_side == 320
    assert effective_config(fast).tracking == load_config(fast=True).tracking


def test_fast_without_a_smaller_detector_looks_less_often(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asked, "smaller_is_quicker", lambda *_, **__: False)
    fast = effective_config(Options(videos=tmp_path, out=tmp_path, fast=True))
    assert fast == load_config(fast=True)
    assert fast.detection.interval_s > load_config().detection.interval_s
    own = effective_config(Options(videos=tmp_path, out=tmp_path, fast=True, detect_every=0.05))
    assert own.detection.interval_s == 0.05


@pytest.mark.parametrize(("smaller", "taken"), [(0.5, True), (0.95, False), (2.0, False)])
def test_the_smaller_detector_is_taken_where_it_is_quicker(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, smaller: float, taken: bool
) -> None:
    small = THRESHOLDS["student"]["detection"]["input_long_side"]

    def seconds(detector: DenseDetector) -> float:
        return smaller if detector.input_size(1600, 900)[0] == small else 1.0

    monkeypatch.setattr(quicker, "seconds_of_a_look", seconds)
    chosen = Options(videos=tmp_path, out=tmp_path, model=bundle, fast=True)
    assert chosen.networks.fast is taken
    side = small if taken else load_config().detection.input_long_side
    assert effective_config(chosen).detection.input_long_side == side


def test_another_layout_is_told(bundle: Path) -> None:
    model = load_site_model(bundle)
    assert model.layout_mismatch({"cam 1": (64, 48)}) == ""
    assert "made for cam 1 (64x48)" in model.layout_mismatch({"cam 1": (640, 480)})
    assert "cam2" in model.layout_mismatch({"cam 1": (64, 48), "cam2": (64, 48)})


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (
            "[detector.thresholds.detection]\nmin_score = 1.0",
            "sets detection.min_score for its detector, which",
        ),
        ("[detector.thresholds.face]\nmin_score = 1.0", "sets face.min_score"),
        ("[detector.thresholds.regions]\nhead_scale = 1.2", "sets regions.head_scale"),
        ("[detector.thresholds.video]\ncrf = 51", "sets video.crf"),
        ("[detector.thresholds.tracking]\nlow_score = 0.1", "sets tracking.low_score"),
        ("[detector.thresholds.detection]\ninput_long_side = 320", "sets detection.input_long_side for its detector"),
        ("[detector.thresholds.tracking]\ntall_score = 0.4", "sets tracking.tall_score"),
        ("[detector.thresholds.tracking]\nhigh_score = 0.9", r"high_score .* is 0.9; expected 0.1 to 0.5 \(adaptation"),
        ("[detector.thresholds.tracking]\nlone_score = 0.0", "expected 0.1 to 0.15"),
        ("[detector.thresholds.tracking]\nlone_score = nan", "lone_score .* is nan; expected"),
        ("[detector.thresholds.tracking]\nlone_score = '0.1'", "expected float"),
        ("[student.thresholds.detection]\ninput_long_side = 32", "is 32; expected 224 to 1280"),
        ("[student.thresholds.detection]\ninterval_s = 1.0", "sets detection.interval_s for its student"),
        ("[detector.thresholds]\ntracking = 3", "must hold sections"),
    ],
)
def test_a_bundle_may_set_only_what_adaptation_sets_and_no_farther(
    bundle: Path, tmp_path: Path, lines: str, words: str
) -> None:
    listing = bundle / "model.toml"
    written = listing.read_text()
    for section in (
        "[detector.thresholds.tracking]\nhigh_score = 0.41",
        "[student.thresholds.detection]\ninput_long_side = 320",
    ):
        assert section in written
        written = written.replace(section, "")
    listing.write_text(f"{written}\n{lines}\n")
    with pytest.raises(UserError, match=words):
        effective_config(Options(videos=tmp_path, out=tmp_path, model=bundle))
