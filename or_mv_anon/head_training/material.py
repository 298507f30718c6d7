"""Everything that a training of the modifier learns from and is judged by, read into memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from or_mv_anon.attack.identities import Face, read_identities, split_identities
from or_mv_anon.core.errors import UserError
from or_mv_anon.head_training.frames import ActionFrame, read_frames
from or_mv_anon.head_training.head_pictures import NOBODY, Head, head_of, heads_around, heads_of
from or_mv_anon.head_training.settings import MaterialConfig
from or_mv_anon.head_training.simulated import open_simulated


@dataclass(frozen=True, eq=False)
class Material:
    """Everything a training learns from and is judged by.

    Attributes:
        real, simulated: heads to learn from.
        held_out: real heads of people who are not among `real`, to judge by.
        elsewhere: heads in simulated sites that are not learned from, to judge by.
        actions: names that `Head.action` counts.
        frames: whole frames of the sites that are learned from, where A looks at frames.
    """

    real: Sequence[Head]
    simulated: Sequence[Head]
    held_out: Sequence[Head]
    elsewhere: Sequence[Head]
    actions: tuple[str, ...]
    frames: Sequence[ActionFrame] = ()

    @property
    def identities(self) -> tuple[str, ...]:
        """The people to learn from whom the adversary tells apart, in a stable order."""
        return tuple(sorted({head.identity for head in (*self.real, *self.simulated)} - {NOBODY}))


@dataclass(frozen=True, kw_only=True)
class Folders:
    """Where heads come from.

    Attributes:
        faces: folders of known people, see `identities.read_identities`; some people in them are held out.
        strangers: folders of the same form whose names do not say who is who.
        sites: simulated sites.
        people: seeds of simulated people who are looked at from all sides.
        judge_faces, judge_sites, judge_people: the same, only to judge by.
    """

    faces: Sequence[Path] = ()
    strangers: Sequence[Path] = ()
    sites: Sequence[Path] = ()
    people: Sequence[int] = ()
    judge_faces: Sequence[Path] = ()
    judge_sites: Sequence[Path] = ()
    judge_people: Sequence[int] = ()


def read_material(
    folders: Folders, *, side: int, config: MaterialConfig, frames: bool = False, weights_dir: Path | None = None
) -> Material:
    """Read all heads into memory.

    Args:
        folders: where they are.
        side: of the modifier's picture, pixels.
        config: settings.
        frames: whether whole frames are kept as well.
        weights_dir: see `or_mv_anon.models.registry.fetch`.

    Raises:
        UserError: a folder cannot be used, the sites' actions differ, or there is no head to learn from.
    """

    def faces_in(places: Sequence[Path]) -> list[Face]:
        return [face for place in places for face in read_identities(place, weights_dir=weights_dir)]

    known, held_out = split_identities(faces_in(folders.faces), share=1 - config.held_out_share, seed=config.seed)
    real = [head_of(face, side=side) for face in known]
    real += [head_of(face, side=side, known=False) for face in faces_in(folders.strangers)]
    sites = [open_simulated(folder) for folder in folders.sites]
    judge_sites = [open_simulated(folder) for folder in folders.judge_sites]
    actions = {tuple(site.truth.actions) for site in (*sites, *judge_sites)}
    if len(actions) > 1:
        raise UserError("The simulated sites name different actions; take sites that one version of the tool made.")
    simulated = [head for site in sites for head in heads_of(site, side=side, config=config)]
    elsewhere = [head for site in judge_sites for head in heads_of(site, side=side, config=config)]

    def turned(seeds: Sequence[int], backgrounds: Sequence[Head]) -> list[Head]:
        shown = tqdm(seeds, desc="simulated people", unit="person", disable=None, leave=False)
        return [head for seed in shown for head in heads_around(seed, backgrounds, side=side, config=config)]

    simulated += turned(folders.people, list(simulated))
    elsewhere += turned(folders.judge_people, list(elsewhere))
    if not real and not simulated:
        raise UserError("There is no head to learn from; give folders of faces, simulated sites, or both.")
    return Material(
        real=real,
        simulated=simulated,
        held_out=[head_of(face, side=side) for face in (*held_out, *faces_in(folders.judge_faces))],
        elsewhere=elsewhere,
        actions=actions.pop() if actions else (),
        frames=[f for site in sites for f in read_frames(site, side=side, config=config)] if frames else (),
    )
