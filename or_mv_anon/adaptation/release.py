"""Which of the networks that a site taught go into its model: those that cover its heads better than the built-in ones.

Each is tried out in the whole anonymizer (`cover_trial.py`). Networks that leave more heads open are not released, and
neither are such that change nothing: the built-in ones stay in their place, and the model's card says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from or_mv_anon.adaptation.bundle import BundleParts, write_bundle
from or_mv_anon.adaptation.cover_trial import (
    Covered,
    ReferenceHeads,
    Trial,
    compare,
    covers_more_heads,
    is_as_good,
    is_better,
    is_no_worse,
    try_networks,
)
from or_mv_anon.adaptation.material import Window
from or_mv_anon.adaptation.settings import ReleaseConfig
from or_mv_anon.core.config import load_config
from or_mv_anon.core.listening import tell
from or_mv_anon.pipeline.spec import RunSpec, networks_of
from or_mv_anon.pipeline.weights import NetworkChoice

Judge = Callable[[Covered, Covered, ReleaseConfig], bool]
BUILT_IN = "built-in networks"
REFINED = ("pose", "face")
NAMES = {"detector": "detector", "student": "smaller detector", "pose": "pose network", "face": "face detector"}


@dataclass
class Released:
    """The roles whose networks are used, and sentences for the card."""

    roles: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)


class Release:
    """Tries networks out on held-out stretches of the recordings.

    Args:
        windows: around the held-out stretches.
        heads: known there.
        spec: of the anonymizer's stages; its settings and weights are replaced.
        folder: for what the trials find, kept for a run that goes on.
        config: when networks are better.
        weights_dir: see `NetworkChoice`.
    """

    def __init__(
        self,
        windows: Sequence[Window],
        heads: Mapping[int, ReferenceHeads],
        spec: RunSpec,
        folder: Path,
        config: ReleaseConfig,
        *,
        weights_dir: Path | None = None,
    ) -> None:
        self._windows = windows
        self._heads = heads
        self._spec = spec
        self._folder = folder
        self._config = config
        self._weights_dir = weights_dir
        self._trials: dict[str, Trial] = {}

    def choose(self, parts: BundleParts, *, adapted: bool, preferred: bool) -> Released:
        """Which of the networks of `parts` to use.

        Args:
            parts: all that was made.
            adapted: whether its detector is another than the one that adaptation started from.
            preferred: whether that detector is the better one by the criterion, too.
        """
        released, config = Released(), self._config
        known = sum(float(there.weight.sum()) for there in self._heads.values())
        if known < config.least_heads:
            released.notes.append(
                f"Only {known:.0f} heads were held out, too few to tell which networks cover them better "
                "([release] least_heads); the built-in ones stay."
            )
            return released
        judge = is_better if preferred else covers_more_heads
        if adapted and self._is(judge, {"detector"}, set(), parts, released):
            released.roles.add("detector")
        for role in REFINED:
            if role in parts.files and self._is(is_no_worse, {*released.roles, role}, released.roles, parts, released):
                released.roles.add(role)
        teacher = released.roles.copy()
        if "student" in parts.files and self._is(is_as_good, {*teacher, "student"}, teacher, parts, released):
            released.roles.add("student")
        return released

    def _is(self, judge: Judge, roles: set[str], usual: Iterable[str], parts: BundleParts, released: Released) -> bool:
        """Whether networks of `roles` pass the `judge` against those of `usual`."""
        usual = set(usual)
        covered = compare({name: self._tried(each, parts) for name, each in (("new", roles), ("usual", usual))})
        passed = judge(covered["new"], covered["usual"], self._config)
        (role,) = roles - usual
        released.notes.append(
            f"The {NAMES[role]} of the site {'is used' if passed else 'is not used'}: with it, "
            f"{covered['new'].in_words()}; with {_in_words(usual)}, {covered['usual'].in_words()}."
        )
        tell(released.notes[-1])
        return passed

    def _tried(self, roles: Iterable[str], parts: BundleParts) -> Trial:
        name = "-".join(sorted(roles)) or "built-in"
        if name not in self._trials:
            folder, model = self._folder / name, None
            if roles:
                model = folder / "model"
                write_bundle(model, only(parts, roles))
            choice = NetworkChoice(model=model, fast="student" in roles, weights_dir=self._weights_dir)
            overrides = {} if choice.fast else {"detection": {"interval_s": self._config.detect_every_s}}
            config = load_config(None, overrides, model=choice.thresholds(), fast=choice.fast)
            sessions = {window.recording.session.name: window.recording.session for window in self._windows}
            weights, config = networks_of(choice, config, list(sessions.values()))
            spec = replace(self._spec, config=config, weights=tuple(weights), model=model)
            self._trials[name] = try_networks(spec, self._windows, self._heads, folder / "stages", self._config)
        return self._trials[name]


def only(parts: BundleParts, roles: Iterable[str]) -> BundleParts:
    """The files of some roles, with what belongs to them."""
    kept = {role: path for role, path in parts.files.items() if role in roles}
    return replace(
        parts, files=kept, thresholds={role: each for role, each in parts.thresholds.items() if role in kept}
    )


def _in_words(roles: set[str]) -> str:
    return f"the site's {' and '.join(NAMES[role] for role in sorted(roles))}" if roles else f"the {BUILT_IN}"
