"""Configuration: the shipped file is complete, later layers win, and no slip in a file goes unnoticed."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from or_mv_anon.core.config import PipelineConfig, config_hash, load_config
from or_mv_anon.core.errors import UserError


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text)
    return path


def test_the_shipped_file_sets_every_value_with_its_own_type() -> None:
    config = load_config()
    for section in dataclasses.fields(PipelineConfig):
        values = getattr(config, section.name)
        for field in dataclasses.fields(values):
            value = getattr(values, field.name)
            if field.type in ("int", "float", "str"):
                assert type(value).__name__ == field.type, f"{section.name}.{field.name}"


def test_the_command_line_wins_over_the_file_and_the_file_over_the_defaults(tmp_path: Path) -> None:
    path = write(tmp_path, "[video]\ncrf = 30\npreset = 'fast'\n[detection]\ninterval_s = 1")
    config = load_config(path, {"video": {"crf": 40}})
    assert (config.video.crf, config.video.preset) == (40, "fast")
    assert config.detection.interval_s == 1.0
    assert isinstance(config.detection.interval_s, float)
    default = load_config()
    assert config.pose == default.pose
    assert config.detection == dataclasses.replace(default.detection, interval_s=1.0)


def test_loading_leaves_no_trace_for_the_next_time(tmp_path: Path) -> None:
    before = load_config()
    load_config(write(tmp_path, "[video]\ncrf = 51"), {"face": {"min_score": 0.5}})
    assert load_config() == before


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[viedo]\ncrf = 1", r"Unknown section \[viedo\] in .*mine.toml; known are .*video"),
        ("video = 3", r"Unknown section \[video\]"),
        ("[video]\ncfr = 1", r"Unknown key 'cfr' in \[video\] of .*mine.toml; known are .*crf"),
        ("[video]\ncrf = '20'", "video.crf in .*expected int"),
        ("[video]\ncrf = 20.5", "video.crf in .*expected int"),
        ("[video]\ncrf = true", "video.crf in .*expected int"),
        ("[video]\npreset = 1", "video.preset in .*expected str"),
        ("[video]\ncodec = 'mpeg2'", "video.codec in .*expected one of same, h264"),
        ("[detection]\nmin_score = -0.1", "detection.min_score .*expected 0 to 0.5"),
        ("[detection]\nmin_score = false", "detection.min_score .*expected float"),
        ("[detection", "not valid TOML"),
    ],
)
def test_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        load_config(write(tmp_path, text))


def test_nan_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"detection\.min_score"):
        load_config(write(tmp_path, "[detection]\nmin_score = nan"))


def test_unreadable_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"Cannot read .*gone.toml"):
        load_config(tmp_path / "gone.toml")
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="not valid TOML"):
        load_config(binary)


def test_overrides_are_checked_too() -> None:
    with pytest.raises(UserError, match="the command line"):
        load_config(overrides={"video": {"crf": "20"}})


@pytest.mark.parametrize("change", [{"crf": 21}, {"preset": "fast"}])
def test_hash_changes_with_any_value_and_only_then(change: dict[str, Any]) -> None:
    config = load_config()
    assert config_hash(config.video, "yolox") == config_hash(load_config().video, "yolox")
    assert config_hash(dataclasses.replace(config.video, **change), "yolox") != config_hash(config.video, "yolox")
    assert config_hash(config.video, "other") != config_hash(config.video, "yolox")
