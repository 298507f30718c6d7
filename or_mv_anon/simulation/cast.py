"""Who is in the theatre: the roles of a team of a given size."""

from __future__ import annotations

import numpy as np

PATIENT = "patient"
_CORE = (PATIENT, "surgeon", "anaesthetist", "scrub_nurse", "assistant", "circulating_nurse")
_OTHERS = ("student", "technician", "second_assistant")
MOST_PEOPLE = len(_CORE) + len(_OTHERS)


def choose_roles(people: int, rng: np.random.Generator) -> list[str]:
    """Roles of so many people, the patient among them; small teams keep the people that an operation needs most."""
    return [*_CORE, *rng.permutation(_OTHERS).tolist()][:people]
