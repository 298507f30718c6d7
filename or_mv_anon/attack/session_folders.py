"""A recording and its anonymized output, opened side by side for an attack."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.attack.face_pairs import AttackedCamera, NumberedFrames
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.truth import CameraTruth, Truth
from or_mv_anon.evaluation.pixel_coverage import find_video
from or_mv_anon.evaluation.run_directory import CameraRun, load_run
from or_mv_anon.site import DEFAULT_PICTURE_RATE
from or_mv_anon.site.discovery import discover
from or_mv_anon.video.segments import Segment
from or_mv_anon.video.source import Source, open_source


def attacked_cameras(original: Path, anonymized: Path, truth: Truth | None = None) -> list[AttackedCamera]:
    """The cameras of one session.

    Args:
        original: folder of the recording.
        anonymized: output folder of a run over all of it.
        truth: says who is who; without it, the run's own identities do, or every track counts as somebody.

    Raises:
        UserError: the folders do not fit together, or something in them cannot be read.
    """
    sessions = discover(original).sessions
    if len(sessions) != 1:
        raise UserError(f"{original} holds {len(sessions)} sessions; pass the folder of one, and its output.")
    recorded = {camera.name: camera for camera in sessions[0].cameras}
    run = load_run(anonymized)
    if run.method == "none":
        raise UserError(f"{anonymized} was made with --method none: nothing is covered in it, so all are recognizable.")
    missing = [name for name in run.cameras if name not in recorded]
    if missing:
        raise UserError(
            f"{original} lacks {', '.join(missing)}, which {anonymized} is about; pass the recording of it."
        )
    strangers = count(1_000_000)
    cameras = []
    for name, camera in run.cameras.items():
        rate = recorded[name].fps or DEFAULT_PICTURE_RATE
        before = open_source(recorded[name].files, fps=rate)
        after = open_source(find_video(anonymized, name), fps=rate)
        if before.n_frames != after.n_frames:
            raise UserError(
                f"{name}: the recording has {before.n_frames} frames and the output {after.n_frames}; attack the "
                "output of a run over the whole recording."
            )
        if truth is not None:
            if name not in truth.cameras:
                raise UserError(f"The ground truth is not about {name}; it has {', '.join(truth.cameras)}.")
            identities = _from_truth(camera, truth.cameras[name])
        elif camera.identities is not None:
            identities = dict(zip(camera.identities.track.tolist(), camera.identities.identity.tolist(), strict=True))
        else:
            identities = {int(track): next(strangers) for track in np.unique(camera.tracks.track)}
        cameras.append(AttackedCamera(name, _reader(before), _reader(after), camera.regions, identities))
    return cameras


def _reader(source: Source) -> Callable[[NDArray[np.intp]], NumberedFrames]:
    def read(numbers: NDArray[np.intp]) -> NumberedFrames:
        wanted = np.zeros(source.n_frames, bool)
        wanted[numbers] = True
        for frame in source.frames(Segment(0, 0, source.n_frames), wanted=wanted):
            yield frame.index, frame

    return read


def _from_truth(camera: CameraRun, truth: CameraTruth) -> dict[int, int]:
    """Track -> the person whose visible face its regions held most often, alone; tracks that held none are left out."""
    people = truth.people[truth.people.face_visible > 0]
    middle = (people.face_box[:, :2] + people.face_box[:, 2:]) / 2
    votes: Mapping[int, Counter[int]] = defaultdict(Counter)
    order = np.argsort(people.frame, kind="stable")
    starts = np.searchsorted(people.frame[order], camera.regions.frame, side="left")
    stops = np.searchsorted(people.frame[order], camera.regions.frame, side="right")
    for track, box, start, stop in zip(camera.regions.track.tolist(), camera.regions.box, starts, stops, strict=True):
        rows = order[start:stop]
        inside = rows[((middle[rows] >= box[:2]) & (middle[rows] <= box[2:])).all(axis=1)]
        if track >= 0 and len(inside) == 1:
            votes[track][int(people.person[inside[0]])] += 1
    return {track: counted.most_common(1)[0][0] for track, counted in votes.items()}
