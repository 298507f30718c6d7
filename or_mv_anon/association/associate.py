"""Who is who in a session: all parts of association in their order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.association.appearance import AppearanceEvidence, learn_appearance
from or_mv_anon.association.assign import assign, build_graph
from or_mv_anon.association.continuity import different_people, follow_ups
from or_mv_anon.association.distances import learn_planes
from or_mv_anon.association.epipolar import estimate_geometry
from or_mv_anon.association.evidence import Evidence, Planes, compare_lines, gather
from or_mv_anon.association.head_plane import HeadPlane
from or_mv_anon.association.movement import moved_cameras, turned_cameras
from or_mv_anon.association.progress import Progress
from or_mv_anon.association.synchrony import STEPS, learn_synchrony
from or_mv_anon.association.views import Association, PairGeometry, View, ViewNames
from or_mv_anon.core.config import AssociationConfig
from or_mv_anon.core.records import Identities
from or_mv_anon.core.rows import ranges

MOST_CELLS = 20_000_000  # of a matrix of log-odds of all pairs of tracks; longer sessions do without
ESTIMATING = 0.9  # of the time, for geometry and synchrony together ...
LEARNING = 0.6  # ... and of that for synchrony, where it is used
CERTAIN = 0.9  # confidence from which on a track teaches the planes of heads


def associate(
    views: Sequence[View],
    config: AssociationConfig,
    *,
    seed: int = 0,
    threads: int = 1,
    progress: Progress | None = None,
) -> Association:
    """Find out which tracks of a session's views are one person.

    Args:
        views: of all cameras, over the same instants.
        config: which evidence to use.
        seed: of everything random.
        threads: for the cameras' geometry; what comes out does not depend on their number.
        progress: of all of it.

    Returns:
        With one view every track is linked within it alone. Evidence that cannot be had is left out, with a note.
    """
    progress = progress or Progress()
    learning = LEARNING if config.use_synchrony else 0.0
    notes: list[str] = []
    instant_s = config.instant_s
    appearance = synchrony = None
    geometry: dict[ViewNames, tuple[PairGeometry, ...]] = {}
    if config.use_appearance:
        with _noting(notes, "their looks"):
            appearance = learn_appearance(views, instant_s=instant_s)
        if appearance is None and len(views) > 1:
            notes.append("People were compared by where they are alone, because nothing is known of their looks.")
    if config.use_epipolar:
        with _noting(notes, "the cameras' geometry"), progress.part(ESTIMATING - learning) as part:
            prior = _looks(views, appearance)
            geometry = estimate_geometry(
                views, prior=prior, instant_s=instant_s, seed=seed, threads=threads, progress=part
            )
            notes += moved_cameras(geometry, instant_s=instant_s)
            notes += turned_cameras(views, geometry, instant_s=instant_s)
    if config.use_synchrony and len(views) > 1:
        with _noting(notes, "what synchrony teaches"), progress.part(learning) as part:
            synchrony = learn_synchrony(views, seed=seed, progress=lambda steps: part.advance(steps / STEPS))
    links = follow_ups(views, instant_s=instant_s)
    different = [different_people(view, instant_s=instant_s) for view in views]

    lines = compare_lines(views, geometry, instant_s=instant_s)

    def conclude(planes: Planes | None) -> tuple[dict[str, Identities], dict[ViewNames, Evidence]]:
        found = gather(
            views,
            geometry,
            instant_s=instant_s,
            lines=lines,
            planes=planes,
            appearance=appearance,
            synchrony=synchrony,
        )
        graph = build_graph(views, found, links, different)
        return assign(views, graph, least_probability=config.least_probability), found

    identities, evidence = conclude(None)
    with _noting(notes, "the level of their heads"):
        planes = _planes(views, geometry, identities, np.random.default_rng(seed))
        if any(plane is not None for each in planes.values() for plane in each):
            identities, evidence = conclude(planes)
    return Association(
        identities=identities,
        pairs={names: each.pairs for names, each in evidence.items()},
        geometry=geometry,
        notes=tuple(notes),
    )


@contextmanager
def _noting(notes: list[str], what: str) -> Iterator[None]:
    """Goes on without a kind of evidence when it fails: fewer people are matched, and nobody is covered less."""
    try:
        yield
    except Exception as error:
        notes.append(f"People were matched across cameras without {what}: {error}")


def _planes(
    views: Sequence[View],
    geometry: Mapping[ViewNames, Sequence[PairGeometry]],
    identities: Mapping[str, Identities],
    random: np.random.Generator,
) -> dict[ViewNames, tuple[HeadPlane | None, ...]]:
    by_name = {view.name: view for view in views}
    return {
        (first, second): learn_planes(
            by_name[first], by_name[second], stretches, _same(identities[first], identities[second]), random
        )
        for (first, second), stretches in geometry.items()
    }


def _looks(
    views: Sequence[View], appearance: AppearanceEvidence | None
) -> dict[ViewNames, NDArray[np.floating]] | None:
    """Log-odds of all pairs of tracks from looks alone."""
    if appearance is None:
        return None
    found: dict[ViewNames, NDArray[np.floating]] = {}
    for first, second in combinations(views, 2):
        few = len(first.tracks) * len(second.tracks) <= MOST_CELLS
        if few and {first.name, second.name} <= set(appearance.vectors):
            found[first.name, second.name] = appearance.of_all(first.name, second.name)
    return found


def _same(one: Identities, two: Identities) -> NDArray[np.int64]:
    """Pairs (P, 2) of rows of two views' tracks that are surely one person."""
    first, second = (np.flatnonzero(each.confidence >= CERTAIN) for each in (one, two))
    second = second[np.argsort(two.identity[second], kind="stable")]
    wanted, ordered = one.identity[first], two.identity[second]
    begin, end = np.searchsorted(ordered, wanted), np.searchsorted(ordered, wanted, side="right")
    count = end - begin
    return np.stack([np.repeat(first, count), second[ranges(begin, count)]], axis=1).astype(np.int64)
