"""Settings that would switch protection off, in every file of settings: each is refused in one sentence, code 2."""

from __future__ import annotations

import math
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from or_mv_anon import settings_table
from or_mv_anon.adaptation.settings import AdaptationConfig, load_adaptation_config
from or_mv_anon.cli import main
from or_mv_anon.core.config import PipelineConfig, load_config
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.ranges import Range, checked
from or_mv_anon.core.settings_file import keys_of, sections_of
from or_mv_anon.endoscopy.settings import EndoscopyConfig, load_endoscopy_config
from or_mv_anon.endoscopy.training import settings as endoscopy_training
from or_mv_anon.head_training import settings as learned_training

FILES: dict[str, tuple[type[Any], Callable[..., Any]]] = {
    "pipeline": (PipelineConfig, load_config),
    "adaptation": (AdaptationConfig, load_adaptation_config),
    "endoscopy": (EndoscopyConfig, load_endoscopy_config),
    "endoscopy_training": (endoscopy_training.TrainingConfig, endoscopy_training.load_training_config),
    "learned": (learned_training.LearnedTrainingConfig, learned_training.load_training_config),
}
HUGE = 10**400
FAULTS = Path(__file__).resolve().parents[2] / "shared" / "data" / "faults"


def settings(kind: type[Any]) -> Iterator[tuple[str, Any]]:
    """Every setting's ``section.key`` and type."""
    for name, section in sections_of(kind).items():
        yield from ((f"{name}.{key}", hint) for key, hint in keys_of(section).items())


def limits_of(hint: Any) -> Range | None:
    notes = typing.get_args(hint)[1:] if typing.get_origin(hint) is typing.Annotated else ()
    return next((note for note in notes if isinstance(note, Range)), None)


@pytest.mark.parametrize("file", FILES)
def test_every_number_has_a_range_with_its_reason_and_nothing_else_passes(file: str) -> None:
    for name, hint in settings(FILES[file][0]):
        kind = typing.get_args(hint)[0] if typing.get_origin(hint) is typing.Annotated else hint
        limits = limits_of(hint)
        if limits is None:
            assert kind not in (int, float, list[int], list[float]), f"{name} has no range"
            continue
        assert len(limits.reason) > 10, name
        wrong: list[Any] = [
            limits.low - 1,
            limits.high + 1,
            math.nan,
            math.inf,
            -math.inf,
            HUGE,
            -HUGE,
            "1",
            True,
            None,
        ]
        wrong += [limits.high * 1.01 + 1e-6, {}, [[]]]
        for value in wrong:
            value = round(value) if kind is int and isinstance(value, float) and math.isfinite(value) else value
            if limits.holds(value) if type(value) in (int, float) else False:
                continue  # a whole number that rounding brought back
            with pytest.raises(UserError, match=name) as raised:
                checked(value, hint, name)
            assert len(str(raised.value)) < 400
            assert "\n" not in str(raised.value)
        for value in (limits.low, limits.high):
            value = value if kind not in (int, list[int]) else int(value)
            checked([value] if typing.get_origin(kind) is list else value, hint, name)


OFF = [  # file, section, key, value as TOML writes it
    ("pipeline", "detection", "min_score", "5.0"),
    ("pipeline", "face", "min_score", "1.0"),
    ("pipeline", "detection", "input_long_side", "0"),
    ("pipeline", "detection", "interval_s", "1e6"),
    ("pipeline", "detection", "nms_iou", "0.0"),
    ("pipeline", "face", "interval_s", "3600"),
    ("pipeline", "pose", "batch", "0"),
    ("pipeline", "appearance", "batch", "0"),
    ("pipeline", "tracking", "lone_score", "1.0"),
    ("pipeline", "tracking", "match_iou", "0.0"),
    ("pipeline", "face_tracking", "duplicate_iou", "0.0"),
    ("pipeline", "regions", "head_scale", "0"),
    ("pipeline", "regions", "box_head_share", "0"),
    ("pipeline", "operators", "cells", "0"),
    ("pipeline", "operators", "cells", "1000"),
    ("pipeline", "operators", "solid_luma", "9"),
    ("pipeline", "learned", "least_distance", "0.0"),
    ("pipeline", "video", "segment_s", "0"),
    ("pipeline", "verdict", "most_uncovered", "1.0"),
    ("pipeline", "verdict", "moving_s", "1e9"),
    ("endoscopy", "judging", "interval_s", "600"),
    ("endoscopy", "judging", "doubt", "1.0"),
    ("endoscopy", "smoothing", "certain", "1.0"),
    ("endoscopy", "smoothing", "leak_cost", "0.0"),
    ("adaptation", "thresholds", "lowest_share", "0.0"),
    ("adaptation", "training", "batch", "0"),
    ("adaptation", "criterion", "scores", "[]"),
    ("adaptation", "criterion", "scores", "[0.5, 7]"),
    ("endoscopy_training", "data", "families", "[1]"),
    ("learned", "training", "batch", "0"),
]


@pytest.mark.parametrize(("file", "section", "key", "value"), OFF)
def test_what_switches_protection_off_is_refused(tmp_path: Path, file: str, section: str, key: str, value: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(f"[{section}]\n{key} = {value}\n")
    with pytest.raises(UserError, match=rf"{section}\.{key} in .*mine\.toml is .*expected"):
        FILES[file][1](path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[tracking]\nlow_score = 0.6", r"tracking\.low_score is 0\.6 in .*mine.*high_score is 0\.5 in the shipped"),
        ("[face_tracking]\nhigh_score = 0.1", "low_score of at most high_score"),
        ("[detection]\ninterval_s = 0.9\n[tracking]\nfill_gap_s = 0.5", "covered only in the frames"),
        ("[face]\ninterval_s = 0.8\n[face_tracking]\nlost_buffer_s = 0.5", "forgotten before the next look"),
        ("[static_heads]\nleast_observations = 20\ninterval_s = 10.0", "window_s"),
        ("[learned]\nring = 0.3\nseam = 0.3", "less than 0.5 together"),
        ("[detection]\nmin_score = 0.1\n[detection]\nmin_score = 0.2", "not valid TOML"),
        ("[detection]\nmin_score = 0.1\nmin_score = 0.2", "not valid TOML"),
        ("detection = 3", r"Unknown section \[detection\]"),
        ("[detection]\nmin_score = 1979-05-27", "expected float"),
        (f"[video]\ncrf = {'9' * 5000}", "not valid TOML"),
        (f"a = {'[' * 5000}", "not valid TOML"),
        ("# " + "x" * (1 << 20), "longer than 1 MB"),
    ],
)
def test_what_does_not_fit_together_or_cannot_be_read(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(UserError, match=words):
        load_config(path)


@pytest.mark.parametrize("path", ["folder", "/dev/zero"])
def test_settings_that_are_no_file(tmp_path: Path, path: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(UserError, match="no regular file"):
        load_config(tmp_path / path)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--detect-every", "nan"],
        ["--detect-every", "100"],
        ["--crf", "-1"],
        ["--crf", "1000"],
        ["--workers", "100000"],
        ["--start", "nan"],
        ["--end", "inf"],
        ["--start", "1:x"],
    ],
)
def test_options_have_the_same_ranges(tmp_path: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    command = ["anonymize", "--videos", str(tmp_path), "--out", str(tmp_path / "out"), *arguments]
    try:
        code = main(command)
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    assert code == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert arguments[0] in last
    assert "expected" in last


@pytest.mark.skipif(not FAULTS.exists(), reason="the recordings with faults are not here")
def test_the_examples(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["anonymize", "--videos", str(FAULTS / "segments_flat"), "--out", str(tmp_path / "out")]
    assert main([*command, "--config", str(FAULTS / "min_score_5.toml")]) == 2
    assert "detection.min_score" in capsys.readouterr().err
    assert main([*command, "--model", str(FAULTS / "site_model_that_turns_detection_off")]) == 2
    assert "sets detection.min_score for its detector, which no site model may" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_documented_ranges_are_those_of_the_code() -> None:
    written = (Path(__file__).resolve().parents[1] / "docs" / "settings.md").read_text()
    assert written == settings_table.page(), "run: python -m or_mv_anon.settings_table > docs/settings.md"
