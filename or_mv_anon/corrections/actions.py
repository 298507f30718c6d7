"""What a reviewer can decide, as typed records that are checked when they are made; `docs/file-formats.md` has them.

Times are seconds of the session's clock. Boxes are ``x1, y1, x2, y2`` in pixels of the upright frame. Nothing here
refers to anything that another run would number anew: a track is told by where it was, besides its number.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, Literal, get_args

from or_mv_anon.core.errors import UserError
from or_mv_anon.core.records import LARGEST_PLACE

Hold = Literal["moment", "span", "always"]
Box = tuple[float, float, float, float]
LONGEST_TEXT = 2000  # characters of a name or a reason
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Keyframe:
    """Where something is at one moment: seconds of the session, and its box."""

    time: float
    box: Box


@dataclass(frozen=True)
class Place:
    """Something in one camera at one moment."""

    camera: str
    time: float
    box: Box


@dataclass(frozen=True)
class Action:
    """Base of all decisions; `name` is what the record calls it."""

    name: ClassVar[str]
    needs_reason: ClassVar[bool] = False


@dataclass(frozen=True)
class Cover(Action):
    """Cover something that was left open.

    Attributes:
        camera: in which it was drawn.
        boxes: keyframes in order of time, at least one; between two of them the box moves evenly.
        hold: ``moment``: around and between the keyframes; ``span``: from `start` to `end`, before the first and after
            the last keyframe as there; ``always``: in the whole recording.
        start, end: of a span; None otherwise.
        follow: look in the pictures where it goes, from the keyframes on in both directions.
        all_cameras: also cover it in the other cameras, where their geometry tells its place.
    """

    name = "cover"
    camera: str
    boxes: tuple[Keyframe, ...]
    hold: Hold = "moment"
    start: float | None = None
    end: float | None = None
    follow: bool = False
    all_cameras: bool = False


@dataclass(frozen=True)
class NotAPerson(Action):
    """A track is nobody: its cover goes, where and as long as the track was, and nowhere else.

    Attributes:
        camera: of the track.
        track: its number in the run that was reviewed; another run may number it otherwise.
        boxes: where it was, in order of time: what another run is to recognize it by.
        override: also where a face detector disagrees; takes a reason.
    """

    name = "not_a_person"
    camera: str
    track: int
    boxes: tuple[Keyframe, ...]
    override: bool = False


@dataclass(frozen=True)
class Withdraw(Action):
    """An earlier decision no longer holds; withdrawing a withdrawal brings it back."""

    name = "withdraw"
    line: str


@dataclass(frozen=True)
class Merge(Action):
    """What is seen at these places is one person."""

    name = "merge"
    places: tuple[Place, ...]


@dataclass(frozen=True)
class Split(Action):
    """What is seen at these places are different people."""

    name = "split"
    places: tuple[Place, ...]


@dataclass(frozen=True)
class Seen(Action):
    """A case was looked at."""

    name = "seen"
    case: str


@dataclass(frozen=True)
class Accept(Action):
    """A case needs nothing more."""

    name = "accept"
    case: str


@dataclass(frozen=True)
class Open(Action):
    """A case is to be looked at again."""

    name = "open"
    case: str


@dataclass(frozen=True)
class AcceptCamera(Action):
    """A camera's output may be released: the very file with this SHA-256, and no later one."""

    name = "accept_camera"
    camera: str
    output: str


@dataclass(frozen=True)
class ShowOriginal(Action):
    """Somebody looked at the recording itself."""

    name = "show_original"
    camera: str
    start: float
    end: float


ACTIONS: dict[str, type[Action]] = {
    kind.name: kind
    for kind in (Cover, NotAPerson, Withdraw, Merge, Split, Seen, Accept, Open, AcceptCamera, ShowOriginal)
}


def parse_action(values: Mapping[str, Any]) -> Action:
    """The decision that a JSON object holds under ``action`` and the fields of its record.

    Raises:
        UserError: it is none; the sentence says what was expected.
    """
    given = dict(values)
    name = given.pop("action", None)
    if not isinstance(name, str) or name not in ACTIONS:
        raise UserError(f"There is no action {name!r}; expected one of {', '.join(ACTIONS)}.")
    kind = ACTIONS[name]
    known = {field.name for field in fields(kind)}
    if unknown := sorted(given.keys() - known):
        raise UserError(f"{name} has no field {unknown[0]!r}; expected {', '.join(sorted(known))}.")
    try:
        if "boxes" in given:
            given["boxes"] = tuple(_keyframe(each) for each in given["boxes"])
        if "places" in given:
            given["places"] = tuple(_place(each) for each in given["places"])
        action = kind(**given)
    except (TypeError, ValueError, KeyError) as error:
        raise UserError(f"{name} cannot be understood ({error}); expected {', '.join(sorted(known))}.") from error
    check_action(action)
    return action


def plain_action(action: Action) -> dict[str, Any]:
    """The JSON object that `parse_action` understands."""
    return {"action": action.name, **asdict(action)}


def check_action(action: Action) -> None:
    """Look whether a decision can be meant.

    Raises:
        UserError: it cannot, and why.
    """
    for field in fields(action):
        value = getattr(action, field.name)
        if field.name in ("camera", "case", "line"):
            check_text(value, f"{field.name} of {action.name}", empty=False)
        elif field.name in ("follow", "all_cameras", "override"):
            _require(type(value) is bool, f"{field.name} of {action.name} must be true or false, got {value!r}")
    match action:
        case Cover():
            _check_keyframes(action.boxes)
            _require(action.hold in get_args(Hold), f"hold must be one of {', '.join(get_args(Hold))}")
            if action.hold == "span":
                _require(_number(action.start) and _number(action.end), "a span needs its start and end in seconds")
                assert action.start is not None
                assert action.end is not None
                _require(action.start <= action.end, "a span ends before it starts")
            else:
                _require(action.start is None and action.end is None, f"hold {action.hold} has no start and end")
        case NotAPerson():
            _check_keyframes(action.boxes)
            _require(type(action.track) is int, f"track must be a whole number, got {action.track!r}")
        case Merge() | Split():
            _require(len(action.places) >= 2, f"{action.name} needs two places or more")
            for place in action.places:
                check_text(place.camera, "camera", empty=False)
                _check_box(place.box)
                _require(_number(place.time), f"the time {place.time!r} is no number of seconds")
        case AcceptCamera():
            fine = isinstance(action.output, str) and _DIGEST.fullmatch(action.output) is not None
            _require(fine, "output must be the SHA-256 of the file that was looked at")
        case ShowOriginal():
            _require(_number(action.start) and _number(action.end), "start and end must be seconds")


def needs_reason(action: Action) -> bool:
    """Whether a decision is taken only with a reason."""
    return isinstance(action, NotAPerson) and action.override


def check_text(value: object, what: str, *, empty: bool) -> None:
    """Refuse what is no plain text.

    Raises:
        UserError: it is none.
    """
    _require(isinstance(value, str), f"{what} must be text, got {value!r}")
    assert isinstance(value, str)
    _require(empty or bool(value.strip()), f"{what} is missing")
    _require(len(value) <= LONGEST_TEXT, f"{what} is longer than {LONGEST_TEXT} characters")
    _require(empty or value.isprintable(), f"{what} holds control characters")


def _keyframe(values: Mapping[str, Any]) -> Keyframe:
    keyframe = Keyframe(**values)
    return Keyframe(keyframe.time, _box(keyframe.box))


def _place(values: Mapping[str, Any]) -> Place:
    place = Place(**values)
    return Place(place.camera, place.time, _box(place.box))


def _box(values: Sequence[Any]) -> Box:
    x1, y1, x2, y2 = values
    return (x1, y1, x2, y2)


def _check_keyframes(boxes: Sequence[Keyframe]) -> None:
    _require(len(boxes) > 0, "at least one box is needed")
    for keyframe in boxes:
        _require(_number(keyframe.time), f"the time {keyframe.time!r} is no number of seconds")
        _check_box(keyframe.box)
    times = [keyframe.time for keyframe in boxes]
    _require(times == sorted(set(times)), "boxes must be in order of time, one for each moment")


def _check_box(box: Box) -> None:
    _require(all(map(_number, box)), f"the box {list(box)} must hold four numbers")
    x1, y1, x2, y2 = box
    _require(x1 < x2 and y1 < y2, f"the box {list(box)} must be x1, y1, x2, y2 with x1 < x2 and y1 < y2")
    _require(max(map(abs, box)) <= LARGEST_PLACE, f"the box {list(box)} lies too far outside of any picture")


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _require(fine: bool, text: str) -> None:
    if not fine:
        raise UserError(f"This correction cannot be taken: {text}.")
