"""The attack on folders of known people: every anonymizer in turn, finished ones kept if the work is interrupted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from or_mv_anon import __version__
from or_mv_anon.attack.anonymizers import Anonymizer
from or_mv_anon.attack.attack import Attacker, run_attack
from or_mv_anon.attack.identities import Face, IdentitySet, split_enrolment
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.files import write_atomically

SCHEMA = "or_mv_anon/attack/1"


@dataclass(frozen=True, kw_only=True)
class FacesJob:
    """What is attacked, and how.

    Attributes:
        sets: folders of people.
        attackers: who tries.
        anonymizers: what protects.
        known: pictures of other people, for attackers that learn.
        per_person: most pictures of a person that are used, drawn at random; 0 uses all.
        seed: of every draw.
        networks: role -> SHA-256 of the files that decide how faces are covered; figures about others are not reused.
        out: where the figures are kept; None keeps them nowhere.
    """

    sets: Sequence[IdentitySet]
    attackers: Sequence[Attacker]
    anonymizers: Sequence[Anonymizer]
    known: Sequence[Face] = field(default=())
    per_person: int = 0
    seed: int = 0
    networks: Mapping[str, str] = field(default_factory=dict)
    out: Path | None = None


def attack_faces(job: FacesJob) -> dict[str, Any]:
    """Run the attack; the figures as plain values, as they are written to `job.out`.

    Raises:
        UserError: fewer than two people have two usable pictures, or `job.out` cannot be read or written.
    """
    faces = list(_drawn([face for each in job.sets for face in each.faces], job.per_person, seed=job.seed))
    gallery, probes = split_enrolment(faces, seed=job.seed)
    people = len({face.identity for face in probes})
    if people < 2:
        raise UserError(
            f"Too few people to tell apart: {people} with at least two usable pictures; expected two or more people "
            "with several pictures each."
        )
    about = {
        "schema": SCHEMA,
        "tool_version": __version__,
        "alignment": "landmarks of the clear face",
        "seed": job.seed,
        "attackers": [attacker.name for attacker in job.attackers],
        "sets": {each.name: _about(each, gallery, probes) for each in job.sets},
        "networks": dict(job.networks),
        "pictures": _digest([*gallery, *probes, *job.known]),
    }
    finished = _finished(job.out, about)
    rounds = len(job.attackers) * sum(each.name not in finished for each in job.anonymizers)
    with tqdm(total=rounds, desc="attack", unit="attacker", disable=None) as bar:

        def begin(what: str) -> None:
            bar.set_postfix_str(what)

        for anonymizer in job.anonymizers:
            if anonymizer.name not in finished:
                result = run_attack(
                    job.attackers, gallery, probes, anonymizer, known=job.known, seed=job.seed, progress=begin
                )
                finished[anonymizer.name] = result.as_dict()
                bar.update(len(job.attackers))
                _keep(job.out, {**about, "anonymizers": list(finished.values())})
    wanted = [finished[anonymizer.name] for anonymizer in job.anonymizers]
    _keep(job.out, {**about, "anonymizers": list(finished.values())})
    return {**about, "anonymizers": wanted}


def _drawn(faces: Sequence[Face], per_person: int, *, seed: int) -> Iterator[Face]:
    generator = np.random.default_rng(seed)
    for person in sorted({face.identity for face in faces}):
        theirs = [face for face in faces if face.identity == person]
        if per_person and len(theirs) > per_person:
            theirs = [theirs[row] for row in sorted(generator.permutation(len(theirs))[:per_person])]
        yield from theirs


def _about(people: IdentitySet, gallery: Sequence[Face], probes: Sequence[Face]) -> dict[str, Any]:
    def count(faces: Sequence[Face]) -> int:
        return sum(face.identity.partition("/")[0] == people.name for face in faces)

    return {
        "people": len({face.identity for face in people.faces}),
        "usable_pictures": len(people.faces),
        "left_out": dict(people.left_out),
        "enrolled": count(gallery),
        "probes": count(probes),
    }


def _digest(faces: Sequence[Face]) -> str:
    """One number for all pictures, so that figures about others are never taken for theirs."""
    digest = hashlib.sha256()
    for face in faces:
        digest.update(face.identity.encode())
        digest.update(np.ascontiguousarray(face.picture).data)
    return digest.hexdigest()


def _finished(out: Path | None, about: Mapping[str, Any]) -> dict[str, Any]:
    """Anonymizers that an earlier, interrupted or smaller attack with the same pictures and attackers is done with."""
    if out is None or not out.exists():
        return {}
    try:
        found = json.loads(out.read_text())
        entries = found.pop("anonymizers")
        return {entry["anonymizer"]: entry for entry in entries} if found == json.loads(json.dumps(about)) else {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{out} exists and holds no attack's figures; choose another name for --out.") from error


def _keep(out: Path | None, figures: Mapping[str, Any]) -> None:
    if out is not None:
        text = json.dumps(figures, indent=1, allow_nan=False)
        write_atomically(out, lambda part: part.write_text(text))
