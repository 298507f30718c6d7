"""A skeleton with the bone names of the body model and rough human proportions, and a small room, for motion tests."""

import numpy as np

from or_mv_anon.simulation.bodies.skeleton import Skeleton
from or_mv_anon.simulation.scene import Footprint, Placement, RoomPlan

TREE = {  # bone: (parent, joint at rest); left side, mirrored below
    "root": (None, (0.0, -0.01, 0.93)),
    "pelvis.L": ("root", (0.0, -0.01, 0.93)),
    "upperleg01.L": ("pelvis.L", (0.10, -0.01, 0.92)),
    "lowerleg01.L": ("upperleg01.L", (0.13, -0.04, 0.50)),
    "foot.L": ("lowerleg01.L", (0.17, 0.0, 0.08)),
    "toe1-1.L": ("foot.L", (0.17, -0.15, 0.02)),
    "toe2-1.L": ("foot.L", (0.19, -0.15, 0.02)),
    "spine05": ("root", (0.0, -0.01, 0.93)),
    "spine04": ("spine05", (0.0, 0.02, 1.0)),
    "spine03": ("spine04", (0.0, 0.01, 1.08)),
    "spine02": ("spine03", (0.0, 0.01, 1.16)),
    "spine01": ("spine02", (0.0, 0.03, 1.30)),
    "clavicle.L": ("spine01", (0.02, -0.02, 1.42)),
    "shoulder01.L": ("clavicle.L", (0.10, -0.02, 1.44)),
    "upperarm01.L": ("shoulder01.L", (0.17, -0.01, 1.40)),
    "upperarm02.L": ("upperarm01.L", (0.22, -0.01, 1.345)),
    "lowerarm01.L": ("upperarm02.L", (0.35, -0.015, 1.20)),
    "lowerarm02.L": ("lowerarm01.L", (0.41, -0.09, 1.14)),
    "wrist.L": ("lowerarm02.L", (0.47, -0.17, 1.08)),
    "neck01": ("spine01", (0.0, -0.01, 1.48)),
    "neck02": ("neck01", (0.0, -0.015, 1.51)),
    "neck03": ("neck02", (0.0, -0.03, 1.55)),
    "head": ("neck03", (0.0, -0.04, 1.58)),
    "eye.L": ("head", (0.03, -0.12, 1.62)),
}


def stick_person(scale: float = 1.0) -> Skeleton:
    """A person of 1.75 m times `scale`."""
    bones = {}
    for name, (parent, joint) in TREE.items():
        bones[name] = (parent, joint)
        if name.endswith(".L"):
            twin = parent.replace(".L", ".R")
            bones[name.replace(".L", ".R")] = (twin, (-joint[0], joint[1], joint[2]))
    labels = list(bones)
    rest = np.tile(np.eye(4), (len(labels), 1, 1))
    rest[:, :3, 3] = scale * np.array([joint for _, joint in bones.values()])
    return Skeleton(labels, [-1 if parent is None else labels.index(parent) for parent, _ in bones.values()], rest)


def small_room() -> RoomPlan:
    """A room of 6 by 5 metres, the table along x in its middle, shelves and a machine at the walls."""
    table = Footprint(0.0, 0.0, 2.0, 0.52, 0.0, 0.85)
    up, down = np.pi / 2, -np.pi / 2
    return RoomPlan(
        size=(6.0, 5.0, 3.0),
        table=table,
        stations={
            "surgeon": Placement(0.1, -0.62, up),
            "assistant": Placement(0.1, 0.62, down),
            "second_assistant": Placement(-0.6, -0.62, up),
            "scrub_nurse": Placement(-0.7, 0.62, down),
            "anaesthetist": Placement(1.45, 0.0, np.pi),
            "anaesthesia_machine": Placement(1.6, 0.9, up),
            "computer": Placement(-2.2, -1.7, down),
            "shelf": Placement(0.2, -1.7, down),
            "supplies": Placement(-1.8, 1.75, up),
            "technician": Placement(-1.6, -0.4, 0.0),
            "student": Placement(0.9, -1.3, 2.0),
            "door_inside": Placement(2.2, -1.5, np.pi),
        },
        obstacles=(
            Footprint(1.6, 1.55, 0.6, 0.8, 0.0, 1.4),
            Footprint(0.2, -2.3, 1.6, 0.4, 0.0, 2.0),
            Footprint(-2.2, -2.3, 1.2, 0.4, 0.0, 0.8),
            Footprint(-1.8, 2.3, 1.4, 0.4, 0.0, 0.9),
        ),
        door=Placement(3.0, -1.5, np.pi),
        lamps=((0.2, 0.1, 2.1),),
        surfaces={
            "field": Footprint(0.1, 0.0, 0.34, 0.3, 0.0, 1.05),
            "mayo": Footprint(-0.7, 0.05, 0.4, 0.5, 0.0, 1.1),
            "machine": Footprint(1.6, 1.4, 0.3, 0.6, 0.0, 0.9),
            "desk": Footprint(-2.2, -2.25, 1.0, 0.4, 0.0, 0.8),
            "shelf": Footprint(0.2, -2.25, 1.4, 0.3, 0.0, 1.1),
            "stool": Footprint(2.3, 0.3, 0.4, 0.4, 0.0, 0.5),
        },
    )
