"""From evidence about pairs of tracks to who is who over the whole session."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.association.clustering import cluster
from or_mv_anon.association.continuity import Links
from or_mv_anon.association.evidence import Evidence
from or_mv_anon.association.results import ViewNames
from or_mv_anon.association.views import View
from or_mv_anon.core.records import Identities

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Graph:
    """All tracks of a session, numbered through, and the evidence about pairs of them.

    Attributes:
        offsets: by view, number of its first track.
        count: of tracks.
        pairs: (P, 2).
        log_ratio: (P,).
        forbidden: (F, 2) pairs that cannot be one person.
        prior: log-odds that two tracks are one person, before anything is known.
    """

    offsets: Mapping[str, int]
    count: int
    pairs: NDArray[np.int64]
    log_ratio: Floats
    forbidden: NDArray[np.int64]
    prior: float


def build_graph(
    views: Sequence[View],
    evidence: Mapping[ViewNames, Evidence],
    links: Sequence[Links],
    different: Sequence[NDArray[np.int64]],
) -> Graph:
    """Joins everything known.

    Args:
        views: of one session.
        evidence: by pair of views.
        links: of every view.
        different: of every view, pairs of rows of tracks.
    """
    starts = np.cumsum([0, *(len(view.tracks) for view in views)])
    offsets = {view.name: int(start) for view, start in zip(views, starts, strict=False)}
    by_name = {view.name: view for view in views}
    pairs, ratios, priors = [np.zeros((0, 2), np.int64)], [np.zeros(0)], []
    for (first, second), each in evidence.items():
        one = offsets[first] + np.searchsorted(by_name[first].tracks, each.pairs.first)
        two = offsets[second] + np.searchsorted(by_name[second].tracks, each.pairs.second)
        pairs.append(np.stack([one, two], axis=1))
        ratios.append(each.log_ratio)
        priors.append(each.prior)
    for start, link in zip(starts, links, strict=False):
        pairs.append(start + np.stack([link.first, link.second], axis=1))
        ratios.append(link.log_odds)
    forbidden = [start + rows for start, rows in zip(starts, different, strict=False)]
    return Graph(
        offsets,
        int(starts[-1]),
        np.concatenate(pairs),
        np.concatenate(ratios),
        np.concatenate([np.zeros((0, 2), np.int64), *forbidden]),
        float(np.mean(priors)) if priors else 0.0,
    )


def assign(views: Sequence[View], graph: Graph, *, least_probability: float) -> dict[str, Identities]:
    """Who each track is: groups of tracks, none of which holds two that cannot be one person.

    Args:
        views: of one session.
        graph: of their tracks.
        least_probability: that two groups of tracks are one person, for them to be joined.
    """
    known = graph.log_ratio != 0
    least = float(np.log(least_probability / (1 - least_probability))) - graph.prior
    label = cluster(graph.count, graph.pairs[known], graph.log_ratio[known], graph.forbidden, least=least)
    confidence = _confidence(graph, label)
    found = {}
    for view in views:
        rows = slice(graph.offsets[view.name], graph.offsets[view.name] + len(view.tracks))
        found[view.name] = Identities(track=view.tracks, identity=label[rows], confidence=confidence[rows])
    return found


def _confidence(graph: Graph, label: NDArray[np.int64]) -> Floats:
    """The probability that a track belongs with its group and not with the next best one, or with nobody."""
    one, two = np.concatenate([graph.pairs, graph.pairs[:, ::-1]]).T
    ratio = np.tile(graph.log_ratio, 2)
    key, pair = np.unique(one * graph.count + label[two], return_inverse=True)
    support = np.bincount(pair, ratio, minlength=len(key))
    track, group = np.divmod(key, max(graph.count, 1))
    own = label[track] == group
    mine, rival = np.full(graph.count, -np.inf), np.zeros(graph.count)
    mine[track[own]] = support[own] + graph.prior
    np.maximum.at(rival, track[~own], support[~own] + graph.prior)
    return np.asarray(1 / (1 + np.exp(np.clip(rival - mine, -50, 50)))) * np.isfinite(mine)
