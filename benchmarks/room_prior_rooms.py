"""Pictures of many simulated operating rooms with everybody's outline: what a detector learns rooms from.

Few pictures of many rooms teach more than many of few, so rooms are shown at moments far apart, straight from the
renderer. Each room is kept in one file, so that a stopped run goes on where it was. Nobody in them exists.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.files import write_atomically
from or_mv_anon.simulation.cameras.sensor import develop, meter
from or_mv_anon.simulation.cast import MOST_PEOPLE, PATIENT
from or_mv_anon.simulation.simulation_options import SimulationOptions
from or_mv_anon.simulation.truth_maker import Seen, TruthCollector

SIZES = ((512, 288), (512, 384))  # px; wide and 4:3 cameras by turns
LEAST_PEOPLE = 4
DURATION_S = 120.0  # of the session that the moments are taken from
_DRAWS = 71  # keeps this use of the seed apart from others


@dataclass(frozen=True, eq=False)
class Room:
    """Pictures of one simulated room.

    Attributes:
        pictures: (P, H, W, 3) BGR.
        outlines: (P, H, W) number of the person that a pixel shows, 0 for the room.
        picture: (N,) which picture each person is in; one row per picture and person of whom anything shows.
        number: (N,) the person's number in `outlines`.
        box: (N, 4) of what shows, pixels.
        shown: (N,) share of the person that shows.
        patient: (N,) whether the person lies on the table.
    """

    pictures: NDArray[np.uint8] = field(repr=False)
    outlines: NDArray[np.uint8] = field(repr=False)
    picture: NDArray[np.int32]
    number: NDArray[np.int16]
    box: NDArray[np.float32]
    shown: NDArray[np.float32]
    patient: NDArray[np.bool_]


def make_room(path: Path, *, seed: int, cameras: int, moments: int) -> Room:
    """The room of `seed`, rendered unless `path` holds it already."""
    if not path.exists():
        room = _render(seed, cameras=cameras, moments=moments)
        write_atomically(path, lambda part: _write(room, part))
    with np.load(path) as kept:
        return Room(**kept)


def _write(room: Room, path: Path) -> None:
    with path.open("wb") as file:
        np.savez_compressed(file, **vars(room))


def _render(seed: int, *, cameras: int, moments: int) -> Room:
    from or_mv_anon.simulation.theatre import TheatreStage  # needs the extra `sim`

    rng = np.random.default_rng([seed, _DRAWS])
    width, height = SIZES[int(rng.integers(len(SIZES)))]
    people = int(rng.integers(LEAST_PEOPLE, MOST_PEOPLE + 1))
    options = SimulationOptions(
        out=Path(), seed=seed, cameras=cameras, people=people, seconds=DURATION_S, width=width, height=height
    )
    stage, collector = TheatreStage(options), TruthCollector()
    lights: list[list[NDArray[np.float32]]] = [[] for _ in stage.cameras]
    outlines: list[list[NDArray[np.uint8]]] = [[] for _ in stage.cameras]
    for moment in range(moments):
        time = float(DURATION_S * (moment + rng.random()) / moments)
        subjects = stage.set_time(time)
        for number, camera in enumerate(stage.cameras):
            optics = camera.optics_at(time)
            rendered = stage.render(optics.pinhole)
            seen = Seen(optics.ids(rendered.person), optics.ids(rendered.surface), optics.ids(rendered.depth))
            collector.add(number * moments + moment, optics, seen, subjects, stage.alone)
            lights[number].append(optics.colour(rendered.colour))
            outlines[number].append(seen.person)
    pictures = []
    for camera, seen_by in zip(stage.cameras, lights, strict=True):
        gain = meter(seen_by)
        pictures += [develop(light, camera.sensor, gain=gain, noise=rng)[..., ::-1] for light in seen_by]
    patients = [entry["person"] for entry in stage.descriptions if entry["role"] == PATIENT]
    stage.close()
    rows = collector.people()
    rows = rows[rows.visible_fraction > 0]
    return Room(
        pictures=np.stack(pictures),
        outlines=np.stack([outline for seen_by in outlines for outline in seen_by]),
        picture=rows.frame,
        number=rows.person,
        box=rows.visible_box,
        shown=rows.visible_fraction,
        patient=np.isin(rows.person, patients),
    )
