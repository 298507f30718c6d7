"""Frames of a camera that wait to be decided about, and the question that is asked about them.

The answer takes milliseconds of Python for every frame, which would hold up the threads that read, look, cover and
send, so live it is given by a process beside this one (`core.companion`); only what was found goes there, no picture.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from or_mv_anon.core.config import PipelineConfig
from or_mv_anon.core.records import Regions
from or_mv_anon.live.line import Held
from or_mv_anon.live.looking import Look
from or_mv_anon.live.moments import Moment, Searched, Sight
from or_mv_anon.live.settings import LiveConfig
from or_mv_anon.live.window import SAME_S, CameraWindow, Decided
from or_mv_anon.regions.source import Zone


@dataclass(frozen=True)
class Turned:
    """The camera looks elsewhere."""


@dataclass(frozen=True)
class Covered:
    """Frames that are covered whole, whatever is known of them."""

    numbers: frozenset[int]


Event = Moment | Sight | Searched | Turned | Covered


@dataclass(frozen=True)
class Question:
    """About one camera.

    Attributes:
        camera: its name.
        events: what happened since the last question, in order.
        corrupt: frames that damage reaches.
        due: frames to decide about.
        more: what others want covered in them, by frame.
    """

    camera: str
    events: Sequence[Event]
    corrupt: frozenset[int]
    due: frozenset[int]
    more: Mapping[int, Regions]


@dataclass(frozen=True)
class Zones:
    """Of one camera, in pixels of the upright frame: always covered, never covered."""

    always: Sequence[Zone] = ()
    never: Sequence[Zone] = ()


class Windows:
    """The windows of a room's cameras; called with a question it answers."""

    def __init__(self, config: PipelineConfig, live: LiveConfig, zones: Mapping[str, Zones]) -> None:
        self._windows = {
            name: CameraWindow(config, live, always=of.always, never=of.never) for name, of in zones.items()
        }

    def __call__(self, question: Question) -> Decided:
        """What is to be covered in the frames that are asked about."""
        window = self._windows[question.camera]
        for event in question.events:
            _tell(window, event)
        window.distrust(question.corrupt)
        return window.decide(question.due, question.more)


def _tell(window: CameraWindow, event: Event) -> None:
    match event:
        case Moment():
            window.add(event)
        case Sight():
            window.note(event)
        case Searched():
            window.search(event)
        case Turned():
            window.turned()
        case Covered():
            window.cover(event.numbers)


class CameraFrames:
    """One camera's frames until they are decided about.

    Attributes:
        searches: looks at turned pictures since the camera stands as it does.
        zones_lost: the camera looks elsewhere than when its zones were drawn.
        newest: the frame that came last.
        looked_until: when the frame was taken that was looked at last.
    """

    def __init__(
        self, name: str, ask: Callable[[Question], Decided], live: LiveConfig, *, has_zones: bool = False
    ) -> None:
        """`ask` knows the camera by its name."""
        self._name, self._ask, self._has_zones = name, ask, has_zones
        self._learn_looks = live.memory.learn_looks if live.looking.still_interval_s > 0 else 0
        self._undecided: dict[int, Held] = {}
        self._events: list[Event] = []
        self._count = 0
        self.searches = 0
        self.zones_lost = False
        self.newest: Held | None = None
        self.looked_until = -math.inf

    @property
    def undecided(self) -> list[Held]:
        """Frames that were not decided about, oldest first."""
        return list(self._undecided.values())

    @property
    def learning(self) -> bool:
        """Whether too few turned pictures were looked at to know who lies where; all is covered until then."""
        return self.searches < self._learn_looks

    def add(self, held: Held) -> None:
        """The next frame. One of another size begins anew."""
        if self.newest is not None and held.frame.upright_size != self.newest.frame.upright_size:
            self.cover()
            self.looked_until = -math.inf
            self.searches = 0
        held.number = self._count
        self._undecided[self._count] = self.newest = held
        self._events.append(Moment(self._count, held.time, held.frame.upright_size, held.frame.corrupt))
        self._count += 1

    def note(self, look: Look) -> None:
        """A finished look at one of the frames."""
        held = look.held
        if self.newest is not None and held.frame.upright_size == self.newest.frame.upright_size:
            self.looked_until = held.time
        self._events.append(look.sight())

    def search(self, searched: Searched) -> None:
        """What was found in turned pictures."""
        self._events.append(searched)
        self.searches += 1

    def turned(self) -> None:
        """The camera looks elsewhere, and its zones are somewhere else."""
        self._events.append(Turned())
        self.searches = 0
        self.zones_lost = self._has_zones

    def begin_anew(self) -> None:
        """Who answers has forgotten everything: so is this camera's past, and it is learned again."""
        self.cover()
        self._events.clear()
        self.searches = 0
        self.looked_until = -math.inf

    def cover(self, until: float = math.inf) -> None:
        """Cover whole what was taken at or before `until` seconds and is not decided about."""
        covered = {number: held for number, held in self._undecided.items() if held.time <= until}
        for number, held in covered.items():
            held.decide(None)
            del self._undecided[number]
        if covered:
            self._events.append(Covered(frozenset(covered)))

    def decide(self, until: float, more: Callable[[float], Regions] = lambda time: Regions.empty()) -> Regions:
        """Decide about the frames taken at or before `until` seconds; those that cannot be judged are covered whole.

        Args:
            until: on the line's clock.
            more: what others want covered in a frame taken at a time.

        Returns:
            What is covered in the last of them.
        """
        due = {number: held for number, held in self._undecided.items() if held.time <= until + SAME_S}
        if not due:
            return Regions.empty()
        told = {number: found for number, held in due.items() if len(found := more(held.time))}
        decided = self._asked(frozenset(due), told)
        for number, held in due.items():
            regions = decided.regions.get(number)
            held.decide(None if self.learning else regions)
            del self._undecided[number]
        return decided.last

    def tell(self) -> None:
        """Let who answers know what happened, without a question."""
        self._asked(frozenset(), {})

    def _asked(self, due: frozenset[int], more: Mapping[int, Regions]) -> Decided:
        corrupt = frozenset(number for number, held in self._undecided.items() if held.frame.corrupt)
        events, self._events = self._events, []
        return self._ask(Question(self._name, events, corrupt, due, more))
