"""What a review works with: the run as it is now, its pictures, its cases, and what is being done."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from or_mv_anon.audit.cases import Case, read_cases
from or_mv_anon.audit.report import plain
from or_mv_anon.core.errors import UserError
from or_mv_anon.corrections.log import read, standing
from or_mv_anon.corrections.persons import Persons, told_persons
from or_mv_anon.review.decisions import decided, note_original
from or_mv_anon.review.glances import Glances, at_a_glance
from or_mv_anon.review.moments import Moments, jpeg
from or_mv_anon.review.originals import Originals
from or_mv_anon.review.people import covered_places, persons, presences
from or_mv_anon.review.proxies import Proxies
from or_mv_anon.review.rendering import Rendering, render_command
from or_mv_anon.review.run_folder import ReviewedRun, read_run
from or_mv_anon.review.scratch import Scratch


class Desk:
    """One review.

    Args:
        run: to review.
        room: for the small copies of its videos.
        videos: the recordings' folder, where it was named.

    Attributes:
        run: as it is on the disk now; another one after it was rendered again.
        version: grows whenever `run` is replaced.
        ended: set when the page asks to end.
    """

    def __init__(self, run: ReviewedRun, room: Scratch, videos: Path | None) -> None:
        self.run = run
        self.version = 0
        self.ended = threading.Event()
        self._videos = videos
        self._note = ""
        self._reading = threading.Lock()
        self._people: dict[str, list[dict[str, Any]]] = {}
        self._persons: tuple[tuple[int, tuple[str, ...]], Persons] | None = None
        self.cases = self._read_cases()
        self.proxies = Proxies(run, room, _first_looks(self.cases))
        self.moments = Moments(run, self.proxies)
        self._glances = Glances(run, self.proxies)
        self.originals = Originals(run, videos)
        self.rendering = Rendering(render_command(run.out, videos), self._renew)

    def start(self) -> None:
        """Begin to prepare what will be looked at."""
        self.proxies.start()

    def end(self) -> None:
        """Stop whatever is being done; what is saved stays."""
        self.rendering.stop()
        self.proxies.end()

    def render(self) -> None:
        """Render the run again with what was corrected.

        Raises:
            UserError: that is being done, or cannot be.
        """
        if why := self.originals.why_not():
            raise UserError(why)
        self.proxies.pause()
        try:
            if not self.rendering.start():
                raise UserError("It is being rendered already.")
        except OSError as error:
            self._renew()
            raise UserError(f"Rendering cannot be started ({error.strerror}).") from error

    def original(self, content: Mapping[str, Any]) -> bytes:
        """A frame of a recording as JPEG, after it was noted who looks at it.

        Args:
            content: `camera`, `second` of the session, `author` and `reason`.

        Raises:
            UserError: it cannot be shown, or not be noted.
        """
        camera = self.run.camera(content["camera"])
        frame = camera.frame_at(float(content["second"]))
        if frame is None:
            raise UserError(f"{camera.name} shows nothing at this moment.")
        if why := self.originals.why_not():
            raise UserError(why)
        note_original(self.run, camera, float(camera.seconds[frame]), content)
        return jpeg(self.originals.picture(camera, frame))

    def session(self) -> dict[str, Any]:
        """What the page shows of the run besides pictures."""
        run = self.run
        about = {entry["camera"]: entry for entry in run.audit["cameras"]}
        start, end = run.span
        sizes = {camera.name: camera.size for camera in run.cameras}
        return {
            "session": run.session,
            "version": self.version,
            "start": start,
            "end": end,
            "note": self._note,
            "sentence": run.audit.get("verdict", {}).get("sentence", ""),
            "original": self.originals.why_not(),
            "cameras": [
                {
                    "name": camera.name,
                    "width": camera.size[0],
                    "height": camera.size[1],
                    "start": float(camera.seconds[0]),
                    "end": camera.end,
                    "frames": len(camera),
                    "sha256": camera.seal.sha256,
                    "course": _course(about[camera.name], camera.offset + camera.shift_s),
                }
                for camera in run.cameras
            ],
            "cases": [{**plain(case), "glance": at_a_glance(case, sizes)} for case in self.cases],
        }

    def glance(self, case: str) -> bytes:
        """See `Glances.packed`.

        Raises:
            UserError: there is no such case.
        """
        for each in self.cases:
            if each.id == case:
                return self._glances.packed(each)
        raise UserError("There is no such case in this run.")

    def people(self, camera: str) -> list[dict[str, Any]]:
        """See `presences`; with the `identity` of each, -1 where it has none, as people decided it."""
        persons = self.persons()
        with self._reading:  # one at a time: the tables of a long recording are large
            if camera not in self._people:
                self._people[camera] = presences(self.run, self.run.camera(camera))
            seen = self._people[camera]
        return [{**each, "identity": persons.identity.get((camera, each["track"]), -1)} for each in seen]

    def persons(self) -> Persons:
        """Who is who after what was decided so far."""
        lines = told_persons(standing(read(self.run.out)))
        made_of = self.version, tuple(line.id for line in lines)
        with self._reading:
            if self._persons is None or self._persons[0] != made_of:
                self._persons = made_of, persons(self.run, lines)
            return self._persons[1]

    def covered(self, camera: str, frame: int) -> list[dict[str, Any]]:
        """See `covered_places`; with the `identity` of each, -1 where it has none."""
        identity = self.persons().identity
        places = covered_places(self.run, self.run.camera(camera), frame)
        return [{**each, "identity": identity.get((camera, each["track"]), -1)} for each in places]

    def decisions(self) -> dict[str, Any]:
        """See `decided`; with whose every case is, and what is not followed of what was decided about that."""
        found, persons = decided(self.run, self.cases), self.persons()
        people = {case.id: persons.of_case(case.identity, case.tracks) for case in self.cases}
        return {**found, "people": people, "unheeded": persons.unheeded}

    def state(self) -> dict[str, Any]:
        """What changes while the page is open."""
        return {
            "version": self.version,
            "proxies": self.proxies.progress(),
            "bytes": self.proxies.bytes,
            "rendering": self.rendering.plain(),
        }

    def _read_cases(self) -> list[Case]:
        self._note = ""
        try:
            return read_cases(self.run.store)
        except UserError as error:
            self._note = str(error)
            return []

    def _renew(self) -> None:
        """Take the run as it is now."""
        try:
            run = read_run(self.run.out)
        except UserError as error:
            self._note = str(error)
            self.proxies.renew(self.run)
            self.version += 1
            return
        self.run = self.moments.run = run
        self._glances = Glances(run, self.proxies)
        self.originals = Originals(run, self._videos)
        with self._reading:
            self._people = {}
        self.cases = self._read_cases()
        self.proxies.renew(run, _first_looks(self.cases))
        self.version += 1


def _first_looks(cases: list[Case]) -> list[tuple[str, float]]:
    """Where the reviewer will look, in that order."""
    return [(camera, case.start) for case in cases for camera in case.cameras]


def _course(about: dict[str, Any], shift: float) -> dict[str, Any]:
    """People and covered share by second of the session."""
    series = about["summary"]["series"]
    return {
        "second": [round(second + shift, 3) for second in series["second"]],
        "covered": [round(share, 4) for share in series["covered"]],
        "people": series["people"],
    }
