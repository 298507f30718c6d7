"""Groups things by evidence for and against pairs of them, where some pairs are forbidden.

Correlation clustering (Bansal, Blum and Chawla 2004): the sum of the evidence within groups is to be large. Found
greedily, the strongest merger first, and improved by moving single things. Evidence about three things that disagrees
is settled by its sum, so the weakest of it gives way.
"""

from __future__ import annotations

import heapq
from typing import Any

import numpy as np
from numpy.typing import NDArray

SWEEPS = 3
LEAST_GAIN = 1e-6


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
        self.foes: list[set[int]] = [set() for _ in range(count)]
        for (one, two), value in zip(pairs.tolist(), evidence.tolist(), strict=True):
            self.near[one][two] = self.near[two][one] = self.near[one].get(two, 0.0) + value
        for one, two in forbidden.tolist():
            self.foes[one].add(two)
            self.foes[two].add(one)
        self.label = np.arange(count)

    def merge(self, least: float) -> None:
        """Merge the two groups with the most evidence, until none has more than `least`."""
        between = [dict(near) for near in self.near]
        foes = [set(foes) for foes in self.foes]
        members = [[thing] for thing in range(len(between))]
        queue = [(-value, one, two) for one, near in enumerate(between) for two, value in near.items()
                 if one < two and value > least and two not in foes[one]]  # fmt: skip
        heapq.heapify(queue)
        while queue:
            value, one, two = heapq.heappop(queue)
            if not members[one] or not members[two] or between[one].get(two) != -value or two in foes[one]:
                continue
            if len(between[one]) + len(foes[one]) < len(between[two]) + len(foes[two]):
                one, two = two, one
            members[one] += members[two]
            members[two] = []
            for third in foes[two]:
                foes[third].discard(two)
                foes[third].add(one)
                foes[one].add(third)
            foes[two] = set()
            del between[one][two]
            for third, more in between[two].items():
                if third == one:
                    continue
                del between[third][two]
                total = between[one].get(third, 0.0) + more
                between[one][third] = between[third][one] = total
                if total > least and third not in foes[one]:
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
            barred = {int(self.label[other]) for other in self.foes[thing]}
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
