"""Exposure on tiny sessions, against values worked out by hand."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from or_mv_anon.core.bootstrap import Blocks, Estimate, exact_share
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.truth import encode_runs
from or_mv_anon.evaluation.exposure import ExposureOptions, measure_exposure
from or_mv_anon.evaluation.judging import JudgedFaces, JudgedFrames, decode_patch, judge_camera
from tests.evaluation.exposure_scenes import Face, camera_truth, rectangle

FACE = (8, 8, 20, 20)  # 12 × 12 = 144 pixels
PICTURE = 64 * 48


@dataclasses.dataclass
class Painted:
    """Covers given boxes exactly."""

    boxes: dict
    frames: int
    size: tuple = (64, 48)

    def masks(self):
        for frame in range(self.frames):
            mask = np.zeros((self.size[1], self.size[0]), bool)
            for box in self.boxes.get(frame, ()):
                mask |= rectangle(box, self.size)
            yield frame, mask


def measure(*cameras, **options):
    """Exposure of cameras given as (faces, covered boxes by frame, options of the truth)."""
    options = ExposureOptions(**{"resamples": 50, **options})
    judged = []
    for number, (faces, covered, shape) in enumerate(cameras):
        truth = camera_truth(faces, **shape)
        coverage = Painted(covered, len(truth.frames))
        judged.append(judge_camera(f"cam{number}", number, truth, coverage, pixels=options.pixels))
    names = [f"cam{number}" for number in range(len(cameras))]
    faces, frames = JudgedFaces.concat([f for f, _ in judged]), JudgedFrames.concat([f for _, f in judged])
    return measure_exposure(faces, frames, names, options)


@settings(max_examples=60)
@given(st.data())
def test_patches_are_the_masks(data):
    height, width = data.draw(st.integers(1, 9)), data.draw(st.integers(1, 9))
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=height * width, max_size=height * width)))
    mask = mask.reshape(height, width)
    patch = decode_patch(encode_runs(mask), height)
    rebuilt = np.zeros_like(mask)
    h, w = patch.mask.shape
    rebuilt[patch.top : patch.top + h, patch.left : patch.left + w] = patch.mask
    assert (rebuilt == mask).all()
    assert patch.count(mask) == mask.sum()
    assert patch.count(np.zeros_like(mask)) == 0


def test_ninety_percent_of_the_visible_pixels_is_enough():
    faces = [Face(0, box=(10, 10, 20, 20)), Face(1, box=(10, 10, 20, 20))]
    covered = {0: [(10, 10, 20, 19)], 1: [(10, 10, 20, 19)]}  # 90 of 100
    shape = {"frames": 2}
    assert measure((faces, covered, shape)).faces.exposed == 0
    assert measure((faces, covered, shape), covered_share=0.91).faces.exposed == 2
    covered[1] = [(10, 10, 20, 18), (10, 18, 19, 19)]  # 89 of 100
    found = measure((faces, covered, shape)).faces
    assert (found.considered, found.exposed, found.share.value) == (2, 1, 0.5)


@pytest.mark.parametrize(
    ("face", "counts"),
    [
        (Face(0), True),
        (Face(0, box=(8, 8, 20, 18)), True),  # 10 px high
        (Face(0, box=(8, 8, 20, 17)), False),
        (Face(0, of=480), True),  # 144 of 480: exactly 30 %
        (Face(0, of=481), False),
        (Face(0, angle=90), True),
        (Face(0, angle=90.5), False),
    ],
)
def test_which_faces_count(face, counts):
    found = measure(([face], {}, {"frames": 1}))
    assert (found.faces.considered, found.faces.exposed) == (int(counts), int(counts))
    if not counts:
        assert found.faces.share.value is None
        assert found.holistic_recall.value is None
        assert found.persons.considered == 0
        assert found.longest_s.value == 0


def test_faces_turned_away_are_told_apart():
    faces = [Face(0, angle=40), Face(1, angle=74), Face(2, angle=100), Face(3, angle=100), Face(4, angle=100, of=999)]
    found = measure((faces, {0: [FACE], 3: [FACE]}, {"frames": 5}))
    assert (found.faces.considered, found.faces.exposed) == (2, 1)
    assert (found.turned_away.considered, found.turned_away.exposed) == (2, 1)
    angles = {name: (c.considered, c.exposed) for name, c in found.groups["angle"].items()}
    assert angles == {"0 to 30°": (0, 0), "30 to 60°": (1, 0), "60° and more": (1, 1)}
    assert measure((faces, {}, {"frames": 5}), max_angle=110).turned_away.considered == 0


def test_bare_pixels_leave_the_mask_out():
    face = Face(0, mask=1, bare_box=(8, 8, 20, 13))  # 60 bare pixels above a worn mask
    shape = {"frames": 1}
    upper = {0: [(8, 8, 20, 13)]}
    assert measure(([face], upper, shape)).faces.exposed == 1
    assert measure(([face], upper, shape), pixels="bare").faces.exposed == 0
    assert measure(([face], {0: [(8, 13, 20, 20)]}, shape), pixels="bare").faces.exposed == 1
    nothing_bare = Face(0, mask=1, bare_box=(8, 8, 8, 8))
    assert measure(([nothing_bare], {}, shape), pixels="bare").faces.considered == 0


def test_rates_groups_and_costs():
    """Two cameras, 4 frames at 10 a second: 0.8 camera-seconds. Face 1 is bare in frame 2 of camera 0."""
    first = [Face(frame, body=(0, 0, 32, 48)) for frame in range(4)]
    second = [Face(frame, box=(8, 8, 24, 24), mask=1) for frame in range(2)]
    found = measure(
        (first, {frame: [FACE] for frame in (0, 1, 3)}, {"frames": 4}),
        (second, {0: [(8, 8, 24, 24)], 1: [(8, 8, 24, 24)], 2: [(0, 0, 64, 24)]}, {"frames": 4}),
    )
    assert (found.faces.considered, found.faces.exposed) == (6, 1)
    assert found.camera_hours == pytest.approx(0.8 / 3600)
    assert found.per_camera_hour.value == pytest.approx(3600 / 0.8)
    assert found.per_camera["cam0"]["per_camera_hour"].value == pytest.approx(3600 / 0.4)
    assert found.per_camera["cam1"]["per_camera_hour"].value == 0
    assert (found.persons.considered, found.persons.exposed) == (2, 1)
    assert found.covered.value == pytest.approx((3 * 144 + 2 * 256 + 64 * 24) / (8 * PICTURE))
    # camera 0 covers only inside the person's box; camera 1's people are their faces, covered exactly
    outside = 4 * (PICTURE - 32 * 48) + 2 * (PICTURE - 256) + 2 * PICTURE
    assert found.covered_outside.value == pytest.approx(64 * 24 / outside)
    groups = {title: {name: (c.considered, c.exposed) for name, c in g.items()} for title, g in found.groups.items()}
    assert groups["camera"] == {"cam0": (4, 1), "cam1": (2, 0)}
    assert groups["height"]["10 to 16 px"] == (4, 1)
    assert groups["height"]["16 to 24 px"] == (2, 0)
    assert groups["mask"] == {"no mask": (4, 1), "mask worn": (2, 0), "mask pulled down": (0, 0)}
    assert groups["visible_share"]["0.9 and more"] == (6, 1)


def test_holistic_recall_wants_every_view():
    """Person 1 is seen by both cameras at instants 0, 1 and 2, person 2 by one camera at instant 0."""
    both = [Face(frame) for frame in range(3)]
    other = Face(0, person=2, box=(30, 8, 42, 20))
    found = measure(
        ([*both, other], {0: [FACE, (30, 8, 42, 20)], 1: [FACE], 2: []}, {"frames": 3}),
        (both, {0: [FACE], 1: [], 2: []}, {"frames": 3}),
    )
    assert found.holistic_recall.value == pytest.approx(2 / 4)  # (1, 0) and (2, 0) of (1, 0) (1, 1) (1, 2) (2, 0)
    # where the face does not count, for being turned away, that view has no say
    away = [dataclasses.replace(face, angle=120) for face in both]
    found = measure(
        (both, {0: [FACE], 1: [FACE], 2: [FACE]}, {"frames": 3}),
        (away, {}, {"frames": 3}),
    )
    assert found.holistic_recall.value == 1


def test_holistic_recall_goes_by_instants_not_frames():
    """The second camera dropped instants 0 and 1: its frame 0 is instant 2."""
    found = measure(
        ([Face(frame) for frame in range(3)], {0: [FACE], 1: [FACE], 2: [FACE]}, {"frames": 3}),
        ([Face(0)], {}, {"instants": [2]}),
    )
    assert found.holistic_recall.value == pytest.approx(2 / 3)


def test_longest_exposure_counts_dropped_frames_and_ends_where_covered():
    """At 10 a second: frames 0-1, then 3 (followed by a drop of 0.5 s), then 4; covered in frame 2."""
    instants = [0, 1, 2, 3, 9, 10]
    faces = [Face(frame) for frame in range(5)]
    found = measure((faces, {2: [FACE]}, {"instants": instants}))
    assert found.faces.exposed == 4
    assert found.longest_s.value == pytest.approx(0.7)  # from 0.3 s to 1.0 s
    two = [Face(0), Face(1, person=2)]
    assert measure((two, {}, {"frames": 2})).longest_s.value == pytest.approx(0.1)


def test_stretches_of_time_and_their_intervals():
    """6 s in blocks of 1 s; the face is exposed in the whole third second."""
    faces = [Face(frame) for frame in range(60)]
    covered = {frame: [FACE] for frame in range(60) if not 20 <= frame < 30}
    found = measure((faces, covered, {"frames": 60}), block_s=1.0, resamples=2000)
    assert found.blocks == 6
    assert found.faces.share.value == pytest.approx(1 / 6)
    # the number of exposed blocks drawn is binomial (6, 1/6): 0 to 3 of 6 hold the middle 95 %
    assert found.faces.share.low == 0
    assert found.faces.share.high == pytest.approx(3 / 6)
    assert found.exposed_blocks.value == pytest.approx(1 / 6)
    assert found.exposed_blocks.low == pytest.approx(0.00421, abs=1e-4)  # Clopper-Pearson, 1 of 6
    assert found.exposed_blocks.high == pytest.approx(0.64123, abs=1e-4)
    assert found.longest_s.value == pytest.approx(1.0)
    assert (found.longest_s.low, found.longest_s.high) == (0, pytest.approx(1.0))
    again = measure((faces, covered, {"frames": 60}), block_s=1.0, resamples=2000)
    assert again.as_dict() == found.as_dict()


def test_one_block_has_no_interval():
    found = measure(([Face(0)], {}, {"frames": 1}))
    assert found.blocks == 1
    assert found.faces.share == Estimate(1.0, None, None)


def test_exact_shares():
    assert exact_share(0, 24).high == pytest.approx(1 - 0.025 ** (1 / 24))
    assert exact_share(24, 24).low == pytest.approx(0.025 ** (1 / 24))
    assert exact_share(0, 0).value is None


def test_cameras_are_drawn_together():
    """Both cameras' data of a block are drawn alike, so a ratio that is the same in every block has no spread."""
    blocks = Blocks.drawn(5, resamples=200, seed=1)
    above, below = np.arange(1.0, 6), 2 * np.arange(1.0, 6)
    estimate = blocks.ratio(above, below)
    assert (estimate.value, estimate.low, estimate.high) == (0.5, 0.5, 0.5)


def test_missing_frames_are_refused():
    truth = camera_truth([Face(0)], frames=3)
    with pytest.raises(UserError, match="2 frames are missing from what is evaluated, from frame 1 on"):
        judge_camera("cam1", 0, truth, Painted({}, 1), pixels="face")


def test_ground_truth_that_is_not_whole_is_refused():
    truth = camera_truth([Face(0), Face(1)], frames=2)
    without = dataclasses.replace(truth, faces=dataclasses.replace(truth.faces, frame=truth.faces.frame + 5))
    with pytest.raises(UserError, match="no face mask of person 1 in frame 0"):
        judge_camera("cam1", 0, without, Painted({}, 2), pixels="face")
    other = dataclasses.replace(truth, height=47)
    with pytest.raises(UserError, match="face masks of the ground truth are not of 64x47"):
        judge_camera("cam1", 0, other, Painted({}, 2, size=(64, 47)), pixels="face")


def test_options_are_checked():
    with pytest.raises(UserError, match="covered_share is 90"):
        ExposureOptions(covered_share=90)
    with pytest.raises(UserError, match="Blocks must last longer"):
        ExposureOptions(block_s=0)


boxes = st.tuples(st.integers(0, 40), st.integers(0, 30), st.integers(1, 24), st.integers(1, 18)).map(
    lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])
)
coverings = st.dictionaries(st.integers(0, 5), st.lists(boxes, max_size=3), max_size=6)


@settings(max_examples=40)
@given(covered=coverings, more=coverings, people=st.lists(boxes, min_size=1, max_size=3))
def test_covering_more_never_raises_exposure(covered, more, people):
    faces = [Face(frame, person, box) for frame in range(6) for person, box in enumerate(people, 1)]
    union = {frame: covered.get(frame, []) + more.get(frame, []) for frame in range(6)}
    before, after = (
        measure((faces, cover, {"frames": 6}), min_height=1, block_s=0.2, resamples=20) for cover in (covered, union)
    )
    assert after.faces.considered == before.faces.considered
    assert after.faces.exposed <= before.faces.exposed
    assert after.persons.exposed <= before.persons.exposed
    assert after.longest_s.value <= before.longest_s.value + 1e-9
    assert after.holistic_recall.value >= before.holistic_recall.value
    assert after.covered.value >= before.covered.value
    assert after.covered_outside.value is None or after.covered_outside.value >= before.covered_outside.value


@settings(max_examples=30)
@given(covered=coverings, strict=st.floats(0, 1), loose=st.floats(0, 1))
def test_asking_for_more_never_lowers_exposure(covered, strict, loose):
    strict, loose = max(strict, loose), min(strict, loose)
    faces = [Face(frame, box=(5, 5, 25, 20)) for frame in range(6)]
    found = [measure((faces, covered, {"frames": 6}), covered_share=share).faces.exposed for share in (strict, loose)]
    assert found[0] >= found[1]
