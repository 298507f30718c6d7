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
from or_mv_anon.regions.observe import Schedule, observe_frames, plan_schedule
from or_mv_anon.regions.placing import camera_regions
from or_mv_anon.regions.registry import observing
from or_mv_anon.regions.source import CameraScene, Observed
from or_mv_anon.regions.sources.box import BoxSource
from or_mv_anon.regions.sources.head import HeadSource
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


def person(box=STANDING, frames=range(COUNT), score=0.9, track=0):
    zero = np.zeros(len(frames))
    return Tracks(frame=frames, track=zero + track, box=np.tile(box, (len(frames), 1)), score=zero + score,
                  provenance=zero, detection=np.arange(len(frames)))  # fmt: skip


def every_frame():
    frame = np.arange(COUNT)
    return Frames(frame=frame, pts=frame, time=frame / RATE, flags=np.full(COUNT, FrameFlag.HEADS))


def test_a_head_without_a_person_is_followed_over_a_gap_and_covered_wholly():
    seen = heads(HEAD, frames=[f for f in range(COUNT) if f not in (8, 9)])
    tracks = HeadSource().follow(Observed(every_frame(), SIZE, lambda table: seen), CONFIG)
    scene = CameraScene(every_frame(), SIZE, Heads.empty(), Tracks.empty(), tracks)
    regions = camera_regions(scene, CONFIG)
    assert regions.frame.tolist() == list(range(COUNT))
    assert (regions.box[:, :2] < HEAD[:2]).all()
    assert (regions.box[:, 2:] > HEAD[2:]).all()


def regions_of(people, found, posed=None):
    scene = CameraScene(every_frame(), SIZE, posed or Heads.empty(), people, Tracks.empty(), read=lambda table: found)
    return camera_regions(scene, CONFIG)


def test_a_persons_own_head_takes_the_place_of_a_guess():
    guessed, known = (regions_of(person(), found) for found in (Detections.empty(), heads(HEAD, frames=range(COUNT))))
    assert set(guessed.kind) == {RegionKind.BOX_TOP}
    assert set(known.kind) == {RegionKind.HEAD}
    assert (known.box[:, :2] < HEAD[:2]).all()
    assert (known.box[:, 2:] > HEAD[2:]).all()
    sides = [(each.box[:, 2:] - each.box[:, :2]).prod(axis=1) for each in (guessed, known)]
    assert (sides[1] < 0.4 * sides[0]).all()


def test_a_head_that_was_found_now_and_then_goes_with_its_person():
    known = regions_of(person(), heads(HEAD, frames=range(0, COUNT, 3)))
    assert set(known.kind) == {RegionKind.HEAD}
    assert (known.box[:, :2] < HEAD[:2]).all()
    assert (known.box[:, 2:] > HEAD[2:]).all()


def test_where_a_weak_head_is_as_likely_somebody_elses_the_guess_stays_covered():
    doubtful = regions_of(person(), heads(HEAD, frames=range(COUNT), score=0.05))
    guessed = regions_of(person(), Detections.empty())
    assert (doubtful.box[:, :2] <= guessed.box[:, :2]).all()
    assert (doubtful.box[:, 2:] >= guessed.box[:, 2:]).all()


def posed_head(box):
    rows, middle = np.arange(COUNT), np.add(box[:2], box[2:]) / 2
    return Heads(
        detection=rows,
        center=np.tile(middle, (COUNT, 1)),
        size=np.full(COUNT, box[3] - box[1]),
        extent=np.tile(box, (COUNT, 1)),
        uncertainty=np.full(COUNT, 0.3),
    )


def test_a_head_narrows_a_far_larger_one_of_the_keypoints_that_holds_it():
    large = (100, 60, 220, 180)
    wide, narrow = (
        regions_of(person(), found, posed_head(large))
        for found in (Detections.empty(), heads(HEAD, frames=range(COUNT)))
    )
    area = [(each.box[:, 2:] - each.box[:, :2]).prod(axis=1) for each in (wide, narrow)]
    assert (area[1] < 0.6 * area[0]).all()
    assert (narrow.box[:, :2] < HEAD[:2]).all()
    assert (narrow.box[:, 2:] > HEAD[2:]).all()


def test_keypoints_of_a_head_elsewhere_stay_believed():
    elsewhere = (130, 160, 170, 200)
    regions = regions_of(person(), heads(HEAD, frames=range(COUNT)), posed_head(elsewhere))
    assert (regions.box[:, :2] < elsewhere[:2]).all()
    assert (regions.box[:, 2:] > elsewhere[2:]).all()


@pytest.mark.parametrize(("score", "looked", "covered"), [(0.25, True, False), (0.25, False, True), (0.5, True, True)])
def test_a_weak_candidate_without_a_head_is_nobody_if_heads_were_looked_for(score, looked, covered):
    frames = every_frame() if looked else every_frame().replace(flags=np.zeros(COUNT))
    scene = CameraScene(
        frames, SIZE, Heads.empty(), person(score=score), Tracks.empty(), read=lambda table: Detections.empty()
    )
    assert (len(camera_regions(scene, CONFIG)) > 0) == covered


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


def test_a_detector_of_people_alone_gets_heads_from_a_network_of_their_own(tmp_path):
    files = {
        "detector": NetworkFile("yolox", write_tiny_yolox(tmp_path / "people.onnx", with_boxes=1)),
        "heads": NetworkFile("people_and_heads", write_tiny_yolox(tmp_path / "both.onnx", with_boxes=2)),
    }
    config = load_config(None, {"detection": {"min_score": 0.0}, "heads": {"interval_s": 0.2}})
    engine = Engine(device="cpu", precision="f32", threads=1)
    networks = Networks(BoxSource().open(files, config, engine) | HeadSource().open(files, config, engine))
    clip = write_clip(tmp_path / "cam.mp4", frames=7, rate=RATE)
    source = VideoSource(index_video(clip))
    schedule = plan_schedule(source.times, config, first=0, stop=7)
    only = {name: mask & (name in ("persons", "heads")) for name, mask in schedule.masks.items()}
    found = observe_frames(source.frames(Segment(0, 0, 7)), networks, Schedule(only), config)
    assert [bool(flags & FrameFlag.HEADS) for flags in found.flags] == [number % 2 == 0 for number in range(7)]
    assert set(found.table(HEADS).frame) == {0, 2, 4, 6}
    knows_both = files | {"detector": files["heads"]}
    assert HeadSource().open(knows_both, config, engine) == {}
