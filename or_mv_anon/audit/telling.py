"""Says what a case is about in words for whoever reviews."""

from __future__ import annotations

from collections.abc import Sequence

from or_mv_anon.audit.evidence import Doubt
from or_mv_anon.audit.reasons import REASONS, Reason


def tell_case(group: Sequence[Doubt]) -> str:
    """Sentences: in which cameras which doubt, and what to look for; the gravest doubts come first."""
    by_reason: dict[Reason, list[str]] = {}
    for doubt in group:
        cameras = by_reason.setdefault(doubt.reason, [])
        if doubt.camera not in cameras:
            cameras.append(doubt.camera)
    sentences = [f"{_listed(cameras)}: {_small(REASONS[reason].title)}." for reason, cameras in by_reason.items()]
    return " ".join([*sentences, REASONS[group[0].reason].look_for])


def _small(title: str) -> str:
    return title[0].lower() + title[1:]


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
