"""Which networks a run uses: the built-in ones, those of a site model, the user's own."""

from pathlib import Path

import pytest

from or_mv_anon.core.errors import UserError
from or_mv_anon.models.site_model import SiteModel
from or_mv_anon.pipeline import plan
from or_mv_anon.pipeline.options import Options
from or_mv_anon.pipeline.plan import find_weights, model_settings


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    monkeypatch.setattr(plan, "fetch", lambda name, **_: tmp_path / name)
    files = tmp_path / "own.py", tmp_path / "own.pth"
    for path in files:
        path.write_text(path.name)
    return files


def options(folder: Path, **changes: object) -> Options:
    return Options(videos=folder, out=folder / "out", **changes)  # type: ignore[arg-type]


def test_a_detector_of_the_users_own_takes_the_place_of_the_built_in_one(
    tmp_path: Path, own: tuple[Path, Path]
) -> None:
    asked = options(tmp_path, detector=own)
    found = find_weights(asked, {"room"})
    assert sorted(entry.role for entry in found) == ["detector", "detector_config", "face", "pose"]
    assert len({entry.sha256 for entry in found}) == 4, "a changed configuration is a changed network"
    settings = model_settings(found, asked, threads=1)
    assert (settings.detector_config, settings.detector) == own


def test_without_one_nothing_is_configured(tmp_path: Path, own: tuple[Path, Path]) -> None:
    asked = options(tmp_path)
    assert model_settings(find_weights(asked, {"room"}), asked, threads=1).detector_config is None


def test_files_of_the_wrong_kind_are_refused(tmp_path: Path, own: tuple[Path, Path]) -> None:
    with pytest.raises(UserError, match=r"own\.pth is no such file"):
        find_weights(options(tmp_path, detector=own[::-1]), {"room"})
    with pytest.raises(UserError, match="missing"):
        find_weights(options(tmp_path, detector=(own[0], tmp_path / "missing.pth")), {"room"})


def test_two_person_detectors_are_refused(
    tmp_path: Path, own: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "load_site_model", lambda folder: SiteModel(folder=folder, detector=own[1]))
    with pytest.raises(UserError, match="leave out"):
        find_weights(options(tmp_path, detector=own, model=tmp_path), {"room"})
