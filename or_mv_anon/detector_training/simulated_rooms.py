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
from or_mv_anon.simulation.cameras.sensor import USUAL, develop, meter
from or_mv_anon.simulation.cast import MOST_PEOPLE, PATIENT
from or_mv_anon.simulation.scene import Surface
from or_mv_anon.simulation.simulation_options import SimulationOptions
from or_mv_anon.simulation.truth_maker import Seen, TruthCollector

SIZES = ((512, 288), (512, 384))  # px; wide and 4:3 cameras by turns
LEAST_PEOPLE = 4
DURATION_S = 120.0  # of the session that the moments are taken from
ON_HEAD = (Surface.HEAD, Surface.FACE, Surface.MASK)
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
        head: (N, 4) of the head with whatever is in front of it, clipped to the picture; zeros outside it.
        head_shown: (N,) pixels of the head that show, as a share of its box.
        nobody: (P,) whether everybody was taken out of the picture; drapes and equipment stay.
    """

    pictures: NDArray[np.uint8] = field(repr=False)
    outlines: NDArray[np.uint8] = field(repr=False)
    picture: NDArray[np.int32]
    number: NDArray[np.int16]
    box: NDArray[np.float32]
    shown: NDArray[np.float32]
    patient: NDArray[np.bool_]
    head: NDArray[np.float32]
    head_shown: NDArray[np.float32]
    nobody: NDArray[np.bool_]


def make_room(
    path: Path,
    *,
    seed: int,
    cameras: int,
    moments: int,
    deserted: int = 0,
    position: str = "supine",
    sensor: str = USUAL,
) -> Room:
    """The room of `seed`, rendered unless `path` holds it already.

    The last `deserted` of the moments show it without its people, who leave drapes and equipment as they are. The
    patient lies in `position` (see `simulation.motion.lying`); all cameras have a `sensor` of that kind (see
    `simulation.cameras.sensor`).
    """
    if not path.exists():
        rng = np.random.default_rng([seed, _DRAWS])
        width, height = SIZES[int(rng.integers(len(SIZES)))]
        options = SimulationOptions(
            out=Path(),
            seed=seed,
            cameras=cameras,
            people=int(rng.integers(LEAST_PEOPLE, MOST_PEOPLE + 1)),
            seconds=DURATION_S,
            width=width,
            height=height,
            position=position,
            sensor=sensor,
        )
        room = _render(options, moments=moments, deserted=deserted, rng=rng)
        write_atomically(path, lambda part: _write(room, part))
    with np.load(path) as kept:
        return Room(**kept)


def _write(room: Room, path: Path) -> None:
    with path.open("wb") as file:
        np.savez_compressed(file, **vars(room))


def _render(options: SimulationOptions, *, moments: int, deserted: int, rng: np.random.Generator) -> Room:
    from or_mv_anon.simulation.theatre import TheatreStage  # needs the extra `sim`

    stage, collector = TheatreStage(options), TruthCollector()
    lights: list[list[NDArray[np.float32]]] = [[] for _ in stage.cameras]
    outlines: list[list[NDArray[np.uint8]]] = [[] for _ in stage.cameras]
    heads: list[int] = []
    for moment in range(moments):
        time = float(DURATION_S * (moment + rng.random()) / moments)
        subjects = stage.set_time(time)
        if moment >= moments - deserted:
            subjects = stage.send_everybody_out()
        for number, camera in enumerate(stage.cameras):
            optics = camera.optics_at(time)
            rendered = stage.render(optics.pinhole)
            seen = Seen(optics.ids(rendered.person), optics.ids(rendered.surface), optics.ids(rendered.depth))
            before = len(collector.people().frame)
            collector.add(number * moments + moment, optics, seen, subjects, stage.alone)
            heads += [_head_pixels(seen, int(person)) for person in collector.people().person[before:]]
            lights[number].append(optics.colour(rendered.colour))
            outlines[number].append(seen.person)
    pictures = []
    for camera, seen_by in zip(stage.cameras, lights, strict=True):
        gain = meter(seen_by)
        pictures += [develop(light, camera.sensor, gain=gain, noise=rng)[..., ::-1] for light in seen_by]
    patients = [entry["person"] for entry in stage.descriptions if entry["role"] == PATIENT]
    stage.close()
    everybody = collector.people()
    showing = everybody.visible_fraction > 0
    rows = everybody[showing]
    sides = rows.head_box[:, 2:] - rows.head_box[:, :2]
    return Room(
        pictures=np.stack(pictures),
        outlines=np.stack([outline for seen_by in outlines for outline in seen_by]),
        picture=rows.frame,
        number=rows.person,
        box=rows.visible_box,
        shown=rows.visible_fraction,
        patient=np.isin(rows.person, patients),
        head=rows.head_box,
        head_shown=(np.array(heads, np.float32)[showing] / np.maximum(sides.prod(axis=1), 1)).astype(np.float32),
        nobody=np.tile(np.arange(moments) >= moments - deserted, len(stage.cameras)),
    )


def _head_pixels(seen: Seen, person: int) -> int:
    return int(((seen.person == person) & np.isin(seen.surface, ON_HEAD)).sum())
