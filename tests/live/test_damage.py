"""Damage that HEVC's decoder keeps to itself leaves the live tool covered, and so does what waits in the line then."""

from __future__ import annotations

import random
from pathlib import Path

import av

from or_mv_anon.cli import main
from tests.endoscopy.scope_clips import write_scope_clip
from tests.endoscopy.tiny_oob_network import write_tiny_network
from tests.live.live_runs import pictures, shows_scope

HIT = 45  # inside the group of frames 40 to 59


def test_silent_damage_leaves_covered(tmp_path: Path) -> None:
    clip = write_scope_clip(
        tmp_path / "a.mp4", frames=100, gop=20, codec="libx265", size=(320, 192),
        options={"x265-params": "log-level=error:pools=2:frame-threads=1:open-gop=0:scenecut=0"},
    )  # fmt: skip
    data, choice = bytearray(clip.read_bytes()), random.Random(5)
    with av.open(str(clip)) as container:
        body = [bytes(packet) for packet in container.demux(video=0) if packet.size][HIT]
    start = data.index(body)
    for _ in range(20):
        data[start + choice.randrange(len(body) // 4, len(body))] ^= 4
    (tmp_path / "b.mp4").write_bytes(bytes(data))
    network, out = write_tiny_network(tmp_path / "tiny.onnx"), tmp_path / "out.mp4"
    arguments = ["--input", str(tmp_path / "b.mp4"), "--output", str(out), "--weights", str(network)]
    assert main(["endoscopy-live", *arguments, "--pace", "fast", "--method", "solid"]) == 0
    shown = {number for number, picture in enumerate(pictures(out)) if shows_scope(picture)}
    assert not shown & set(range(HIT, 60)), "from the damaged frame to the next keyframe"
    assert shown >= {*range(80, 100)}, "what waits in the line at that moment is covered, how much depends on the pace"
