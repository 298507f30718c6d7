"""The weights and sample commands, through argparse as a user runs them; no network is used."""

from __future__ import annotations

import argparse
import hashlib
import tarfile
from pathlib import Path

import pytest

from or_mv_anon import weights_cli
from or_mv_anon.core.errors import UserError
from or_mv_anon.models import catalogue, registry
from or_mv_anon.models.catalogue import Asset, Sample, Source

CONTENT = {
    "detector.onnx": b"detector",
    "face.onnx": b"faces",
    "four/cam01.mp4": b"video 1",
    "four/cam02.mp4": b"video 2",
}


def asset_of(file: str, *, optional: bool = False) -> Asset:
    content = CONTENT[file]
    return Asset(
        name=file.split(".")[0],
        role="role",
        file=file,
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        licence="MIT",
        sources=(Source(url="ftp://nowhere"),),
        optional=optional,
    )


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    known = {"detector": asset_of("detector.onnx"), "face": asset_of("face.onnx", optional=True)}
    files = (asset_of("four/cam01.mp4"), asset_of("four/cam02.mp4"))
    monkeypatch.setattr(catalogue, "known_weights", lambda: known)
    monkeypatch.setattr(
        catalogue, "known_samples", lambda: {"four-camera": Sample(name="s", title="t", licence="BSD", files=files)}
    )
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv(registry.WEIGHTS_VARIABLE, raising=False)
    cache = tmp_path / "cache" / "or_mv_anon"
    for file, content in CONTENT.items():
        (cache / file).parent.mkdir(parents=True, exist_ok=True)
        (cache / file).write_bytes(content)
    return cache


def run(*words: object) -> int:
    parser = argparse.ArgumentParser()
    weights_cli.add_parsers(parser.add_subparsers(required=True))
    args = parser.parse_args([str(word) for word in words])
    return args.func(args)


def test_list_shows_what_is_here(cache: Path, capsys) -> None:
    (cache / "face.onnx").unlink()
    assert run("weights", "list") == 0
    printed = capsys.readouterr().out
    assert str(cache / "detector.onnx") in printed
    assert "not fetched (optional)" in printed
    assert "licence: MIT" in printed


def test_fetch_leaves_out_optional_weights_unless_named(cache: Path, capsys) -> None:
    run("weights", "fetch")
    assert capsys.readouterr().out == f"detector: {cache / 'detector.onnx'}\n"
    run("weights", "fetch", "face")
    assert capsys.readouterr().out == f"face: {cache / 'face.onnx'}\n"


@pytest.mark.parametrize("name", ["bundle", "bundle.tar"])
def test_a_bundle_serves_as_weights_dir_where_nothing_else_is(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "media" / name
    assert run("weights", "bundle", target, "detector", "face") == 0
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "elsewhere"))
    assert registry.fetch("detector", weights_dir=target).read_bytes() == CONTENT["detector.onnx"]
    assert registry.fetch("face", weights_dir=target).read_bytes() == CONTENT["face.onnx"]
    if target.is_dir():
        assert (target / "weights.toml").is_file()
    else:
        with tarfile.open(target) as archive:
            assert "weights.toml" in archive.getnames()
    assert [p.name for p in target.parent.iterdir()] == [name]


def test_a_sparse_tar_member_does_not_fill_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A megabyte of headers may claim a terabyte of zeros."""
    claimed = 1 << 40
    header = tarfile.TarInfo("detector.onnx")
    header.size, header.type = 512, tarfile.GNUTYPE_SPARSE
    block = bytearray(header.tobuf(tarfile.GNU_FORMAT))
    block[386:398] = b"\x80" + (claimed - 512).to_bytes(11, "big")  # one stretch of data, at the end ...
    block[398:410] = b"%011o\0" % 512
    block[483:495] = b"\x80" + claimed.to_bytes(11, "big")
    block[148:156] = b"        "
    block[148:156] = b"%06o\0 " % sum(block)
    (tmp_path / "w.tar").write_bytes(bytes(block) + bytes(512) + bytes(1024))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "elsewhere"))
    with tarfile.open(tmp_path / "w.tar") as archive:
        assert archive.getmembers()[0].size == claimed
    with pytest.raises(UserError, match=f"found {claimed} bytes"):
        registry.fetch("detector", weights_dir=tmp_path / "w.tar")


def test_a_compressed_tar_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with tarfile.open(tmp_path / "w.tar", "w:gz") as archive:
        archive.addfile(tarfile.TarInfo("detector.onnx"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "elsewhere"))
    with pytest.raises(UserError, match="neither a folder nor a readable"):
        registry.fetch("detector", weights_dir=tmp_path / "w.tar")


def test_a_damaged_tar_member_names_both_hashes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "detector.onnx").write_bytes(b"wrong")
    with tarfile.open(tmp_path / "w.tar", "w") as archive:
        archive.add(tmp_path / "detector.onnx", "detector.onnx")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "elsewhere"))
    with pytest.raises(UserError, match=hashlib.sha256(b"wrong").hexdigest()):
        registry.fetch("detector", weights_dir=tmp_path / "w.tar")


def test_a_bundle_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError, match="Cannot write"):
        run("weights", "bundle", tmp_path / "file" / "bundle")


def test_sample_puts_videos_where_asked_and_repairs_them(tmp_path: Path) -> None:
    target = tmp_path / "site"
    assert run("sample", target) == 0
    (target / "cam02.mp4").write_bytes(b"half")
    assert run("sample", target) == 0
    assert {p.name: p.read_bytes() for p in target.iterdir()} == {"cam01.mp4": b"video 1", "cam02.mp4": b"video 2"}
    with pytest.raises(UserError, match="known are four-camera"):
        run("sample", target, "--name", "other")
