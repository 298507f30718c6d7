"""What `or-mv-anon doctor` says about machines that lack something."""

import argparse
import shutil

import pytest

from or_mv_anon import doctor
from or_mv_anon.audit import versions
from or_mv_anon.models import catalogue, registry, runtime


def levels(checks):
    return {check.subject: check.level for check in checks}


@pytest.fixture
def healthy(monkeypatch):
    """A machine that has everything, so that a test can take one thing away."""
    fine = doctor.Check("OK", "codec h264", "works")
    monkeypatch.setattr(doctor, "check_codecs", lambda: iter([fine]))
    monkeypatch.setattr(doctor, "check_weights", lambda weights_dir: iter(()))
    monkeypatch.setattr(doctor, "check_cache", lambda: iter(()))
    monkeypatch.setattr(doctor, "check_devices", lambda: iter(()))
    return monkeypatch


def test_this_machine_can_encode_h264():
    assert doctor.round_trip("libx264")
    with pytest.raises(Exception, match="nonsense"):
        doctor.round_trip("nonsense")


def test_a_missing_h264_encoder_fails_and_another_one_warns(monkeypatch):
    def broken(encoder):
        raise ValueError(encoder)

    monkeypatch.setattr(doctor, "round_trip", broken)
    assert levels(doctor.check_codecs()) == {
        "codec h264": "FAIL",
        "codec hevc": "WARN",
        "codec av1": "WARN",
        "codec vp9": "WARN",
    }


def test_exit_code_and_output(healthy, capsys, tmp_path):
    assert doctor.run(out=tmp_path) == 0
    assert "Ready." in capsys.readouterr().out
    healthy.setattr(doctor, "check_codecs", lambda: iter([doctor.Check("FAIL", "codec h264", "broken", "Do this.")]))
    assert doctor.run(out=tmp_path) == 1
    printed = capsys.readouterr().out
    assert "FAIL  codec h264: broken" in printed
    assert "Do this." in printed


def test_a_check_that_breaks_is_a_failure_and_the_others_go_on(healthy, tmp_path):
    def broken():
        raise RuntimeError("no such thing")

    healthy.setattr(doctor, "check_devices", broken)
    found = levels(doctor.examine(out=tmp_path))
    assert found["devices"] == "FAIL"
    assert "output" in found


def test_weights_that_are_absent_warn_and_damaged_ones_fail(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv(registry.WEIGHTS_VARIABLE, raising=False)
    packaged = {
        f"weights {name}" for name, asset in catalogue.known_weights().items() if asset.sources[0].packaged is not None
    }
    found = levels(doctor.check_weights(None))
    assert {found[name] for name in found.keys() - packaged} == {"WARN"}
    assert {found[name] for name in found.keys() & packaged} == {"OK"}
    folder = tmp_path / "weights"
    folder.mkdir()
    asset = next(
        asset
        for asset in catalogue.known_weights().values()
        if not asset.optional and asset.sources[0].packaged is None
    )
    (folder / asset.file).write_bytes(b"not a network")
    assert levels(doctor.check_weights(folder))[f"weights {asset.name}"] == "FAIL"


def test_an_output_folder_that_does_not_exist_yet_is_fine_and_stays_unmade(tmp_path):
    (check,) = doctor.check_folder("output", tmp_path / "a" / "b")
    assert check.level in ("OK", "WARN")
    assert list(tmp_path.iterdir()) == []


def test_an_output_folder_that_is_a_file_fails(tmp_path):
    (tmp_path / "file").write_text("")
    (check,) = doctor.check_folder("output", tmp_path / "file" / "deeper")
    assert check.level == "FAIL"


def test_no_write_permission_fails(monkeypatch, tmp_path):
    def denied(**_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(doctor.tempfile, "TemporaryFile", denied)
    (check,) = doctor.check_folder("output", tmp_path)
    assert (check.level, "Permission denied" in check.finding) == ("FAIL", True)


@pytest.mark.parametrize(("free", "level"), [(10**6, "FAIL"), (10**9, "WARN"), (10**12, "OK")])
def test_free_space(monkeypatch, tmp_path, free, level):
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(2 * free, free, free))
    (check,) = doctor.check_folder("output", tmp_path)
    assert check.level == level


@pytest.mark.parametrize(
    ("flags", "level", "word"),
    [("avx2 avx512f avx512_bf16", "OK", "bf16"), ("avx2", "OK", "f32"), ("sse4_2", "WARN", "no wide")],
)
def test_processor_features(monkeypatch, tmp_path, flags, level, word):
    monkeypatch.setattr(doctor.platform, "machine", lambda: "x86_64")
    (tmp_path / "cpuinfo").write_text(f"processor : 0\nflags : fpu {flags}\n")
    (check,) = doctor.check_processor(tmp_path / "cpuinfo")
    assert (check.level, word in check.finding) == (level, True)


@pytest.mark.parametrize(("card", "level"), [("/usr/bin/nvidia-smi", "WARN"), (None, "OK")])
def test_cuda_that_does_not_work_matters_only_with_a_card(monkeypatch, card, level):
    devices = [
        runtime.DeviceReport(name="cpu", usable=True, detail="x"),
        runtime.DeviceReport(name="cuda", usable=False, detail="no"),
    ]
    monkeypatch.setattr(runtime, "describe_devices", lambda: devices)
    monkeypatch.setattr(doctor.shutil, "which", lambda _: card)
    monkeypatch.setattr(doctor.Path, "exists", lambda _: False)
    assert levels(doctor.check_devices()) == {"device cpu": "OK", "device cuda": level}


def test_the_command_line_reaches_it(healthy, tmp_path):
    parser = argparse.ArgumentParser()
    doctor.add_parser(parser.add_subparsers())
    options = parser.parse_args(["doctor", "--out", str(tmp_path)])
    assert options.func(options) == 0


def test_packages_that_lie_over_one_another_are_named(monkeypatch):
    monkeypatch.setattr(versions, "_installed", lambda package: "1.0" if "opencv" in package else None)
    (warning,) = [check for check in doctor.check_versions() if check.level == "WARN"]
    assert "opencv-python and opencv-python-headless" in warning.finding
    assert "pip uninstall opencv-python opencv-python-headless" in warning.advice
