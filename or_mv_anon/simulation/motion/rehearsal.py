"""The floor of the room in time: who is where when, and how to go somewhere without coming near anybody.

Whoever moves plans a way around all places that the others have settled to be at, from that moment on; as parts are
written in the order of time, nobody is ever walked into.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.simulation.bodies.rotations import wrapped
from or_mv_anon.simulation.motion.motion import TURN_RATE
from or_mv_anon.simulation.motion.paths import BODY, EXIT_DEPTH, FloorMap, Walk
from or_mv_anon.simulation.motion.score import Score
from or_mv_anon.simulation.scene import Placement, RoomPlan

Array = NDArray[np.float64]
PASSING = 0.45  # metres between two people's middles when one passes the other
STANDING = 0.6  # metres between two people who stand
ELBOW_ROOM = 0.32  # metres between somebody who stands and furniture
SPOTS_TRIED = 6
NO_TURN_NEEDED = 0.6  # radians that somebody turns while already walking


@dataclass(eq=False)
class Actor:
    """Somebody who is being given a part.

    Attributes:
        person: number of the person.
        role: what they are.
        score: their part so far.
        home: where they mostly stand.
        rng: their own randomness.
        free: until when their part is written, seconds; they then do something new.
        steady: until when they surely stay where they are, ready for others.
        carrying: whether they have something in their hands.
        booked: stretches of time in which they do something together with somebody.
        errand: what they wait to do with somebody, if anything.
    """

    person: int
    role: str
    score: Score
    home: Placement
    rng: np.random.Generator
    free: float = 0.0
    steady: float = 0.0
    carrying: bool = False
    booked: list[tuple[float, float]] = field(default_factory=list)
    errand: Callable[[Rehearsal, Actor, float], float] | None = None

    def has_time(self, start: float, end: float) -> bool:
        """Whether they stay where they are and have nothing to do with anybody in that time."""
        return end < self.steady and all(end < first or last < start for first, last in self.booked)


class Rehearsal:
    """The room with everybody in it while their parts are written."""

    def __init__(self, plan: RoomPlan) -> None:
        """An empty room."""
        self.plan = plan
        self.floor = FloorMap(plan)
        self.actors: list[Actor] = []
        self.field = self._surface_middle("field", plan.table.height + 0.2)
        inside = plan.stations.get("door_inside")
        outward = np.array([math.cos(plan.door.heading), math.sin(plan.door.heading)])
        door = np.array([plan.door.x, plan.door.y])
        self._inside = np.array([inside.x, inside.y]) if inside else door + 0.75 * outward
        self.outside = door - EXIT_DEPTH * outward

    def with_role(self, *roles: str) -> list[Actor]:
        """The actors of these roles."""
        return [actor for actor in self.actors if actor.role in roles]

    def station(self, *names: str) -> Placement | None:
        """The first of these stations that the room has."""
        return next((self.plan.stations[name] for name in names if name in self.plan.stations), None)

    def go(self, actor: Actor, time: float, to: Placement) -> float | None:
        """Walk there and turn to where it faces; returns when that is done, or None when there is no free way now."""
        start = actor.score.place[actor.score.tick(time)]
        goal = np.array([to.x, to.y])
        if np.linalg.norm(goal - start) < 0.1:
            actor.score.rest(time)
            actor.score.stand(time, to.heading)
            return time + self._turning(actor, time, to.heading)
        way = self.floor.route(start, goal, self._people(actor, time), distance=PASSING)
        return None if way is None else self._walk(actor, time, way, to.heading)

    def leave(self, actor: Actor, time: float) -> float | None:
        """Walk out of the door; returns when the actor is gone, or None when the way is taken."""
        start = actor.score.place[actor.score.tick(time)]
        people = self._people(actor, time)
        way = self.floor.route(start, self._inside, people, distance=PASSING)
        if way is None or self._door_taken(people):
            return None
        out = self._walk(actor, time, np.concatenate([way, self._through_door()]), self.plan.door.heading + math.pi)
        actor.score.leave(out)
        return out

    def come(self, actor: Actor, time: float, to: Placement) -> float | None:
        """Come in by the door and walk there; returns when that is done, or None when the way is taken."""
        people = self._people(actor, time)
        way = self.floor.route(self._inside, np.array([to.x, to.y]), people, distance=PASSING)
        if way is None or self._door_taken(people):
            return None
        actor.score.come(time)
        actor.score.stand(time, self.plan.door.heading, at=self.outside)
        return self._walk(actor, time, np.concatenate([self._through_door()[::-1], way]), to.heading)

    def spot(self, actor: Actor | None, time: float, near: Placement, *, faces: Sequence[float] | Array) -> Placement:
        """The nearest free place that can be got to, facing a point (x, y).

        It is clear of people and of their own places, and does not block the way of others if that can be avoided.
        """
        taken = self._people(actor, time)
        start = self._inside
        if actor is not None and actor.score.present[actor.score.tick(time)]:
            start = actor.score.place[actor.score.tick(time)]
        free = self.floor.reachable(start, taken, distance=PASSING) & (self.floor.clearance > ELBOW_ROOM)
        homes = [[other.home.x, other.home.y] for other in self.actors if other is not actor]
        taken = np.concatenate([taken, np.reshape(np.array(homes), (-1, 2))])
        centres = self.floor.centres
        away = np.hypot(centres[..., 0] - near.x, centres[..., 1] - near.y)
        free &= np.hypot(centres[..., 0] - self._inside[0], centres[..., 1] - self._inside[1]) > 0.7
        for other in taken:
            free &= np.hypot(centres[..., 0] - other[0], centres[..., 1] - other[1]) > STANDING
        away[~free] += 1000
        best = np.unravel_index(int(np.argmin(away)), away.shape)
        passable = self._stations_reached(start, taken)
        for _ in range(SPOTS_TRIED):
            tried = np.unravel_index(int(np.argmin(away)), away.shape)
            if away[tried] < 1000 and self._stations_reached(start, np.vstack([taken, centres[tried]])) >= passable:
                best = tried
                break
            away[np.linalg.norm(centres - centres[tried], axis=-1) < 0.25] += 1000
        x, y = centres[best]
        return Placement(float(x), float(y), math.atan2(faces[1] - y, faces[0] - x))

    def _stations_reached(self, start: Array, people: Array) -> int:
        """How many of the room's stations one gets to from somewhere between people."""
        free = self.floor.reachable(start, people, distance=PASSING)
        return sum(bool(free[self.floor.cell((place.x, place.y))]) for place in self.plan.stations.values())

    def can_get_to(self, actor: Actor, time: float, place: Placement) -> bool:
        """Whether a way leads from the door to a place between the places at which the others stand now."""
        way = self.floor.route(self._inside, np.array([place.x, place.y]), self._people(actor, time), distance=PASSING)
        return way is not None

    def is_free(self, actor: Actor, time: float, place: Placement) -> bool:
        """Whether somebody could stand there."""
        people = self._people(actor, time)
        near = np.hypot(people[:, 0] - place.x, people[:, 1] - place.y).min(initial=math.inf)
        return near > PASSING and self.floor.room_at((place.x, place.y)) > BODY

    def _people(self, actor: Actor | None, time: float) -> Array:
        """Places (N, 2) where others are or will be from that time on."""
        found = [np.zeros((0, 2))]
        for other in self.actors:
            if other is not actor:
                span = other.score.ticks(time)
                settled = other.score.place[span][other.score.present[span]]
                found.append(np.unique(np.round(settled / 0.06), axis=0) * 0.06)
        return np.concatenate(found)

    def _walk(self, actor: Actor, time: float, way: Array, heading: float) -> float:
        score = actor.score
        score.rest(time)
        towards = way[min(7, len(way) - 1)] - way[0]
        first = math.atan2(towards[1], towards[0])
        start = time + max(self._turning(actor, time, first) - NO_TURN_NEEDED / TURN_RATE, 0.2)
        score.stand(time, first)
        walk = Walk(way, start, float(actor.rng.uniform(0.75, 1.05)))
        score.walk(walk)
        score.stand(walk.end - 0.25, heading)
        done = walk.end + self._turning(actor, walk.end - 0.3, heading)
        score.act(time, done, "walk")
        if actor.carrying:
            low = 0.76 * score.build.shoulder_height
            for side, outward in ((0, 1), (1, -1)):
                score.hand(
                    side, time, done, np.array([outward * 0.14, -0.34, low]), world=False, pronation=-0.3, grip=0.5
                )
        return done

    def _turning(self, actor: Actor, time: float, heading: float) -> float:
        """Seconds that turning to a heading takes."""
        return abs(wrapped(heading - float(actor.score.heading[actor.score.tick(time)]))) / TURN_RATE + 0.15

    def _through_door(self) -> Array:
        """Points from inside the door to outside."""
        return self._inside + np.linspace(0.05, 1, 30)[:, None] * (self.outside - self._inside)

    def _door_taken(self, people: Array) -> bool:
        way = self._through_door()
        gaps = np.linalg.norm(people[:, None] - way[None], axis=-1)
        return bool((gaps < PASSING).any())

    def _surface_middle(self, name: str, height: float) -> Array:
        surface = self.plan.surfaces.get(name)
        if surface is None:
            return np.array([self.plan.table.x, self.plan.table.y, height])
        return np.array([surface.x, surface.y, surface.height])
