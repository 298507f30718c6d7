"""Identifies every camera's input; everything that is decoded later is held to the hashes that are taken here."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from or_mv_anon.core.config import config_hash
from or_mv_anon.core.run_layout import BLOCKS
from or_mv_anon.core.workers import count_frames
from or_mv_anon.pipeline.context import RunContext
from or_mv_anon.pipeline.media import CameraPlan, hash_camera
from or_mv_anon.pipeline.stage import Stage, Task

THIS_PROCESS = uuid.uuid4().hex
"""Hashes of recordings count in the process that made them: files can change and keep their size and time."""


@dataclass(frozen=True)
class HashJob:
    """Identify one camera's input."""

    plan: CameraPlan


@dataclass(frozen=True)
class Hashed:
    """What a `HashJob` reports: SHA-256 and size in bytes."""

    sha256: str
    size: int


def hash_input(job: HashJob) -> Hashed:
    """Read the input once for its SHA-256 and those of its blocks, which every later reading is held to."""
    plan = job.plan
    digest, size = hash_camera(plan.camera, plan.store, plan.signature)
    count_frames(len(plan))
    return Hashed(digest, size)


class HashStage(Stage):
    """Reads every input once."""

    name = "hash"
    run = staticmethod(hash_input)
    writes = (BLOCKS,)

    def tasks(self, context: RunContext) -> list[Task]:
        """One per camera."""
        return [
            Task(
                plan.stage(self.name),
                config_hash(THIS_PROCESS, plan.signature),
                [plan.file(BLOCKS)],
                HashJob(plan),
                plan.camera.name,
                len(plan),
            )
            for plan in context.cameras(self)
        ]


HASH = HashStage()
