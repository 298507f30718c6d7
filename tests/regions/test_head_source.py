"""Heads of a detector that knows people and heads: found in one pass, followed alone, and given to their people."""

import numpy as np
import pytest

from or_mv_anon.core.config import load_config
from or_mv_anon.core.records import Detections, FrameFlag, Frames, RegionKind, Tracks
from or_mv_anon.core.run_layout import HEADS
from or_mv_anon.models.detectors.families import kind_of, open_detector
from or_mv_anon.models.network_file import Engine, NetworkFile
from or_mv_anon.regions.heads import Heads
from or_mv_anon.regions.networks import Networks
from or_mv_anon.regions.observe import Schedule, observe_frames
from or_mv_anon.regions.placing import camera_regions
from or_mv_anon.regions.registry import observing
from or_mv_anon.regions.source import CameraScene, Observed
from or_mv_anon.regions.sources.head import HeadSource, own_heads
from or_mv_anon.video.index import index_video
from or_mv_anon.video.reader import VideoSource
from or_mv_anon.video.segments import Segment
from tests.clips import write_clip
from tests.models.tiny_networks import write_tiny_yolox

CONFIG = load_config()
SIZE, COUNT, RATE = (640, 480), 20, 10
STANDING = (100, 100, 200, 400)
HEAD = (130, 100, 170, 150)


def heads(*boxes, frames=(0,), score=0.9):
    rows = [(frame, box) for frame in frames for box in boxes]
    return Detections(
        frame=[frame for frame, _ in rows],
        box=np.array([box for _, box in rows], float).reshape(-1, 4),
        score=np.full(len(rows), score),
    )


def person(box=STANDING, frames=range(COUNT)):
    zero = np.zeros(len(frames))
    return Tracks(frame=frames, track=zero, box=np.tile(box, (len(frames), 1)), score=zero + 0.9, provenance=zero,
                  detection=zero - 1)  # fmt: skip


def every_frame():
    frame = np.arange(COUNT)
    return Frames(frame=frame, pts=frame, time=frame / RATE, flags=np.full(COUNT, FrameFlag.HEADS))


@pytest.mark.parametrize(
    ("found", "own"),
    [
        ([HEAD], 0),
        ([], -1),
        ([HEAD, (150, 110, 190, 160)], -1),  # of two, either may be somebody else's
        ([HEAD, (300, 100, 340, 150)], 0),  # the other is outside the box
        ([(90, 90, 290, 290)], -1),  # too large for this person
        ([(180, 100, 240, 150)], -1),  # mostly outside
    ],
)
def test_whose_head(found, own):
    assert own_heads(person(frames=[0]), heads(*found), CONFIG.heads).tolist() == [own]


def test_heads_of_other_frames_are_nobodys():
    both = own_heads(person(frames=[3, 5]), heads(HEAD, frames=[4, 5]), CONFIG.heads)
    assert both.tolist() == [-1, 1]


def test_a_head_without_a_person_is_followed_over_a_gap_and_covered_wholly():
    seen = heads(HEAD, frames=[f for f in range(COUNT) if f not in (8, 9)])
    tracks = HeadSource().follow(Observed(every_frame(), SIZE, lambda table: seen), CONFIG)
    scene = CameraScene(every_frame(), SIZE, Heads.empty(), Tracks.empty(), tracks)
    regions = camera_regions(scene, CONFIG)
    assert regions.frame.tolist() == list(range(COUNT))
    assert (regions.box[:, :2] < HEAD[:2]).all()
    assert (regions.box[:, 2:] > HEAD[2:]).all()


def test_a_persons_one_head_takes_the_place_of_a_guess():
    def regions(found):
        scene = CameraScene(every_frame(), SIZE, Heads.empty(), person(), Tracks.empty(), read=lambda table: found)
        return camera_regions(scene, CONFIG)

    guessed, known = regions(Detections.empty()), regions(heads(HEAD, frames=range(COUNT)))
    assert set(guessed.kind) == {RegionKind.BOX_TOP}
    assert set(known.kind) == {RegionKind.HEAD}
    assert (known.box[:, :2] < HEAD[:2]).all()
    assert (known.box[:, 2:] > HEAD[2:]).all()
    sides = [(each.box[:, 2:] - each.box[:, :2]).prod(axis=1) for each in (guessed, known)]
    assert (sides[1] < 0.4 * sides[0]).all()


def test_a_weak_head_moves_nothing():
    weak = heads(HEAD, frames=range(COUNT), score=CONFIG.heads.sure_score - 0.01)
    scene = CameraScene(every_frame(), SIZE, Heads.empty(), person(), Tracks.empty(), read=lambda table: weak)
    assert set(camera_regions(scene, CONFIG).kind) == {RegionKind.BOX_TOP}


@pytest.mark.parametrize(("with_boxes", "kind"), [(1, "yolox"), (2, "people_and_heads")])
def test_one_pass_notes_both_where_the_network_knows_both(tmp_path, with_boxes, kind):
    path = write_tiny_yolox(tmp_path / "d.onnx", with_boxes=with_boxes)
    assert kind_of(path) == kind
    config = load_config(None, {"detection": {"min_score": 0.0}})
    detector = open_detector(
        NetworkFile(kind, path), config.detection, Engine(device="cpu", precision="f32", threads=1)
    )
    clip = write_clip(tmp_path / "cam.mp4", frames=4, rate=RATE)
    only = {source.name: np.full(4, source.name in ("persons", "heads")) for source in observing()}
    source = VideoSource(index_video(clip))
    found = observe_frames(source.frames(Segment(0, 0, 4)), Networks({"detector": detector}), Schedule(only), config)
    noted = found.table(HEADS)
    looked = [bool(flags & FrameFlag.HEADS) for flags in found.flags]
    assert looked == [with_boxes == 2] * 4
    assert (len(noted) > 0) == (with_boxes == 2)
