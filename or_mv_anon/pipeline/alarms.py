"""What makes a finished run suspicious as a whole: nothing failed, and still people may be in the open.

These sentences come first wherever a run is told about, and end it with exit code 1.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from or_mv_anon.audit.coverage import covered_share
from or_mv_anon.audit.document import CameraAudit
from or_mv_anon.core.records import RegionKind, Regions
from or_mv_anon.pipeline.context import RunContext
from or_mv_anon.pipeline.media import CameraPlan
from or_mv_anon.site import Zone

NOT_ANONYMIZED = "NOT ANONYMIZED: --method none covers nothing; these videos show everybody."
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
    return alarms + [sentence for camera in rooms for sentence in _nobody(run, plans[camera.camera], camera, rooms)]


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


def _nobody(run: RunContext, plan: CameraPlan, camera: CameraAudit, rooms: Sequence[CameraAudit]) -> list[str]:
    if camera.summary.tracks:
        return []
    start = f"PEOPLE MAY BE UNCOVERED: nobody was clearly seen in {camera.camera}"
    moving = sum(run.facts(plan.stage("analyse", segment)).get("moving_s", 0.0) for segment in plan.segments)
    if moving and moving >= min(run.spec.config.verdict.moving_s, camera.duration_s / 2):
        return [f"{start}, although something moves there for {moving:.1f} s."]
    candidates = sum(camera.summary.regions_by_kind[kind] for kind in PEOPLE)
    elsewhere = [other.camera for other in rooms if other.summary.tracks]
    if elsewhere and not candidates:
        return [f"{start}, not even weakly, although {', '.join(elsewhere)} shows people."]
    return []
