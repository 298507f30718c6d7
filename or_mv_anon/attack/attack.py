"""Re-identification: how often an attacker tells who an anonymized face is.

The attacker has clear pictures of everybody who can be in the picture (the gallery), knows the method and all its
settings, and knows where the face and its landmarks are, which an anonymized picture does not show (oracle alignment).
Two attackers are here: `Naive` compares as if nothing had happened; `Parrot` anonymizes its gallery by the very method
first and compares like with like (Newton, Sweeney and Malin 2005, "Preserving Privacy by De-identifying Face Images").
Attackers that learn have the same interface and live in modules of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.attack.anonymizers import Anonymizer, anonymized
from or_mv_anon.attack.chance import Chance, chance_of_best
from or_mv_anon.attack.identities import Face
from or_mv_anon.attack.matching import Matching, measure
from or_mv_anon.attack.region_crops import RegionAlone
from or_mv_anon.core.figures import Figures
from or_mv_anon.models.recognizers import Recognizer

NAIVE, ADAPTIVE = "naive", "adaptive"
Progress = Callable[[str], None]


class Attacker(Protocol):
    """Somebody who wants to know who is in an anonymized picture.

    Attributes:
        name: what the attacker does and with which recognizer, such as `parrot sface`.
        kind: `naive` if nothing about the anonymizer is used, otherwise `adaptive`.
    """

    name: str
    kind: str

    def fit(self, known: Sequence[Face], anonymizer: Anonymizer) -> None:
        """Prepare for an anonymizer with clear pictures of other people than those to be attacked (maybe none)."""

    def similarity(self, probes: Sequence[Face], gallery: Sequence[Face]) -> NDArray[np.float32]:
        """How alike anonymized `probes` and clear `gallery` pictures are, ``(P, G)``; higher is more alike."""


class Naive:
    """Compares anonymized faces with clear ones, as any face search would."""

    kind = NAIVE

    def __init__(self, recognizer: Recognizer) -> None:
        self.name = f"naive {recognizer.name}"
        self._recognizer = recognizer
        self._enrolled: tuple[Sequence[Face], NDArray[np.float32]] | None = None

    def fit(self, known: Sequence[Face], anonymizer: Anonymizer) -> None:
        """Nothing to prepare."""

    def similarity(self, probes: Sequence[Face], gallery: Sequence[Face]) -> NDArray[np.float32]:
        if self._enrolled is None or self._enrolled[0] is not gallery:  # the same for every anonymizer
            self._enrolled = gallery, embed(self._recognizer, gallery)
        return embed(self._recognizer, probes) @ self._enrolled[1].T


class Repeating:
    """What attackers have in common who run the method over their own pictures; other people teach them nothing."""

    kind = ADAPTIVE
    _anonymizer: Anonymizer | None = None

    def fit(self, known: Sequence[Face], anonymizer: Anonymizer) -> None:
        """Takes note of the method."""
        self._anonymizer = anonymizer

    @property
    def method(self) -> Anonymizer:
        """The method under attack."""
        assert self._anonymizer is not None, "fit comes first"
        return self._anonymizer


class Parrot(Repeating):
    """Anonymizes the gallery in the very same way before comparing."""

    def __init__(self, recognizer: Recognizer) -> None:
        self.name = f"parrot {recognizer.name}"
        self._recognizer = recognizer

    def similarity(self, probes: Sequence[Face], gallery: Sequence[Face]) -> NDArray[np.float32]:
        repeated = embed(self._recognizer, anonymized(gallery, self.method))
        return embed(self._recognizer, probes) @ repeated.T


@dataclass(frozen=True, kw_only=True)
class AttackResult(Figures):
    """What one attacker reached against one anonymizer on one set of people."""

    attacker: str
    kind: str
    figures: Matching


@dataclass(frozen=True, kw_only=True)
class AnonymizerResult(Figures):
    """What all attackers reached against one anonymizer.

    Attributes:
        anonymizer: its name.
        results: set of people -> every attacker's figures; `all` is everybody together, if there are several sets.
        best: set of people -> kind of attacker -> the one with the highest rank-1, which is what to judge by.
        chance: set of people -> kind of attacker -> what the luckiest of as many attackers reaches.
    """

    anonymizer: str
    results: Mapping[str, Sequence[AttackResult]]
    best: Mapping[str, Mapping[str, AttackResult]]
    chance: Mapping[str, Mapping[str, Chance]]


def naive_attack(
    gallery: Sequence[Face],
    probes: Sequence[Face],
    anonymizer: Anonymizer,
    recognizers: Sequence[Recognizer],
    *,
    seed: int = 0,
) -> AnonymizerResult:
    """The naive attack with every recognizer; `probes` are clear, the anonymizer is applied here."""
    return run_attack([Naive(each) for each in recognizers], gallery, probes, anonymizer, seed=seed)


def run_attack(
    attackers: Sequence[Attacker],
    gallery: Sequence[Face],
    probes: Sequence[Face],
    anonymizer: Anonymizer,
    *,
    known: Sequence[Face] = (),
    seed: int = 0,
    progress: Progress | None = None,
) -> AnonymizerResult:
    """Attack an anonymizer.

    Args:
        attackers: who tries.
        gallery: clear pictures of the people to be recognized.
        probes: other clear pictures of them; the anonymizer is applied here.
        anonymizer: what protects the probes; attackers see the regions alone, black around them.
        known: clear pictures of other people, to learn from.
        seed: of the intervals' resampling.
        progress: told each attacker before it starts.
    """
    anonymizer = RegionAlone(anonymizer)
    hidden = anonymized(probes, anonymizer)
    probe_ids = np.array([face.identity for face in probes])
    gallery_ids = np.array([face.identity for face in gallery])
    sets = _sets(probe_ids, gallery_ids)
    results: dict[str, list[AttackResult]] = {name: [] for name in sets}
    compared: dict[str, list[NDArray[np.float32]]] = {name: [] for name in sets}
    for attacker in attackers:
        if progress is not None:
            progress(f"{anonymizer.name}: {attacker.name}")
        attacker.fit(known, anonymizer)
        similarity = attacker.similarity(hidden, gallery)
        for name, (rows, columns) in sets.items():
            part = similarity[np.ix_(rows, columns)]
            figures = measure(part, probe_ids[rows], gallery_ids[columns], seed=seed)
            results[name].append(AttackResult(attacker=attacker.name, kind=attacker.kind, figures=figures))
            compared[name].append(part)
    best: dict[str, dict[str, AttackResult]] = {name: {} for name in sets}
    chance: dict[str, dict[str, Chance]] = {name: {} for name in sets}
    for name, (rows, columns) in sets.items():
        for kind, able in candidates(results[name]).items():
            best[name][kind] = max((results[name][row] for row in able), key=lambda one: one.figures.rank1.value or 0)
            parts = [compared[name][row] for row in able]
            chance[name][kind] = chance_of_best(parts, probe_ids[rows], gallery_ids[columns], seed=seed)
    return AnonymizerResult(anonymizer=anonymizer.name, results=results, best=best, chance=chance)


def candidates(results: Sequence[AttackResult]) -> dict[str, list[int]]:
    """Kind of attacker -> rows of those who count as such: an adaptive one may always do what a naive one does."""
    able = {NAIVE: {NAIVE}, ADAPTIVE: {NAIVE, ADAPTIVE}}
    tried = {result.kind for result in results}
    return {kind: [row for row, one in enumerate(results) if one.kind in able[kind]] for kind in able if kind in tried}


def embed(recognizer: Recognizer, faces: Sequence[Face]) -> NDArray[np.float32]:
    """The recognizer's unit vectors ``(N, D)`` of `faces`."""
    landmarks = np.array([face.landmarks for face in faces], np.float32).reshape(-1, 5, 2)
    return recognizer.embed([face.picture for face in faces], landmarks)


def _sets(probe_ids: NDArray[np.str_], gallery_ids: NDArray[np.str_]) -> dict[str, tuple[NDArray, NDArray]]:
    """Rows of the probes and of the gallery by set of people; people of two sets are also taken together."""
    of_probe = np.array([identity.partition("/")[0] for identity in probe_ids])
    of_gallery = np.array([identity.partition("/")[0] for identity in gallery_ids])
    names = sorted(set(of_probe))
    sets = {name: (np.flatnonzero(of_probe == name), np.flatnonzero(of_gallery == name)) for name in names}
    if len(names) > 1:
        sets["all"] = np.arange(len(of_probe)), np.arange(len(of_gallery))
    return sets
