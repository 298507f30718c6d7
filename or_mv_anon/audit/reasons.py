"""Why a stretch of video deserves a human's eyes: one plain entry per reason, read by the ranking and by the report."""

from dataclasses import dataclass
from typing import Literal

Reason = Literal[
    "not_covered",
    "track_ends_inside",
    "track_starts_inside",
    "not_analysed",
    "cover_ends",
    "cover_begins",
    "seen_elsewhere",
    "open_candidate",
    "lone_detection",
    "filled_gap",
    "missed_by_detector",
    "low_score",
    "uncertain_head",
    "missing_frames",
    "frame_covered",
    "no_colour",
    "maybe_out_of_body",
    "out_of_body",
]


@dataclass(frozen=True)
class ReasonText:
    """How a reason is ranked and told.

    Attributes:
        weight: the highest severity that an interval of this reason can have, (0, 1]; higher where nothing at all may
            cover the person, lower where something does but perhaps in the wrong place.
        title: the reason in a few words.
        meaning: what the tool observed.
        look_for: what a reviewer should check in the anonymized video.
    """

    weight: float
    title: str
    meaning: str
    look_for: str


REASONS: dict[Reason, ReasonText] = {
    "not_covered": ReasonText(
        1.0,
        "Followed person without cover",
        "A followed person has no covered place here, unless a zone of the site that is never covered asks for it.",
        "Is this person's face visible?",
    ),
    "track_ends_inside": ReasonText(
        1.0,
        "Person lost inside the picture",
        "A person was followed up to here and then no more, although away from the picture's edge.",
        "Is the person still there, uncovered, just after this moment?",
    ),
    "track_starts_inside": ReasonText(
        1.0,
        "Person appears inside the picture",
        "A person was first found here although away from the picture's edge.",
        "Was the person already there, uncovered, just before this moment?",
    ),
    "not_analysed": ReasonText(
        1.0,
        "Not searched for people",
        "The person detector did not look at any frame of this stretch.",
        "Does anybody come into view who is not covered?",
    ),
    "seen_elsewhere": ReasonText(
        0.7,
        "Person seen by other cameras only",
        "Other cameras see a person who should be in this picture as well; nothing was found here, and where the head "
        "is could not be told well enough to cover it.",
        "Does the person show behind or beside others or equipment, uncovered?",
    ),
    "cover_ends": ReasonText(
        1.0,
        "Covered head that is no longer covered",
        "A head was covered here until a moment ago, in the middle of the picture, and nobody is seen to leave.",
        "Is the head still there, uncovered, after the cover is gone?",
    ),
    "cover_begins": ReasonText(
        1.0,
        "Head that was not covered before",
        "A head is covered from here on, in the middle of the picture, and nobody was seen to come.",
        "Was the head there before, uncovered?",
    ),
    "open_candidate": ReasonText(
        0.7,
        "Perhaps a head, not covered",
        "The detector saw something like a head or a person here, too weakly or too rarely to cover it.",
        "Is it a head?",
    ),
    "lone_detection": ReasonText(
        0.7,
        "Possible person that nobody follows",
        "The detector saw something like a person that did not become part of any track.",
        "Is there a person, and is the head covered from the first to the last frame in which it shows?",
    ),
    "filled_gap": ReasonText(
        0.6,
        "Position guessed for long",
        "A person was not observed here; the covered place was filled in between observations.",
        "Does the covered place keep on the head, also when the person turns or moves?",
    ),
    "missed_by_detector": ReasonText(
        0.5,
        "Detector missed a followed person",
        "The detector looked at these frames and did not report this person; the covered place was filled in.",
        "Does the covered place keep on the head?",
    ),
    "low_score": ReasonText(
        0.6,
        "Person seen weakly",
        "The detector was unsure of this person throughout.",
        "Is it a person, and does the covered place hold the whole head?",
    ),
    "uncertain_head": ReasonText(
        0.5,
        "Head not located",
        "No trusted head points; a larger place was covered, from the person's box or from other frames.",
        "Is the whole head inside the covered place?",
    ),
    "missing_frames": ReasonText(
        0.3,
        "Frames could not be decoded",
        "The input is damaged here; what the tool never saw it could not analyse.",
        "Does the picture before and after the damage show uncovered faces?",
    ),
    "frame_covered": ReasonText(
        0.1,
        "Frame covered whole",
        "The frame was damaged or its processing failed; the whole picture was covered to be safe.",
        "Nothing can be exposed here; decide whether the lost picture matters.",
    ),
    "no_colour": ReasonText(
        1.0,
        "Camera without colour",
        "This camera's pictures have no colour; the networks that come with the tool miss people in such pictures.",
        "Does anybody's face show, anywhere in the picture, above all of somebody who lies?",
    ),
    "maybe_out_of_body": ReasonText(
        1.0,
        "Endoscope perhaps outside the body",
        "The network thought it possible that the scope is outside; its neighbours in time spoke against it.",
        "Does the picture show the room or a person?",
    ),
    "out_of_body": ReasonText(
        0.05,
        "Endoscope outside the body",
        "The scope is outside, or about to leave or just back; the whole picture was covered.",
        "Nothing can be exposed here; decide whether surgery was covered in vain.",
    ),
}
