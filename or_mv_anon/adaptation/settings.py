"""All of `configs/adaptation.toml`, which explains each value and holds the defaults; code has no second copy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from or_mv_anon.core.ranges import Range
from or_mv_anon.core.settings_file import load_settings
from or_mv_anon.models.site_thresholds import STUDENT_SIDE


@dataclass(frozen=True, kw_only=True)
class MaterialConfig:
    """What is looked at; times in seconds of session time, lengths in pixels."""

    detect_every_s: Annotated[float, Range(0.02, 2.0, "s; tracking loses people between looks that are farther apart")]
    face_every_s: Annotated[float, Range(0.02, 10.0, "s; rarer looks leave too few faces")]
    input_long_side: Annotated[
        int, Range(224, 4096, "px; people in a smaller picture are too few pixels, a larger one needs memory")
    ]
    window_s: Annotated[
        float, Range(10.0, 3600.0, "s; shorter windows show too little to learn geometry from, longer ones need memory")
    ]
    most_minutes: Annotated[float, Range(0.1, 1440.0, "minutes; less shows nothing, more takes days")]


@dataclass(frozen=True, kw_only=True)
class LabelConfig:
    """How far each kind of tracked box is trusted; weights in [0, 1]."""

    detected: Annotated[float, Range(0.0, 1.0, "a weight in the loss, beside 1 for what is sure")]
    tracked: Annotated[float, Range(0.0, 1.0, "a weight in the loss, beside 1 for what is sure")]
    cross_view: Annotated[float, Range(0.0, 1.0, "a weight in the loss, beside 1 for what is sure")]
    interpolated: Annotated[float, Range(0.0, 1.0, "a weight in the loss, beside 1 for what is sure")]
    transferred: Annotated[float, Range(0.0, 1.0, "a weight in the loss, beside 1 for what is sure")]
    manual: Annotated[float, Range(0.0, 1.0, "a weight in the loss, beside 1 for what is sure")]
    least_score: Annotated[float, Range(0.0, 1.0, "a share, not percent")]
    clear_score: Annotated[float, Range(0.0, 1.0, "a share, not percent")]
    clear_detections: Annotated[int, Range(1, 1000, "0 trusts tracks that nobody saw, more trusts none")]
    most_gap_s: Annotated[float, Range(0.0, 10.0, "s; far apart, nobody knows where a person was between")]
    uncertain_score: Annotated[float, Range(0.0, 1.0, "a share, not percent")]
    least_posture: Annotated[float, Range(0.0, 1.0, "a share, not percent")]
    sure_posture: Annotated[float, Range(0.0, 1.0, "a share, not percent")]
    original_score: Annotated[float, Range(0.0, 1.0, "a share, not percent")]
    original_iou: Annotated[float, Range(0.1, 0.95, "an overlap; lower takes any place for the same, higher none")]
    candidate_score: Annotated[float, Range(0.0, 1.0, "a share, not percent")]
    remember_s: Annotated[float, Range(0.0, 60.0, "s; longer leaves nothing to learn from")]
    duplicate_iou: Annotated[float, Range(0.3, 1.0, "an overlap; lower drops people who stand close")]


@dataclass(frozen=True, kw_only=True)
class HeadBoxConfig:
    """Which heads are labels, for detectors that find heads with the people; weights in [0, 1]."""

    detected: Annotated[float, Range(0.0, 1.0, "a weight in the loss, beside 1 for what is sure")]
    posed: Annotated[float, Range(0.0, 1.0, "a weight in the loss, beside 1 for what is sure")]
    between: Annotated[float, Range(0.0, 1.0, "a weight in the loss, beside 1 for what is sure")]
    sure_score: Annotated[float, Range(0.0, 1.0, "a share, not percent")]
    weak_score: Annotated[float, Range(0.0, 1.0, "a share, not percent")]
    candidate_score: Annotated[float, Range(0.0, 1.0, "a share, not percent")]
    least_point_score: Annotated[float, Range(0.0, 1.0, "a share, not percent")]
    sure_uncertainty: Annotated[float, Range(0.0, 0.5, "0.5 is a head that only the shoulders tell of")]
    most_deviation: Annotated[float, Range(0.0, 2.0, "head heights; farther away it is another head")]
    most_gap_s: Annotated[float, Range(0.0, 10.0, "s; far apart, nobody knows where a head was between")]


@dataclass(frozen=True, kw_only=True)
class SamplingConfig:
    """Which frames are trained on, and which are held out."""

    pictures: Annotated[int, Range(1, 100_000, "they are held in memory, and 0 is nothing to learn from")]
    most_megabytes: Annotated[float, Range(1.0, 1e6, "MB; 0 is nothing to learn from")]
    long_side: Annotated[
        int, Range(128, 4096, "px; people in a smaller picture are too few pixels, a larger one needs memory")
    ]
    hard_weight: Annotated[float, Range(0.0, 100.0, "a factor beside 1")]
    crowd_weight: Annotated[float, Range(0.0, 100.0, "a factor beside 1")]
    empty_share: Annotated[float, Range(0.0, 0.9, "a share, not percent: of pictures without people little is learned")]
    held_out_share: Annotated[float, Range(0.02, 0.8, "a share, not percent: nothing held out is nothing to judge by")]
    held_out_block_s: Annotated[
        float, Range(0.5, 600.0, "s; neighbouring pictures look alike, and a recording has to hold several stretches")
    ]
    guard_s: Annotated[float, Range(0.0, 60.0, "s; longer leaves nothing to learn from")]
    held_out_pictures: Annotated[int, Range(1, 100_000, "0 is nothing to judge by, and they are held in memory")]


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """One iteration's training."""

    network: str
    network_with_heads: str
    steps: Annotated[int, Range(1, 1_000_000, "0 would learn nothing, and so many never end")]
    least_steps: Annotated[int, Range(1, 1_000_000, "0 would learn nothing, and so many never end")]
    batch: Annotated[int, Range(1, 1024, "0 would learn nothing, and many need memory")]
    long_side: Annotated[
        int, Range(128, 4096, "px; people in a smaller picture are too few pixels, a larger one needs memory")
    ]
    learning_rate: Annotated[float, Range(1e-07, 0.1, "0 would learn nothing, and more makes training break apart")]
    teacher_weight: Annotated[float, Range(0.0, 100.0, "a weight in the loss, beside 1 for what is sure")]
    frozen_stages: Annotated[int, Range(0, 4, "the backbone has four")]
    continue_training: bool


@dataclass(frozen=True, kw_only=True)
class CriterionConfig:
    """How iterations are compared without labels."""

    scores: Annotated[list[float], Range(0.05, 0.95, "a share, not percent")]
    least_weight: Annotated[float, Range(0.0, 1.0, "a weight in the loss, beside 1 for what is sure")]
    match_iou: Annotated[float, Range(0.1, 0.95, "an overlap; lower takes any place for the same, higher none")]
    head_iou: Annotated[float, Range(0.1, 0.95, "an overlap; lower takes any place for the same, higher none")]
    unsupported_weight: Annotated[float, Range(0.0, 100.0, "a cost beside 1")]
    least_gain: Annotated[float, Range(0.0, 1.0, "a share, not percent")]
    patience: Annotated[int, Range(1, 1000, "0 ends before the first round")]
    most_lost_by_student: Annotated[float, Range(0.0, 10.0, "on the scale of the criterion; more accepts anything")]


@dataclass(frozen=True, kw_only=True)
class ReleaseConfig:
    """When the site's networks take the place of the built-in ones."""

    detect_every_s: Annotated[float, Range(0.02, 2.0, "s; tracking loses people between looks that are farther apart")]
    most_minutes: Annotated[float, Range(0.05, 1440.0, "minutes; less shows nothing, more takes days")]
    lead_s: Annotated[float, Range(0.0, 60.0, "s; longer looks at what was trained on, and takes time")]
    covered_share: Annotated[float, Range(0.5, 1.0, "a share, not percent: half a head covered shows a face")]
    same_head_iou: Annotated[float, Range(0.1, 0.95, "an overlap; lower takes any place for the same, higher none")]
    least_heads: Annotated[float, Range(1.0, 1e6, "0 judges by nothing")]
    least_heads_for_student: Annotated[float, Range(1.0, 1e6, "0 judges by nothing")]
    least_heads_gained: Annotated[float, Range(0.0, 1000.0, "heads in all held-out pictures; more is never gained")]
    least_area_gained: Annotated[float, Range(0.0, 0.9, "a share of the covered area, not percent")]
    most_open_by_student: Annotated[float, Range(1.0, 10.0, "a factor: a faster detector that leaves more heads open")]


@dataclass(frozen=True, kw_only=True)
class ThresholdConfig:
    """How the room's own thresholds are chosen."""

    adjust: bool
    least_pictures: Annotated[int, Range(1, 100_000, "0 judges by nothing")]
    lowest_share: Annotated[
        float, Range(0.2, 1.0, "a share of the shipped threshold: lower covers everything, and none is ever raised")
    ]


@dataclass(frozen=True, kw_only=True)
class StudentConfig:
    """[student] of configs/adaptation.toml.

    Attributes:
        width: of the network, on YOLOX's scale: 0.375 is tiny, 0.25 is nano (Ge et al. 2021).
        long_side: of the pictures in pixels.
        steps: of training.
        batch: pictures per step.
        learning_rate: the highest.
        teacher_weight: of agreeing with the teacher, beside 1 for the labels.
    """

    width: Annotated[float, Range(0.125, 2.0, "on YOLOX's scale; smaller sees nobody, larger is no faster")]
    long_side: Annotated[int, STUDENT_SIDE]
    steps: Annotated[int, Range(1, 1_000_000, "0 would learn nothing, and so many never end")]
    batch: Annotated[int, Range(1, 1024, "0 would learn nothing, and many need memory")]
    learning_rate: Annotated[float, Range(1e-07, 0.1, "0 would learn nothing, and more makes training break apart")]
    teacher_weight: Annotated[float, Range(0.0, 100.0, "a weight in the loss, beside 1 for what is sure")]


@dataclass(frozen=True, kw_only=True)
class FaceAdaptationConfig:
    """[faces] of configs/adaptation.toml.

    Attributes:
        sure_face: score from which on a detected face is a label.
        bearer_score: score of the person detection that a detected face must belong to.
        sure_person: score of a person detection whose head may be a label.
        least_score: SimCC score of nose and one eye that show a face.
        candidate_score: detected faces from here to `sure_face` that no label explains are left undecided.
        placed_weight: weight in the loss of a face that only the pose model saw, beside 1 for a detected one.
        least_faces: fewer labels than this are too few to learn from.
        pictures: trained on at most; each is held in memory.
        block_s: seconds of a stretch of time; every fifth stretch is held out to judge by.
        long_side: px, of the pictures in training.
        crop: px, side of the square that is cut out of them.
        steps: of training.
        batch: crops per step.
        learning_rate: of AdamW at the start; it falls to zero.
        least_gain: the fine-tuned network is kept when it finds this much more of the held-out faces ...
        most_extra: ... at no more than so many additional detections per picture that nothing explains.
    """

    sure_face: Annotated[float, Range(0.0, 1.0, "a share, not percent")]
    bearer_score: Annotated[float, Range(0.0, 1.0, "a share, not percent")]
    sure_person: Annotated[float, Range(0.0, 1.0, "a share, not percent")]
    least_score: Annotated[float, Range(0.0, 1.0, "a share, not percent")]
    candidate_score: Annotated[float, Range(0.0, 1.0, "a share, not percent")]
    placed_weight: Annotated[float, Range(0.0, 1.0, "a weight in the loss, beside 1 for what is sure")]
    least_faces: Annotated[
        int, Range(1, 1_000_000, "0 learns from nothing; a number that is never reached leaves the network as it is")
    ]
    pictures: Annotated[int, Range(1, 100_000, "they are held in memory, and 0 is nothing to learn from")]
    block_s: Annotated[
        float, Range(0.5, 600.0, "s; neighbouring pictures look alike, and a recording has to hold several stretches")
    ]
    long_side: Annotated[
        int, Range(128, 8192, "px; people in a smaller picture are too few pixels, a larger one needs memory")
    ]
    crop: Annotated[int, Range(64, 4096, "px; a smaller one holds no face, a larger one needs memory")]
    steps: Annotated[int, Range(1, 1_000_000, "0 would learn nothing, and so many never end")]
    batch: Annotated[int, Range(1, 1024, "0 would learn nothing, and many need memory")]
    learning_rate: Annotated[float, Range(1e-07, 0.1, "0 would learn nothing, and more makes training break apart")]
    least_gain: Annotated[float, Range(0.0, 1.0, "a share, not percent")]
    most_extra: Annotated[float, Range(0.0, 10.0, "detections per picture; more accepts anything")]


@dataclass(frozen=True, kw_only=True)
class PoseAdaptationConfig:
    """[pose] of configs/adaptation.toml.

    Attributes:
        least_score: SimCC score from which on the model counts as sure of a keypoint.
        reach_s: seconds to the sure neighbours that confirm or fill a keypoint.
        most_deviation: distance to where the neighbours expect it, in head heights.
        most_epipolar: distance, in head heights, from where other cameras' geometry says that a head must be.
        filled_weight: weight in the loss of a keypoint that only the neighbours place, beside 1 for a confirmed one.
        least_points: labelled head keypoints that make a person a training example.
        most_crops: training examples in memory at most, about 0.3 MB each.
        least_crops: fewer than this are too few to learn from.
        block_s: seconds of a stretch of time; every fifth stretch is held out to judge by.
        steps: of training.
        batch: crops per step.
        learning_rate: of AdamW at the start; it falls to zero.
        keep_weight: of agreeing with the starting network on keypoints without a label, beside 1 for a label.
        least_gain: share by which held-out people's head points must come nearer, or the model is not kept.
    """

    least_score: Annotated[float, Range(0.0, 1.0, "a share, not percent")]
    reach_s: Annotated[float, Range(0.05, 5.0, "s; a head that moves is not where it was")]
    most_deviation: Annotated[float, Range(0.01, 5.0, "head heights; more confirms anything")]
    most_epipolar: Annotated[float, Range(0.01, 10.0, "head heights; more confirms anything")]
    filled_weight: Annotated[float, Range(0.0, 1.0, "a weight in the loss, beside 1 for what is sure")]
    least_points: Annotated[int, Range(1, 5, "a head has five keypoints")]
    most_crops: Annotated[int, Range(1, 1_000_000, "they are held in memory, and 0 is nothing to learn from")]
    least_crops: Annotated[
        int, Range(1, 1_000_000, "0 learns from nothing; a number that is never reached leaves the network as it is")
    ]
    block_s: Annotated[
        float, Range(0.5, 600.0, "s; neighbouring pictures look alike, and a recording has to hold several stretches")
    ]
    steps: Annotated[int, Range(1, 1_000_000, "0 would learn nothing, and so many never end")]
    batch: Annotated[int, Range(1, 1024, "0 would learn nothing, and many need memory")]
    learning_rate: Annotated[float, Range(1e-07, 0.1, "0 would learn nothing, and more makes training break apart")]
    keep_weight: Annotated[float, Range(0.0, 100.0, "a weight in the loss, beside 1 for what is sure")]
    least_gain: Annotated[float, Range(0.0, 1.0, "a share, not percent")]


@dataclass(frozen=True, kw_only=True)
class QuantizationConfig:
    """[quantization] of configs/adaptation.toml.

    Attributes:
        pictures: that scales are measured on.
        most_lost_recall: share of the supported held-out people that rounding may lose, at any operating score and at
            the detector's lowest score.
    """

    pictures: Annotated[int, Range(1, 100_000, "0 measures nothing, and they are held in memory")]
    most_lost_recall: Annotated[float, Range(0.0, 0.1, "a share, not percent: whom rounding loses is not covered")]


@dataclass(frozen=True, kw_only=True)
class AdaptationConfig:
    """The file's sections."""

    material: MaterialConfig
    labels: LabelConfig
    heads: HeadBoxConfig
    sampling: SamplingConfig
    training: TrainingConfig
    criterion: CriterionConfig
    release: ReleaseConfig
    thresholds: ThresholdConfig
    faces: FaceAdaptationConfig
    student: StudentConfig
    quantization: QuantizationConfig
    pose: PoseAdaptationConfig


def load_adaptation_config(path: Path | None = None) -> AdaptationConfig:
    """The shipped settings, changed by the file at `path`: see `load_settings`."""
    return load_settings(AdaptationConfig, "configs/adaptation.toml", path)
