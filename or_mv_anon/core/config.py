"""Every threshold of the pipeline as frozen dataclasses with its range, read from TOML.

`configs/pipeline.toml` explains each value and holds the defaults; there is no second copy of them in code. The ranges
and their reasons stand here; `docs/settings.md` is made from both.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from or_mv_anon.core.ranges import Range, Relation
from or_mv_anon.core.settings_file import Changes, load_settings

Smoother = Literal["hull", "faceoff3", "faceoff5", "faceoff7", "none"]
CodecChoice = Literal["same", "h264", "hevc", "av1", "vp9"]
StrictMethod = Literal["pixelate", "blur", "solid"]
RecognizerChoice = Literal["sface", "all"]
CRF = Range(0, 51, "0 best to 51 worst, the encoders' scale")
NO_LOWER = "a share, not percent: below it everything is perhaps a head"


@dataclass(frozen=True, kw_only=True)
class DetectionConfig:
    """Person detection; lengths in pixels, times in seconds."""

    input_long_side: Annotated[
        int,
        Range(224, 4096, "px; people in a smaller picture are too few pixels to be found, a larger one needs memory"),
    ]
    interval_s: Annotated[float, Range(0.0, 1.0, "s; whoever comes and goes between two looks is not seen")]
    min_score: Annotated[float, Range(0.0, 0.5, "a share, not percent: above it, people are lost")]
    nms_iou: Annotated[float, Range(0.3, 0.95, "lower drops people who stand before each other")]


@dataclass(frozen=True, kw_only=True)
class PoseConfig:
    """Top-down pose on person boxes."""

    interval_s: Annotated[float, Range(0.0, 1.0, "s; a head that moves is not where it was")]
    min_detection_score: Annotated[
        float, Range(0.0, 0.8, "a share, not percent: above it, heads of clear people rest on their box alone")
    ]
    known_head_score: Annotated[
        float, Range(0.3, 1.0, "a share, not percent: below it, nobody's keypoints make up for a doubtful head")
    ]
    batch: Annotated[
        int, Range(1, 256, "pictures that are inferred together; 0 would look at nothing, and many need memory")
    ]
    trusted_score: Annotated[float, Range(0.1, 0.9, "lower lets noise place the head, higher trusts no keypoint")]


@dataclass(frozen=True, kw_only=True)
class FaceConfig:
    """Face detection."""

    interval_s: Annotated[float, Range(0.0, 1.0, "s; whoever comes and goes between two looks is not seen")]
    input_long_side: Annotated[
        int,
        Range(320, 8192, "px; faces in a smaller picture are too few pixels to be found, a larger one needs memory"),
    ]
    min_score: Annotated[float, Range(0.0, 0.6, "a share, not percent: above it, faces are lost")]
    nms_iou: Annotated[float, Range(0.2, 0.95, "lower drops faces that are close together")]
    large_share: Annotated[
        float, Range(0.05, 1.0, "lower makes usual faces count as large ones, which need a high score")
    ]
    headless_score: Annotated[
        float, Range(0.0, 0.6, "a share, not percent: above it, faces that no head confirms are lost")
    ]
    large_min_score: Annotated[float, Range(0.0, 0.9, "a share, not percent: above it, close faces are lost")]
    large_headless_score: Annotated[
        float, Range(0.0, 0.95, "a share, not percent: above it, close faces that no head confirms are lost")
    ]


@dataclass(frozen=True, kw_only=True)
class TrackingConfig:
    """Two-threshold association in both directions, filling and padding."""

    high_score: Annotated[
        float, Range(0.05, 0.9, "a share, not percent: above it, nobody is followed; lower follows noise")
    ]
    low_score: Annotated[
        float, Range(0.0, 0.6, "a share, not percent: above it, people who are hidden for a moment are lost")
    ]
    new_track_score: Annotated[
        float, Range(0.05, 0.9, "a share, not percent: above it, nobody new is followed; lower follows noise")
    ]
    match_iou: Annotated[float, Range(0.01, 0.5, "higher loses people who move; at 0 anybody is taken for anybody")]
    second_match_iou: Annotated[
        float, Range(0.05, 0.8, "higher loses people who move; at 0 anybody is taken for anybody")
    ]
    unconfirmed_match_iou: Annotated[
        float, Range(0.01, 0.6, "higher loses people who move; at 0 anybody is taken for anybody")
    ]
    duplicate_iou: Annotated[float, Range(0.5, 1.0, "lower takes people who stand close for one person")]
    lost_buffer_s: Annotated[
        float, Range(0.1, 10.0, "s; shorter loses people who are hidden for a moment, longer takes strangers for them")
    ]
    merge_iou: Annotated[float, Range(0.1, 1.0, "lower joins strangers")]
    walk_s: Annotated[float, Range(0.0, 5.0, "s; longer covers ways that nobody went")]
    walk_speed: Annotated[
        float, Range(0.5, 20.0, "sizes/s; slower loses who walks, faster covers ways that nobody went")
    ]
    leave_s: Annotated[float, Range(0.0, 3.0, "s; longer covers where people turned round before the edge")]
    fill_gap_s: Annotated[
        float,
        Range(0.2, 10.0, "s; gaps that are longer stay uncovered; far apart, nobody knows where a person was between"),
    ]
    pad_s: Annotated[float, Range(0.1, 5.0, "s; people are there before they are seen, and after")]
    weak_pad_s: Annotated[float, Range(0.0, 5.0, "s; longer covers for seconds what was a lamp")]
    lone_score: Annotated[
        float, Range(0.0, 0.5, "a share, not percent: above it, people who are seen once are not covered")
    ]


@dataclass(frozen=True, kw_only=True)
class HeadConfig:
    """Heads that are detected by themselves."""

    interval_s: Annotated[float, Range(0.0, 2.0, "s; people move on between two looks")]
    lowest_score: Annotated[
        float, Range(0.02, 0.5, "a share, not percent: above it, the heads of the lying are lost; lower follows noise")
    ]
    scale: Annotated[float, Range(1.1, 3.0, "a box cuts off hair or chin; from 3 on, half a person is hidden")]
    largest_share: Annotated[
        float, Range(0.2, 1.0, "of the person box's longer side; lower refuses the heads of people who bend forward")
    ]


@dataclass(frozen=True, kw_only=True)
class WeakHeadConfig:
    """Heads that are too weak to count alone, and count with others."""

    lowest_passing: Annotated[float, Range(0.005, 1.0, NO_LOWER)]
    lowest_passing_at_edge: Annotated[float, Range(0.002, 1.0, NO_LOWER)]
    lowest_staying_at_edge: Annotated[float, Range(0.002, 1.0, NO_LOWER)]

    @property
    def weakest(self) -> float:
        """The score from which on any of them may count."""
        return min(self.lowest_passing, self.lowest_passing_at_edge, self.lowest_staying_at_edge)


@dataclass(frozen=True, kw_only=True)
class StaticHeadConfig:
    """Heads that keep still, looked for in turned pictures."""

    interval_s: Annotated[
        float, Range(0.0, 10.0, "s, 0 for never; rarer observations do not find a lying patient often enough")
    ]
    first_s: Annotated[
        float, Range(10.0, 3600.0, "s; shorter does not find a lying patient often enough to begin with")
    ]
    later_interval_s: Annotated[
        float, Range(0.0, 10.0, "s; rarer observations do not find a lying patient often enough")
    ]
    person_input_long_side: Annotated[
        int,
        Range(224, 4096, "px; people in a smaller picture are too few pixels to be found, a larger one needs memory"),
    ]
    lone_face_score: Annotated[
        float, Range(0.0, 0.9, "a share, not percent: above it, faces that no head confirms are lost")
    ]
    lone_place_score: Annotated[
        float,
        Range(0.0, 0.9, "a share, not percent: above it, the heads of the lying are lost that no upright look finds"),
    ]
    least_upright_share: Annotated[float, Range(0.0, 0.5, "a share, not percent: above it, heads are lost")]
    upright_score: Annotated[float, Range(0.1, 1.0, "a share, not percent: below it, mistakes count as found")]
    found_upright: Annotated[float, Range(0.5, 1.0, "a share, not percent: below it, who is often missed is uncovered")]
    upright_gap_s: Annotated[float, Range(2.0, 600.0, "s; shorter uncovers a place between two looks")]
    lone_person_score: Annotated[
        float, Range(0.0, 0.9, "a share, not percent: above it, heads that are found by their keypoints alone are lost")
    ]
    min_score: Annotated[
        float, Range(0.02, 0.6, "a share, not percent: above it, lying patients are lost; lower, everything is a head")
    ]
    same_place_iou: Annotated[
        float, Range(0.05, 0.7, "higher finds no two candidates at one place; at 0 every place is one")
    ]
    least_observations: Annotated[int, Range(2, 20, "one proves nothing, and many are not made in a window")]
    least_share: Annotated[
        float, Range(0.05, 0.8, "higher asks more than a lying patient gives, lower believes chance")
    ]
    longest_gap_s: Annotated[float, Range(5.0, 600.0, "s; shorter takes a patient who is found rarely for gone")]
    window_s: Annotated[float, Range(20.0, 3600.0, "s; shorter holds too few observations, longer outlasts a patient")]
    largest_heads: Annotated[float, Range(1.0, 10.0, "times the usual large heads; lower drops heads")]


@dataclass(frozen=True, kw_only=True)
class BackgroundConfig:
    """What stands still, for telling whether a camera was turned."""

    interval_s: Annotated[float, Range(1.0, 60.0, "s; rarer, a turn is dated badly; more often, tables grow large")]


@dataclass(frozen=True, kw_only=True)
class AppearanceConfig:
    """Appearance embeddings of detected people."""

    interval_s: Annotated[float, Range(0.0, 60.0, "s; rarer looks leave people without any")]
    min_detection_score: Annotated[float, Range(0.0, 0.95, "a share, not percent: above it, nobody is compared")]
    batch: Annotated[
        int, Range(1, 256, "pictures that are inferred together; 0 would look at nothing, and many need memory")
    ]


@dataclass(frozen=True, kw_only=True)
class AssociationConfig:
    """Who is who across cameras."""

    instant_s: Annotated[
        float, Range(0.04, 2.0, "s; people move on between instants that are farther apart, and closer ones cost time")
    ]
    use_appearance: bool
    use_epipolar: bool
    use_synchrony: bool
    least_probability: Annotated[
        float, Range(0.3, 0.99, "lower takes strangers for one person, higher nobody for anybody")
    ]


@dataclass(frozen=True, kw_only=True)
class RecoveryConfig:
    """People whom one view missed, found with the help of the others."""

    transfer: bool
    least_confidence: Annotated[float, Range(0.0, 0.95, "above it, nobody is brought back")]
    most_uncertainty: Annotated[
        float, Range(0.1, 5.0, "head heights; lower brings nobody back, higher covers half the room")
    ]
    most_misfit: Annotated[
        float,
        Range(0.5, 10.0, "standard deviations; lower brings nobody back, higher believes lines that miss each other"),
    ]
    join_s: Annotated[
        float, Range(0.1, 5.0, "s; shorter leaves gaps uncovered, longer covers where nobody is known to be")
    ]
    least_s: Annotated[float, Range(0.0, 2.0, "s; people who were missed for less are not covered")]
    gap_s: Annotated[float, Range(0.0, 10.0, "s; longer covers where nobody is known to be")]


@dataclass(frozen=True, kw_only=True)
class RegionConfig:
    """From boxes, keypoints and faces to covered regions."""

    head_scale: Annotated[float, Range(1.1, 4.0, "smaller leaves hair, ears and chin outside, larger covers the room")]
    uncertain_growth: Annotated[float, Range(0.0, 3.0, "larger covers the room")]
    box_head_share: Annotated[float, Range(0.15, 1.0, "smaller leaves the chin outside")]
    lying_aspect: Annotated[
        float, Range(0.5, 1.5, "above it, only the top of a lying person is covered; below, all of everybody")
    ]
    headless_score: Annotated[
        float,
        Range(0.0, 0.5, "a share, not percent: above it, people whose head is hidden for a moment are not covered"),
    ]
    tiny_height: Annotated[float, Range(8.0, 1000.0, "px; the head of a lower person cannot be told from the rest")]
    min_side: Annotated[float, Range(4.0, 400.0, "px; smaller covers nothing")]
    keypoint_reach_s: Annotated[float, Range(0.05, 2.0, "s; a head that moves is not where it was")]
    smoother: Smoother
    smooth_s: Annotated[float, Range(0.0, 1.0, "s; longer covers where people were long ago")]


@dataclass(frozen=True, kw_only=True)
class OperatorConfig:
    """Strength of the anonymization operators, relative to the region."""

    cells: Annotated[int, Range(1, 8, "more show the face, and 0 is no mosaic")]
    blur_cells: Annotated[int, Range(1, 8, "more show the face, and 0 is no blur")]
    solid_luma: Annotated[float, Range(0.0, 1.0, "0 black to 1 white: there is nothing beyond")]


@dataclass(frozen=True, kw_only=True)
class LearnedConfig:
    """When a drawn head may take the strict operator's place; lengths in pixels or shares, times in seconds."""

    strict: StrictMethod
    least_px: Annotated[float, Range(8.0, 1000.0, "px; a smaller head shows nothing that could be judged")]
    most_uncertainty: Annotated[
        float, Range(0.0, 0.8, "a head whose place is known less well may lie outside what was drawn")
    ]
    ring: Annotated[float, Range(0.0, 0.3, "a share of the region's shorter side, of which both borders take theirs")]
    seam: Annotated[float, Range(0.0, 0.3, "a share of the region's shorter side, of which both borders take theirs")]
    smooth_s: Annotated[float, Range(0.0, 2.0, "s; longer draws the head where it was")]
    hold_s: Annotated[float, Range(0.0, 600.0, "s; longer never draws again")]
    recognizers: RecognizerChoice
    least_distance: Annotated[
        float,
        Range(1.0, 2.0, "times the distance from which on a recognizer sees two people; below 1 it knows the original"),
    ]
    most_detail: Annotated[float, Range(0.0, 0.6, "more shows the original")]


@dataclass(frozen=True, kw_only=True)
class AttackConfig:
    """The attack on the job's own output."""

    recognizers: RecognizerChoice
    looks_per_track: Annotated[int, Range(1, 200, "0 compares nothing, and many need memory")]
    seed: Annotated[int, Range(0, 2_147_483_647, "any whole number; the generator takes no others")]


@dataclass(frozen=True, kw_only=True)
class VideoConfig:
    """Encoding and segmentation."""

    segment_s: Annotated[float, Range(0.1, 3600.0, "s; shorter parts are no parts, and an interruption loses a part")]
    codec: CodecChoice
    crf: Annotated[int, CRF]
    preset: str
    keyframe_every: Annotated[
        int, Range(5, 1000, "frames; fewer make files much larger, more make review wait wherever it jumps to")
    ]


@dataclass(frozen=True, kw_only=True)
class RiskConfig:
    """What the audit calls a risk."""

    low_score: Annotated[float, Range(0.1, 1.0, "lower lists nobody who was seen weakly")]
    min_s: Annotated[float, Range(0.0, 5.0, "s; longer joins what has nothing to do with each other")]
    border_px: Annotated[float, Range(0.0, 200.0, "px; farther in, every person who vanishes counts as one who left")]


@dataclass(frozen=True, kw_only=True)
class VerdictConfig:
    """When a run is not well although every file was written."""

    most_uncovered: Annotated[float, Range(0.0, 0.5, "a share of the picture; more than half of it is no exception")]
    least_change: Annotated[float, Range(0.005, 0.1, "a share of the brightness; less is noise, more is no movement")]
    moving_s: Annotated[float, Range(0.1, 30.0, "s; people who are there for less may be missed without a word")]
    least_seen: Annotated[float, Range(0.0, 1.0, "a share of the time with movement; 0 asks for nobody")]
    most_lost: Annotated[float, Range(0.0, 0.9, "a share of the time; if all may be lost, nothing is told")]
    least_colour: Annotated[float, Range(0.0, 5.0, "levels of 255; rooms' own colours begin at 3.6")]


def _tracking_relations(tracking: str, detection: str) -> tuple[Relation, ...]:
    low, high = f"{tracking}.low_score", f"{tracking}.high_score"
    interval = f"{detection}.interval_s"
    return (
        Relation(
            (low, high), lambda a, b: a <= b, "low_score of at most high_score", "the second association is empty"
        ),
        Relation(
            (interval, f"{tracking}.fill_gap_s"),
            lambda a, b: a <= b,
            "interval_s of at most fill_gap_s",
            "people are covered only in the frames that were looked at",
        ),
        Relation(
            (interval, f"{tracking}.lost_buffer_s"),
            lambda a, b: a <= b,
            "interval_s of at most lost_buffer_s",
            "people are forgotten before the next look",
        ),
    )


@dataclass(frozen=True, kw_only=True)
class ManualConfig:
    """What reviewers draw."""

    margin: Annotated[float, Range(0.0, 1.0, "share of a drawn box; hands are not exact, much more covers too much")]
    moment_s: Annotated[float, Range(0.0, 10.0, "s; a box for one moment must not end before the face does")]
    follow_score: Annotated[float, Range(0.2, 0.95, "lower follows what is something else, higher loses what turns")]
    lost_s: Annotated[float, Range(0.1, 10.0, "s; shorter gives up behind every arm, longer covers an empty place")]
    longest_follow_s: Annotated[float, Range(1.0, 3600.0, "s; every second of it is decoded, in both directions")]


@dataclass(frozen=True, kw_only=True)
class PipelineConfig:
    """All of `configs/pipeline.toml`."""

    detection: DetectionConfig
    pose: PoseConfig
    face: FaceConfig
    tracking: TrackingConfig
    face_tracking: TrackingConfig
    heads: HeadConfig
    weak_heads: WeakHeadConfig
    static_heads: StaticHeadConfig
    background: BackgroundConfig
    appearance: AppearanceConfig
    association: AssociationConfig
    recovery: RecoveryConfig
    regions: RegionConfig
    manual: ManualConfig
    operators: OperatorConfig
    learned: LearnedConfig
    attack: AttackConfig
    video: VideoConfig
    risk: RiskConfig
    verdict: VerdictConfig
    relations: ClassVar[tuple[Relation, ...]] = (
        *_tracking_relations("tracking", "detection"),
        *_tracking_relations("face_tracking", "face"),
        Relation(
            ("static_heads.least_observations", "static_heads.interval_s", "static_heads.window_s"),
            lambda looks, interval, window: looks * interval <= window,
            "least_observations times interval_s of at most window_s",
            "a window never holds so many looks, and no lying patient is found",
        ),
        Relation(
            ("static_heads.least_observations", "static_heads.later_interval_s", "static_heads.window_s"),
            lambda looks, interval, window: looks * interval <= window,
            "least_observations times later_interval_s of at most window_s",
            "a window never holds so many looks, and no lying patient is found",
        ),
        Relation(
            ("learned.ring", "learned.seam"),
            lambda ring, seam: ring + seam < 0.5,
            "less than 0.5 together",
            "both borders meet in the middle of the region",
        ),
    )


def load_config(
    path: Path | None = None, overrides: Changes | None = None, *, model: Changes | None = None, fast: bool = False
) -> PipelineConfig:
    """The anonymizer's settings: see `load_settings`; `fast` takes those of `configs/fast.toml`."""
    preset = "configs/fast.toml" if fast else None
    return load_settings(PipelineConfig, "configs/pipeline.toml", path, overrides, model=model, preset=preset)


def config_hash(*sections: Any) -> str:
    """A short stable hash of config dataclasses and plain values, for the run manifest."""
    plain = [dataclasses.asdict(s) if dataclasses.is_dataclass(s) and not isinstance(s, type) else s for s in sections]
    return hashlib.sha256(json.dumps(plain, sort_keys=True, default=str).encode()).hexdigest()[:16]
