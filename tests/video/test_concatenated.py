"""Files put behind one another in one file: every picture of all of them comes, or the run says what is left out."""

import numpy as np
import pytest

from or_mv_anon.video.concatenated import recordings_in
from or_mv_anon.video.parts import index_recording
from or_mv_anon.video.segments import plan_segments
from or_mv_anon.video.source import source_of
from tests.clips import picture, write_clip

CODECS = {".mp4": "libx264", ".avi": "mpeg4", ".flv": "libx264", ".asf": "mpeg4", ".ivf": "libvpx-vp9"}


def behind_one_another(path, codec):
    parts = [write_clip(path.with_stem(f"part{n}"), frames=20, rate=25, codec=codec) for n in (1, 2)]
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


@pytest.mark.parametrize("suffix", CODECS)
def test_all_recordings_in_a_file_are_read(tmp_path, suffix):
    index = index_recording(behind_one_another(tmp_path / f"a{suffix}", CODECS[suffix]))
    source = source_of(index)
    drawn = [picture(n, *index.upright_size).astype(np.float32) for n in range(20)]
    found = []
    for segment in plan_segments(source, seconds=0.4):
        for frame in source.frames(segment):
            assert not frame.corrupt
            found.append(int(np.argmin([np.abs(frame.bgr().astype(np.float32) - one).mean() for one in drawn])))
    assert found == [*range(20), *range(20)]
    assert source.missing == []
    assert "Another recording begins" in " ".join(index.notes)
    assert np.diff(index.times).max() < 0.05


def test_a_second_recording_that_cannot_be_read_is_told(tmp_path):
    path = behind_one_another(tmp_path / "a.mp4", "libx264")
    path.write_bytes(path.read_bytes()[: recordings_in(path)[1][0] + 2000])
    index = index_recording(path)
    assert index.n_frames == 20
    assert "Recording 2 of the 2" in " ".join(index.left_out)


@pytest.mark.parametrize("options", [{}, {"movflags": "faststart"}, {"movflags": "frag_keyframe+empty_moov"}])
def test_one_recording_is_one(tmp_path, options):
    path = write_clip(tmp_path / "a.mp4", container_options=options)
    assert recordings_in(path) == [(0, path.stat().st_size)]
