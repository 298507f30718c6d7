"""What all attempts share: two tiny sessions, undisturbed runs of them, and the judgement of an output folder."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from benchmarks.hostile_hook import Moment, operations
from benchmarks.hostile_material import Clip, Shown, encode, read_clip, shown
from benchmarks.hostile_tool import Ran, Tool, Verdict

FIRST = {"cam3": 12, "cam4": 62}  # frames of the shipped session at which several people face these cameras
FRAMES = 8
SEGMENTS = "[video]\nsegment_s = 0.4\n[static_heads]\ninterval_s = 0\n"  # two segments; turned pictures take long


@dataclass(frozen=True)
class World:
    """The material of one run of this benchmark.

    Attributes:
        tool: under trial.
        work: a folder that is this benchmark's alone.
        data: the simulated session that ships.
        seed: of everything that is drawn.
        limit: how many attempts of a kind are made at most.
        faults: a folder of recordings with known right values, if there is one.
    """

    tool: Tool
    work: Path
    data: Path
    seed: int
    limit: int
    faults: Path | None

    def draws(self, *names: object) -> random.Random:
        """Chance that depends on the seed and on nothing that was drawn before."""
        return random.Random(" ".join(map(str, [self.seed, *names])))

    @cached_property
    def clips(self) -> dict[str, Clip]:
        """The cameras' frames and faces, as the tool is given them."""
        found = {camera: read_clip(self.data, camera, first=first, count=FRAMES) for camera, first in FIRST.items()}
        return {"cam1": found["cam4"], "cam2": found["cam3"]}

    @cached_property
    def other(self) -> Clip:
        """Another recording of the first camera: the same size and length, people elsewhere."""
        return read_clip(self.data, "cam4", first=FIRST["cam4"] + FRAMES, count=FRAMES)

    def session(self, folder: Path, *cameras: str) -> Path:
        """Write the named cameras' videos into a folder."""
        for camera in cameras:
            encode(folder / f"{camera}.mp4", self.clips[camera].pictures)
        return folder

    @cached_property
    def videos(self) -> Path:
        """A session of one camera."""
        return self.session(self.work / "one" / "videos", "cam1")

    @cached_property
    def pair(self) -> Path:
        """A session of two cameras."""
        return self.session(self.work / "two" / "videos", "cam1", "cam2")

    @cached_property
    def clean(self) -> Path:
        """The output folder of an undisturbed run of one camera."""
        return self._undisturbed(self.videos)

    @cached_property
    def clean_pair(self) -> Path:
        """The same for two cameras."""
        return self._undisturbed(self.pair)

    def operations_of(self, clean: Path) -> list[str]:
        """What the undisturbed run did to files."""
        return operations(clean.parent / "hook")

    def seconds_of(self, clean: Path) -> float:
        """How long the undisturbed run took."""
        return float((clean.parent / "seconds").read_text())

    def _undisturbed(self, videos: Path) -> Path:
        out = videos.parent / "out"
        started = time.monotonic()
        ran = self.tool.anonymize(videos, out, environment=Moment().environment(videos.parent / "hook", out))
        if ran.code != 0:
            raise SystemExit(f"An undisturbed run failed: {ran.out}{ran.err}")
        (videos.parent / "seconds").write_text(str(time.monotonic() - started))
        return out

    @cached_property
    def missed(self) -> Shown:
        """Faces that undisturbed runs show."""
        both = {camera: self.clean_pair / f"{camera}.mp4" for camera in self.clips}
        return shown(self.clips, both) | shown({"cam1": self.clips["cam1"]}, {"cam1": self.clean / "cam1.mp4"})

    @cached_property
    def clean_other(self) -> Path:
        """The output of an undisturbed run of the other recording."""
        videos = self.work / "other" / "videos"
        encode(videos / "cam1.mp4", self.other.pictures)
        return self._undisturbed(videos) / "cam1.mp4"

    @cached_property
    def missed_of_other(self) -> Shown:
        """Faces of the other recording that an undisturbed run of it shows."""
        return shown({"cam1": self.other}, {"cam1": self.clean_other})

    @cached_property
    def same_in_other(self) -> Shown:
        """Faces of the first recording whose place looks the same where an undisturbed run of the other shows it."""
        return shown({"cam1": self.clips["cam1"]}, {"cam1": self.clean_other})

    def copy(self, folder: Path, clean: Path | None = None) -> tuple[Path, Path]:
        """A copy of a session and of its finished run, with all times kept: (videos, out)."""
        clean = clean or self.clean
        for name in ("videos", "out"):
            shutil.copytree(clean.parent / name, folder / name, copy_function=shutil.copy2)
        return folder / "videos", folder / "out"

    def exposed(self, out: Path, clips: Mapping[str, Clip] | None = None) -> int:
        """How many faces an output folder shows; of what the tool was given, only those that undisturbed runs cover."""
        chosen = self.clips if clips is None else dict(clips)
        found = shown(chosen, {camera: out / f"{camera}.mp4" for camera in chosen})
        return len(found - self.missed if clips is None else found)

    def judge(self, ran: Ran, out: Path, *, told_is_enough: bool = False) -> Verdict:
        """Survived if the run ended properly and no face is out that belongs covered.

        Args:
            ran: the last run.
            out: its output folder.
            told_is_enough: an exit code other than 0 excuses what is shown.
        """
        if ran.complaint:
            return Verdict(ran.complaint)
        exposed = self.exposed(out)
        if exposed and not (told_is_enough and ran.code):
            return Verdict(f"{exposed} faces shown, exit code {ran.code}", exposed)
        return Verdict()

    def judge_same(self, ran: Ran, out: Path, clean: Path | None = None) -> Verdict:
        """Survived if the run refused, or ended well with the outputs of an undisturbed one to the byte."""
        verdict = self.judge(ran, out)
        if verdict.why or ran.code != 0:
            return verdict
        files = sorted((clean or self.clean).glob("*.mp4"))
        differing = [file.name for file in files if not is_copy(out / file.name, file)]
        return Verdict(f"{', '.join(differing)} is not as after an undisturbed run" if differing else "")


def is_copy(file: Path, other: Path) -> bool:
    """Whether two files hold the same bytes."""
    return file.is_file() and file.read_bytes() == other.read_bytes()
