"""What a room's cameras tell one another, as the run knows it; they are compared by `across`, live in a process beside.

Comparing takes as long as several looks, and is Python's own work.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from or_mv_anon.association.known_geometry import Geometry
from or_mv_anon.association.views import ViewNames
from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.config import PipelineConfig
from or_mv_anon.core.records import RegionKind, Regions
from or_mv_anon.live.across import Across
from or_mv_anon.live.moments import Sight
from or_mv_anon.live.settings import FaultsConfig

REACH_S = 0.3  # seconds from an instant within which a carried head is covered
MOST_UNTOLD = 64  # sights that wait for the next comparison; with more they are told at once


@dataclass(frozen=True)
class News:
    """What happened since the last comparison.

    Attributes:
        sights: of cameras by name, in order; None where the camera looks elsewhere.
        now: the time of the newest frame, up to which heads are to be carried over; None not to.
    """

    sights: Sequence[tuple[str, Sight | None]]
    now: float | None = None


@dataclass(frozen=True)
class Compared:
    """What came of it.

    Attributes:
        carried, uncovered, astray: see `Across`.
        said: sentences for the user.
    """

    carried: Mapping[str, Sequence[tuple[float, Boxes]]] = field(default_factory=dict)
    uncovered: Mapping[str, int] = field(default_factory=dict)
    astray: frozenset[ViewNames] = frozenset()
    said: Sequence[str] = ()


class Comparer:
    """Compares cameras; called with news it tells what came of them."""

    def __init__(self, names: Sequence[str], geometry: Geometry, config: PipelineConfig, faults: FaultsConfig) -> None:
        self._said: list[str] = []
        self._across = Across(names, geometry, config, faults, self._said.append)

    def __call__(self, news: News) -> Compared:
        """What cameras tell one another, all of this news known."""
        across = self._across
        for name, sight in news.sights:
            if sight is None:
                across.forget(name)
            else:
                across.note(name, sight)
        if news.now is not None:
            across.update(news.now)
        said, self._said[:] = tuple(self._said), ()
        carried = {name: tuple(each) for name, each in across.carried.items()}
        return Compared(carried, dict(across.uncovered), frozenset(across.astray), said)


class Exchange:
    """What the run knows of it; one thread notes and updates, any may read."""

    def __init__(self, ask: Callable[[News], Compared], say: Callable[[str], None]) -> None:
        """`ask` is a `Comparer`, here or in another process."""
        self._ask, self._say = ask, say
        self._untold: list[tuple[str, Sight | None]] = []
        self._known = Compared()

    @property
    def uncovered(self) -> Mapping[str, int]:
        """By camera, people whom others place in its picture too vaguely to be covered."""
        return self._known.uncovered

    @property
    def astray(self) -> frozenset[ViewNames]:
        """Pairs of cameras whose geometry does not fit what they see."""
        return self._known.astray

    def note(self, name: str, sight: Sight) -> None:
        """What a look at a camera found."""
        self._untold.append((name, sight))
        if len(self._untold) > MOST_UNTOLD:
            self._tell(None)

    def forget(self, name: str) -> None:
        """A camera looks elsewhere."""
        self._untold.append((name, None))

    def update(self, now: float) -> None:
        """Carry over what was seen since the last call; `now` is the time of the newest frame."""
        self._tell(now)

    def regions(self, name: str, time: float) -> Regions:
        """What others place in a camera's frame taken at `time` seconds; `frame` is 0."""
        boxes = [each for at, each in self._known.carried.get(name, ()) if abs(at - time) <= REACH_S]
        box = np.concatenate([np.zeros((0, 4), np.float32), *boxes])
        count = len(box)
        return Regions(
            frame=np.zeros(count), box=box, kind=np.full(count, RegionKind.HEAD), track=np.full(count, -1),
            uncertainty=np.full(count, 0.5),
        )  # fmt: skip

    def _tell(self, now: float | None) -> None:
        untold, self._untold = self._untold, []
        self._known = self._ask(News(untold, now))
        for text in self._known.said:
            self._say(text)
