"""What is decoded is what was hashed, or an error; how a file is read makes no difference."""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from or_mv_anon.core.records import BlockHashes
from or_mv_anon.core.seals import fingerprint
from or_mv_anon.core.store import RunStore
from or_mv_anon.pipeline.media import hash_camera
from or_mv_anon.site import Camera
from or_mv_anon.video import bound_file
from or_mv_anon.video.bound_file import BoundFile, InputChangedError, read_bound
from or_mv_anon.video.images import ImageFolderSource
from or_mv_anon.video.index import index_video
from or_mv_anon.video.reader import VideoSource
from or_mv_anon.video.segments import Segment
from tests.clips import write_clip


def hashes_of(*paths: Path) -> BlockHashes:
    blocks: list[tuple[int, int, bytes]] = []
    fingerprint(list(paths), block=lambda n, data: blocks.append((n, len(data), hashlib.sha256(data).digest())))
    return BlockHashes.of(blocks)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "cam.mp4", frames=40, size=(320, 240), gop=10, b_frames=2, audio="aac")


@settings(max_examples=30)
@given(
    steps=st.lists(st.tuples(st.sampled_from(["read", "set", "cur", "end"]), st.integers(-5, 30)), max_size=20),
    size=st.integers(0, 30),
)
def test_it_reads_like_a_file(
    steps: list[tuple[str, int]], size: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("bound") / "file"
    path.write_bytes(bytes(range(size)))
    with pytest.MonkeyPatch.context() as patch:
        for module in ("or_mv_anon.core.seals", "or_mv_anon.video.bound_file"):
            patch.setattr(f"{module}.BLOCK", 8)
        plain = io.BytesIO(path.read_bytes())
        with BoundFile(path, hashes_of(path)) as bound:
            for step, number in steps:
                if step == "read":
                    part = bound.read(max(0, number))
                    assert part == plain.read(len(part))
                    assert part or not number > 0 or plain.tell() >= size
                else:
                    whence = {"set": os.SEEK_SET, "cur": os.SEEK_CUR, "end": os.SEEK_END}[step]
                    place = bound.seek(number, whence)
                    assert place == max(0, {"set": 0, "cur": plain.tell(), "end": size}[step] + number)
                    plain.seek(place)
        assert read_bound(path, hashes_of(path)) == path.read_bytes()


def frames_of(clip: Path, hashes: BlockHashes | None, segment: Segment) -> list[bytes]:
    index = index_video(clip)
    source = VideoSource(index, hashes=None if hashes is None else lambda: hashes)
    return [frame.luma().pixels.tobytes() for frame in source.frames(segment)]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts", ".avi"])
def test_frames_are_the_same(tmp_path: Path, suffix: str) -> None:
    clip = write_clip(tmp_path / f"cam{suffix}", frames=30, gop=6)
    for segment in (Segment(0, 0, 30), Segment(1, 13, 20)):
        assert frames_of(clip, hashes_of(clip), segment) == frames_of(clip, None, segment)


def test_a_change_anywhere_is_an_error(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("or_mv_anon.core.seals", "or_mv_anon.video.bound_file"):
        monkeypatch.setattr(f"{module}.BLOCK", 4096)
    hashes, index, whole = hashes_of(clip), index_video(clip), clip.read_bytes()
    source = VideoSource(index, hashes=lambda: hashes)
    assert len(list(source.frames(Segment(0, 0, 40)))) == 40
    noticed = 0
    for place in range(0, len(whole), max(1, len(whole) // 25)):
        clip.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        try:
            list(source.frames(Segment(0, 0, 40)))
        except InputChangedError:
            noticed += 1
    assert noticed >= 24, "all but what decoding the pictures does not read"


@pytest.mark.parametrize("change", ["cut off", "gone", "replaced"])
def test_a_file_that_is_not_there_any_more(clip: Path, change: str) -> None:
    hashes, index = hashes_of(clip), index_video(clip)
    if change == "cut off":
        os.truncate(clip, clip.stat().st_size // 2)
    else:
        clip.unlink()
        if change == "replaced":
            write_clip(clip, frames=40, size=(320, 240), gop=10, b_frames=2, audio="aac", options={"crf": "40"})
    with pytest.raises(InputChangedError if change != "gone" else Exception, match=r"cam\.mp4"):
        list(VideoSource(index, hashes=lambda: hashes).frames(Segment(0, 0, 40)))


def test_pictures_are_held_to_their_hashes(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.bmp" for number in range(3)]
    for number, path in enumerate(paths):
        cv2.imwrite(str(path), np.full((8, 8, 3), number, np.uint8))
    source = ImageFolderSource(paths, fps=1, hashes=hashes_of(*paths))
    assert [frame.index for frame in source.frames(Segment(0, 0, 3))] == [0, 1, 2]
    cv2.imwrite(str(paths[1]), np.full((8, 8, 3), 9, np.uint8))
    with pytest.raises(InputChangedError, match=r"1\.bmp"):
        list(source.frames(Segment(0, 0, 3)))


def test_a_recording_that_changes_between_a_look_and_its_hash(tmp_path: Path, clip: Path) -> None:
    camera = Camera(name="cam", files=clip)
    store = RunStore.open(tmp_path / "stages")
    digest, size = hash_camera(camera, store.root)
    assert (digest, size) == (hashlib.sha256(clip.read_bytes()).hexdigest(), clip.stat().st_size)
    with pytest.raises(InputChangedError, match=r"cam\.mp4"):
        hash_camera(camera, store.root, expected=((0, 0, 0, 0, 0),))


def test_blocks_of_memory_stay_few(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("or_mv_anon.core.seals", "or_mv_anon.video.bound_file"):
        monkeypatch.setattr(f"{module}.BLOCK", 16)
    path = tmp_path / "file"
    path.write_bytes(bytes(4096))
    with BoundFile(path, hashes_of(path)) as file:
        while file.read(5):
            assert len(file._kept) <= bound_file.KEPT
