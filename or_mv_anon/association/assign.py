"""From evidence about pairs of tracks to identities: grouping by what speaks for and against every pair."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.association.continuity import Links
from or_mv_anon.association.evidence import Evidence
from or_mv_anon.association.views import View, ViewNames
from or_mv_anon.core.records import Identities

Floats = NDArray[np.float64]
SWEEPS = 3
LEAST_GAIN = 1e-6


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


def cluster(
    count: int, pairs: NDArray[Any], evidence: NDArray[Any], forbidden: NDArray[Any], *, least: float
) -> NDArray[np.int64]:
    """The group of each of `count` things, (count,), numbered from 0 by each group's first member.

    Args:
        count: of things.
        pairs: (P, 2) things that there is evidence about; a pair may occur more than once.
        evidence: (P,) log-odds that they belong together.
        forbidden: (F, 2) things that must not share a group.
        least: evidence in sum that a merger of two groups needs.
    """
    groups = _Groups(count, pairs, evidence, forbidden)
    groups.merge(least)
    for _ in range(SWEEPS):
        if not groups.improve(least):
            break
    return np.unique(_first_members(groups.label), return_inverse=True)[1].astype(np.int64)


class _Groups:
    """Groups with the summed evidence between them; groups are named by one of their members."""

    def __init__(self, count: int, pairs: NDArray[Any], evidence: NDArray[Any], forbidden: NDArray[Any]) -> None:
        self.near: list[dict[int, float]] = [{} for _ in range(count)]
        self.cannot_link: list[set[int]] = [set() for _ in range(count)]
        for (one, two), value in zip(pairs.tolist(), evidence.tolist(), strict=True):
            self.near[one][two] = self.near[two][one] = self.near[one].get(two, 0.0) + value
        for one, two in forbidden.tolist():
            self.cannot_link[one].add(two)
            self.cannot_link[two].add(one)
        self.label = np.arange(count)

    def merge(self, least: float) -> None:
        """Merge the two groups with the most evidence, until none has more than `least`."""
        between = [dict(near) for near in self.near]
        cannot_link = [set(cannot_link) for cannot_link in self.cannot_link]
        members = [[thing] for thing in range(len(between))]
        queue = [(-value, one, two) for one, near in enumerate(between) for two, value in near.items()
                 if one < two and value > least and two not in cannot_link[one]]  # fmt: skip
        heapq.heapify(queue)
        while queue:
            value, one, two = heapq.heappop(queue)
            if not members[one] or not members[two] or between[one].get(two) != -value or two in cannot_link[one]:
                continue
            if len(between[one]) + len(cannot_link[one]) < len(between[two]) + len(cannot_link[two]):
                one, two = two, one
            members[one] += members[two]
            members[two] = []
            for third in cannot_link[two]:
                cannot_link[third].discard(two)
                cannot_link[third].add(one)
                cannot_link[one].add(third)
            cannot_link[two] = set()
            del between[one][two]
            for third, more in between[two].items():
                if third == one:
                    continue
                del between[third][two]
                total = between[one].get(third, 0.0) + more
                between[one][third] = between[third][one] = total
                if total > least and third not in cannot_link[one]:
                    heapq.heappush(queue, (-total, min(one, third), max(one, third)))
            between[two] = {}
        for group, things in enumerate(members):
            self.label[things] = group

    def improve(self, least: float) -> bool:
        """Move each thing to the group that it has most evidence for, if that is not its own; whether any moved."""
        moved = False
        size = np.bincount(self.label, minlength=len(self.label))
        for thing, near in enumerate(self.near):
            own = int(self.label[thing])
            support: dict[int, float] = {}
            for other, value in near.items():
                group = int(self.label[other])
                support[group] = support.get(group, 0.0) + value
            barred = {int(self.label[other]) for other in self.cannot_link[thing]}
            stay = support.get(own, 0.0) if size[own] > 1 else least
            best = max((group for group in support if group != own and group not in barred),
                       key=lambda group: (support[group], -group), default=own)  # fmt: skip
            if best != own and support[best] > max(stay, least) + LEAST_GAIN:
                self.label[thing] = best
                size[own] -= 1
                size[best] += 1
                moved = True
        return moved


def _first_members(label: NDArray[np.int64]) -> NDArray[np.int64]:
    """Labels (N,) replaced by the number of the first thing that carries them."""
    _, first, group = np.unique(label, return_index=True, return_inverse=True)
    return np.asarray(first[group])
