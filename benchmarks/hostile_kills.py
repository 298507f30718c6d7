"""Killed at any moment, and killed while the method changes: the next run must end as if nothing had been."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.hostile_hook import Moment, count_matching, happened
from benchmarks.hostile_tool import Case, Verdict, kill
from benchmarks.hostile_world import World

VIDEO = r"rename stages/.*video-[^ ]*$"  # an encoded segment gets its final name


def at_operations(world: World) -> Iterator[Case]:
    """Killed right before the n-th change of a file, for n spread over the whole run."""
    total = len(world.operations_of(world.clean_pair))
    count = min(world.limit, total)
    draws = world.draws("operations")
    for part in range(count):
        number = 1 + int((part + draws.random()) * total / count)

        def attempt(folder: Path, number: int = number) -> Verdict:
            out, hook = folder / "out", folder / "hook"
            moment = Moment(number=number).environment(hook, out)
            world.tool.anonymize(world.pair, out, environment=moment)
            if not happened(hook):
                return Verdict(applies=False)
            return _resumed(world, out)

        yield Case("killed at a file operation", f"operation {number} of {total}", attempt)


def at_moments(world: World) -> Iterator[Case]:
    """Killed at random moments."""
    draws = world.draws("moments")
    for _ in range(world.limit):
        share = draws.random()

        def attempt(folder: Path, share: float = share) -> Verdict:
            out = folder / "out"
            process = world.tool.start(*world.tool.job(world.pair, out))
            time.sleep(share * world.seconds_of(world.clean_pair))
            kill(process)
            process.communicate()
            return _resumed(world, out)

        yield Case("killed at a random moment", f"at about {share:.0%}", attempt)


def _resumed(world: World, out: Path) -> Verdict:
    ran = world.tool.anonymize(world.pair, out)
    if ran.code in (1, 2):
        return Verdict(f"the next run ends with {ran.code}: {ran.said}")
    verdict = world.judge_same(ran, out, world.clean_pair)
    return verdict if verdict.why or not list(out.rglob("*.partial")) else Verdict("leaves partial files")


def stale_results(world: World) -> Iterator[Case]:
    """A covering run killed, a run that covers nothing killed in its place, and the covering run again."""
    segments = max(1, count_matching(world.operations_of(world.clean), VIDEO))
    points = [
        (method, Moment(number=first, pattern=VIDEO, after=late), Moment(number=second, pattern=VIDEO, after=later))
        for method in ("none", "blur")
        for late in (False, True)
        for first in range(segments, 0, -1)
        for later in (True, False)
        for second in range(1, segments + 1)
    ]
    for method, one, two in points[: world.limit]:  # the nastiest come first

        def attempt(folder: Path, method: str = method, one: Moment = one, two: Moment = two) -> Verdict:
            out = folder / "out"
            for number, (name, moment) in enumerate((("solid", one), (method, two))):
                hook = moment.environment(folder / f"hook{number}", out)
                world.tool.anonymize(world.videos, out, "--method", name, environment=hook)
            return world.judge_same(world.tool.anonymize(world.videos, out), out)

        told = [f"{'after' if moment.after else 'before'} segment {moment.number}" for moment in (one, two)]
        yield Case("stale results", f"solid killed {told[0]}, {method} killed {told[1]}, solid", attempt)
