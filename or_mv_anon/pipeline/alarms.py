"""What makes a finished run suspicious as a whole: nothing failed, and still people may be in the open.

These sentences come first wherever a run is told about, and end it with exit code 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from or_mv_anon.audit.coverage import covered_share
from or_mv_anon.audit.document import CameraAudit
from or_mv_anon.audit.summary import Series
from or_mv_anon.core.config import VerdictConfig
from or_mv_anon.core.records import RegionKind, Regions
from or_mv_anon.pipeline.colourless import is_colourless
from or_mv_anon.pipeline.context import RunContext
from or_mv_anon.pipeline.media import CameraPlan
from or_mv_anon.regions.scene_change import add_stretch
from or_mv_anon.site import Zone

NOT_ANONYMIZED = "NOT ANONYMIZED: --method none covers nothing; these videos show everybody."
_ALL_OF_IT = 0.99  # of the picture
PEOPLE = ("head", "box_top", "person", "face")  # kinds of regions that stand for somebody


def find_alarms(run: RunContext, cameras: Sequence[CameraAudit]) -> list[str]:
    """Whole sentences about a run, the worst first; `cameras` are those that regions were placed in."""
    alarms = [NOT_ANONYMIZED] if run.spec.method == "none" else []
    plans = {plan.camera.name: plan for plan in run.plan.cameras}
    sizes = {plan.camera.name: facts.upright_size for plan, facts in zip(run.plan.cameras, run.plan.facts, strict=True)}
    rooms = [camera for camera in cameras if plans[camera.camera].camera.kind == "room"]
    for camera in rooms:
        share = uncovered_share(plans[camera.camera].camera.never, sizes[camera.camera])
        if share > run.spec.config.verdict.most_uncovered:
            alarms.append(
                f"PEOPLE MAY BE UNCOVERED: never_cover zones take in {share:.0%} of the picture of {camera.camera}, "
                f"more than the {run.spec.config.verdict.most_uncovered:.0%} of verdict.most_uncovered."
            )
    alarms += [sentence for camera in rooms for sentence in _unseen(run, plans[camera.camera], camera, rooms)]
    seen = [camera.camera for camera in rooms if camera.summary.tracks]
    if colourless := [name for name in seen if is_colourless(run, plans[name])]:
        alarms.append(
            f"PEOPLE MAY BE UNCOVERED: there is no colour in {', '.join(colourless)}, as with an infrared camera; "
            "networks miss people there, who lie above all. --detector people-and-heads-infrared misses fewer; or "
            "adapt to this site (or-mv-anon adapt). Look through the whole recording in any case."
        )
    return alarms + [sentence for camera in rooms for sentence in _hidden(run.spec.config.verdict, camera)]


def uncovered_share(never: Sequence[Zone], size: tuple[int, int]) -> float:
    """The share of a picture of `size` (width, height) that never-covered zones take in together, [0, 1]."""
    count = len(never)
    zones = Regions(
        frame=np.zeros(count),
        box=np.asarray(never, np.float32).reshape(count, 4),
        kind=np.full(count, RegionKind.ZONE),
        track=np.full(count, -1),
        uncertainty=np.zeros(count),
    )
    return float(covered_share(zones, np.zeros(1, np.int64), size=size)[0])


def _hidden(config: VerdictConfig, camera: CameraAudit) -> list[str]:
    """What is covered whole protects, but a recording of which little is left is not what was asked for."""
    series = camera.summary.series.covered
    full = sum(share >= _ALL_OF_IT for share in series) / max(1, len(series))
    share = max(full, camera.summary.whole_s / (camera.summary.duration_s or 1.0))
    if share <= config.most_lost:
        return []
    return [
        f"LITTLE IS LEFT: nothing shows in {share:.0%} of {camera.camera}, as it is damaged or covered whole, more "
        f"than the {config.most_lost:.0%} of verdict.most_lost."
    ]


def _unseen(run: RunContext, plan: CameraPlan, camera: CameraAudit, rooms: Sequence[CameraAudit]) -> list[str]:
    """People who may have been missed: something moves, and nobody is seen, or for too little of that time."""
    config = run.spec.config.verdict
    moving = [stretch for part in plan.segments for stretch in run.facts(plan.stage("analyse", part)).get("moving", [])]
    seconds = sum(stop - start for start, stop in moving)
    suspicious = bool(seconds) and seconds >= min(config.moving_s, camera.summary.duration_s / 2)
    start = f"PEOPLE MAY BE UNCOVERED: nobody was clearly seen in {camera.camera}"
    if not camera.summary.tracks:
        if suspicious:
            return [f"{start}, although something moves there for {seconds:.1f} s{_longest(moving)}."]
        candidates = sum(camera.summary.regions_by_kind[kind] for kind in PEOPLE)
        elsewhere = [other.camera for other in rooms if other.summary.tracks]
        if elsewhere and not candidates:
            return [f"{start}, not even weakly, although {', '.join(elsewhere)} shows people."]
        return []
    alone = _without_people(moving, camera.summary.series)
    unseen = sum(stop - start for start, stop in alone)
    if unseen >= config.moving_s and unseen > (1 - config.least_seen) * seconds:
        return [f"{start} for {unseen:.1f} of the {seconds:.1f} s in which something moves there{_longest(alone)}."]
    return []


def _without_people(moving: Sequence[Sequence[float]], series: Series) -> list[tuple[float, float]]:
    """The parts of the stretches `moving`, seconds from and to, in whose second nobody was seen and something shows."""
    shown = zip(series.second, series.people, series.covered, strict=True)
    seen = {second for second, people, covered in shown if people or covered >= _ALL_OF_IT}
    alone: list[tuple[float, float]] = []
    for start, stop in moving:
        for second in range(math.floor(start), math.ceil(stop)):
            begin, end = max(start, second), min(stop, second + 1)
            if second in seen or begin >= end:
                continue
            add_stretch(alone, begin, end)
    return alone


def _longest(stretches: Sequence[Sequence[float]]) -> str:
    start, stop = max(stretches, key=lambda stretch: stretch[1] - stretch[0])
    return f", longest from {start:.1f} to {stop:.1f} s: look there; if it is empty, all is well"
