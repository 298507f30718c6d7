"""A simulated site brought to life: its room, people, motion and cameras, ready to be shown at any moment.

Everything is a function of the options, so that any process can show any moment and all agree.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.simulation.cameras.placing import Camera, Recording, place_cameras
from or_mv_anon.simulation.cast import PATIENT, choose_roles
from or_mv_anon.simulation.clothes.outfits import site_palette
from or_mv_anon.simulation.motion.choreography import ACTIONS, CastMember, Choreography, Moment
from or_mv_anon.simulation.person import Person, PosedPerson, make_person
from or_mv_anon.simulation.rendering.renderer import Picture, Renderer
from or_mv_anon.simulation.room.build import Room, make_room
from or_mv_anon.simulation.room.drapes import drape_patient
from or_mv_anon.simulation.scene import Mesh, View
from or_mv_anon.simulation.simulation_options import SimulationOptions
from or_mv_anon.simulation.truth_maker import Subject

_CAMERAS, _MOTION, _DRAPES, _PEOPLE = 1, 2, 3, 4  # keep the uses of one seed apart


class TheatreStage:
    """The procedural operating room. One per process; `close` it when done."""

    actions = ACTIONS

    def __init__(self, options: SimulationOptions) -> None:
        """Build the site and open the renderer; raises UserError when the extra `sim` or OpenGL is missing."""
        self._room = make_room(options.seed)
        self.cameras = hang_cameras(options, self._room)
        self._people = _make_people(options)
        self.descriptions = [_description(person) for person in self._people]
        cast = [CastMember(person.number, person.role, person.skeleton) for person in self._people]
        seed = int(np.random.SeedSequence([options.seed, options.session, _MOTION]).generate_state(1)[0])
        self._choreography = Choreography(
            self._room.plan, cast, seed=seed, duration=options.seconds, position=options.laid
        )
        self._renderer = Renderer()
        meshes: list[Mesh] = [*self._room.meshes, *self._drapes(np.random.default_rng([options.seed, _DRAPES]))]
        self._places: dict[int, tuple[Person, int]] = {}
        for person in self._people:
            self._places[person.number] = person, len(meshes)
            meshes += person.meshes
        self._renderer.load(meshes, self._room.lights, self._room.ambient)

    @property
    def device(self) -> str:
        """Name of what renders."""
        return self._renderer.device

    def set_time(self, time: float) -> list[Subject]:
        """Show the moment `time`, in session seconds; returns the people who are in the room."""
        subjects = []
        for moment in self._choreography.at(time):
            person, first = self._places[moment.person]
            here = moment.pose is not None
            shown = [here and part for part in person.shown(moment.mask)]
            for index, visible in enumerate(shown, first):
                self._renderer.show(index, visible)
            if moment.pose is None:
                continue
            posed = person.posed(moment.pose)
            for place, visible in enumerate(shown):
                if visible:
                    self._renderer.move(first + place, posed.vertices[place], posed.normals[place])
            subjects.append(_subject(moment, posed))
        self._renderer.cast_shadows()
        return subjects

    def send_everybody_out(self) -> list[Subject]:
        """Show the room without people, until the time is set again; drapes stay as they lie. Nobody is left."""
        for person, first in self._places.values():
            for index in range(first, first + len(person.meshes)):
                self._renderer.show(index, False)
        self._renderer.cast_shadows()
        return []

    def render(self, view: View) -> Picture:
        """What a pinhole camera sees of this moment."""
        return self._renderer.render(view)

    def alone(self, view: View, person: int) -> NDArray[np.uint8]:
        """Which surfaces of a person it would see if nothing else were there."""
        return self._renderer.alone(view, person)

    def close(self) -> None:
        """Free the renderer."""
        self._renderer.close()

    def _drapes(self, rng: np.random.Generator) -> list[Mesh]:
        """Cloth over the patients as they lie at the beginning."""
        patients = {person.number: person for person in self._people if person.role == PATIENT}
        meshes: list[Mesh] = []
        for moment in self._choreography.at(0.0):
            if moment.person in patients and moment.pose is not None:
                points = patients[moment.person].posed(moment.pose).body_points
                meshes += drape_patient(self._room.plan, points, rng)
        return meshes


def site_cameras(options: SimulationOptions) -> list[Camera]:
    """The site's cameras, without building anything else."""
    return hang_cameras(options, make_room(options.seed))


def hang_cameras(options: SimulationOptions, room: Room) -> list[Camera]:
    """Hang the site's cameras in its room: where they hang does not depend on the session."""
    recording = Recording(
        options.width, options.height, float(options.rate), options.seconds, options.nudge, options.mixed,
        options.sensor,
    )  # fmt: skip
    rng = np.random.default_rng([options.seed, _CAMERAS])
    return place_cameras(room.plan, options.cameras, rng, recording, room.meshes)


def _make_people(options: SimulationOptions) -> list[Person]:
    rng = np.random.default_rng([options.seed, options.session, _PEOPLE])
    roles = choose_roles(options.people, rng)
    return [
        make_person(role, seed=int(rng.integers(1 << 31)), palette=site_palette(options.seed), number=number)
        for number, role in enumerate(roles, 1)
    ]


def _description(person: Person) -> dict[str, Any]:
    """Who somebody is, as the ground truth keeps it; the body's numbers are anny's, 0 to 1."""
    body = {name: round(float(value), 3) for name, value in person.body.phenotype.items()}
    return {"person": person.number, "role": person.role, "body": body}


def _subject(moment: Moment, posed: PosedPerson) -> Subject:
    return Subject(
        person=moment.person,
        keypoints=posed.keypoints,
        body_points=posed.body_points,
        head_points=posed.head_points,
        face_points=posed.face_points,
        face_centre=posed.face_centre,
        face_forward=posed.face_forward,
        action=ACTIONS.index(moment.action),
        mask=moment.mask,
    )
