"""What covers trunk and arms, from scrub top to surgical gown: one way to cut, ease, hang and fold cloth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from or_mv_anon.simulation.clothes.cloth import Cloth, Points
from or_mv_anon.simulation.clothes.envelope import Envelope
from or_mv_anon.simulation.clothes.figure import Field, Figure, inside, meet
from or_mv_anon.simulation.clothes.folds import folds
from or_mv_anon.simulation.clothes.sewing import hemmed, hung, lowest_loop, ramp, with_skirt


@dataclass(frozen=True)
class Neckline:
    """A neck opening; metres on an average figure, see `Figure.neckline`."""

    front: float
    back: float
    side: float
    slope: float


@dataclass(frozen=True)
class TopCut:
    """How a top is cut. Lengths are metres on a figure of average height.

    Attributes:
        neck: its opening.
        sleeve: where the sleeves end, 1 at the elbow, 2 at the wrist (see `Figure.along_arm`).
        hem: height of the hem relative to the crotch; negative is below.
        ease: how far it stands off the trunk.
        lie: how far it stands off the shoulders.
        room: how far the sleeves stand off the arms.
        cuff: how far the sleeves stand off where they end.
        flare: how much wider each metre of the skirt is.
        rows: rows of triangles between hips and hem.
        waist: share of the loose width that a belt leaves, 1 without a belt.
        pleats: how deep hanging folds are.
    """

    neck: Neckline
    sleeve: float
    hem: float
    ease: float = 0.016
    lie: float = 0.008
    room: float = 0.026
    cuff: float = 0.022
    flare: float = 0.03
    rows: int = 6
    waist: float = 1.0
    pleats: float = 0.010

    def outline(self, figure: Figure) -> Field:
        """Where the finished top is."""
        return meet(self.above_hips(figure), figure.above(figure.crotch + self.hem * figure.scale))

    def above_hips(self, figure: Figure) -> Field:
        """Where neck and sleeves let it be."""
        neck = figure.neckline(front=self.neck.front, back=self.neck.back, side=self.neck.side, slope=self.neck.slope)
        return meet(neck, figure.until_arm(self.sleeve))


def trunk_envelope(figure: Figure, cut: TopCut) -> Envelope:
    """How cloth hangs round trunk and legs, from the hem to the armpits."""
    tights = figure.tights
    trunk = tights.vertices[figure.arm_share(tights.weights) < 0.3]
    middle = np.array([0.0, float(figure.joint("spine05")[1])])
    low = figure.crotch + min(cut.hem - 0.05, -0.15) * figure.scale
    envelope = Envelope.around(trunk, low, _armpit(figure), middle, middle)
    envelope = envelope.falling(drop=0.12).eased(cut.ease * figure.scale, flare=cut.flare)
    return envelope.belted(waist_height(figure), cut.waist, 0.11 * figure.scale)


def waist_height(figure: Figure) -> float:
    """Where a belt goes, metres."""
    return float(figure.joint("upperleg01.L")[2] + 0.13 * figure.scale)


def sewn_top(figure: Figure, rng: np.random.Generator, cut: TopCut) -> Cloth:
    """The finished cloth of a top."""
    scale = figure.scale
    fine = figure.fine_tights
    hips = figure.crotch + 0.06 * scale
    cloth = fine.cut(inside(meet(cut.above_hips(figure), figure.above(hips)), fine))
    armpit = _armpit(figure)
    along = figure.along_arm(cloth.vertices, cloth.weights)
    fall = ramp(cloth.vertices[:, 2], armpit + 0.02, armpit - 0.2 * scale) * (along < 0)
    # what hangs is laid round the body first: standing off along its own normals it would fold over in hollows
    envelope = trunk_envelope(figure, cut)
    cloth = hung(cloth.smoothed(5), envelope, fall)
    room = cloth.evened(_room(cloth, along, armpit, cut, scale) * (1 - fall), 4)
    loose = 0.5 * np.maximum(fall, ramp(along, 0.2, 0.6))
    # in steps: pushed out at once, the inner sides of the elbows would cross
    for _ in range(3):
        cloth = cloth.offset(room / 3).smoothed(4, loose)
    cloth = cloth.with_smooth_weights(4)
    hem = figure.crotch + cut.hem * scale
    cloth = with_skirt(cloth, envelope, figure.thighs, loop=lowest_loop(cloth), hem=hem, rows=cut.rows)
    relief = _relief(figure, cloth, cut, armpit, rng)
    return hemmed(cloth.offset(cloth.evened(relief, 1) * scale))


def _armpit(figure: Figure) -> float:
    return float(figure.joint("upperarm01.L")[2] - 0.06 * figure.scale)


def _room(cloth: Cloth, along: Points, armpit: float, cut: TopCut, scale: float) -> Points:
    """Metres (V,) between body and cloth: it lies on the shoulders and stands off below and along the sleeves."""
    trunk = cut.lie + (cut.ease - cut.lie) * ramp(cloth.vertices[:, 2], armpit + 0.14 * scale, armpit)
    wide = cut.lie + (cut.room - cut.lie) * ramp(along, -0.1, 0.6)
    sleeve = wide + (cut.cuff - wide) * ramp(along, max(cut.sleeve - 0.9, 0.2), cut.sleeve)
    return np.asarray(np.where(along >= 0, sleeve, trunk) * scale)


def _relief(figure: Figure, cloth: Cloth, cut: TopCut, armpit: float, rng: np.random.Generator) -> Points:
    """Metres (V,) by which folds lift the cloth: hanging ones at the trunk, rings and twists along the sleeves."""
    points = cloth.vertices / figure.scale
    height = points[:, 2]
    along = figure.along_arm(cloth.vertices, cloth.weights)
    low = ramp(height, armpit / figure.scale + 0.05, figure.crotch / figure.scale)
    longer = 1 + 1.2 * ramp(height, figure.crotch / figure.scale, (figure.crotch - 0.5) / figure.scale)
    side = np.sign(points[:, 0])
    lean = np.column_stack([0.3 * side, np.zeros(len(low)), np.ones(len(low))])
    hanging = folds(points, rng, along=lean, spacing=0.06, length=0.5, sharpness=2.0)
    soft = folds(points, rng, along=(0.3, 0, 1), spacing=0.11, length=0.25)
    creases = folds(points, rng, along=(1, 0.3, 0.3), spacing=0.045, length=0.16, sharpness=2.2)
    pull = folds(points, rng, along=np.column_stack([side, 0.2 * side, -1.2 + 0 * low]), spacing=0.05, length=0.25)
    chest = np.exp(-(((height - armpit / figure.scale) / 0.08) ** 2))
    gathered = 1.0 if cut.waist >= 1 else 1 + np.exp(-(((height * figure.scale - waist_height(figure)) / 0.12) ** 2))
    trunk = cut.pleats * hanging * low * longer * gathered + 0.006 * soft + 0.004 * creases + 0.006 * chest * pull
    arm = np.column_stack([0.68 * side, np.zeros(len(low)), np.full(len(low), -0.73)])
    rings = folds(points, rng, along=np.cross(arm, (0.2, 1.0, 0)), spacing=0.04, length=0.13, sharpness=1.5)
    twist = folds(points, rng, along=arm + np.array([0, 0.4, 0]), spacing=0.05, length=0.2)
    elbow = np.exp(-(((along - 1.02) / 0.3) ** 2))
    end = ramp(along, cut.sleeve - 0.5, cut.sleeve) * (cut.sleeve > 1)
    under_glove = ramp(along, cut.sleeve - 0.02, cut.sleeve - 0.12) if cut.sleeve > 1 else 1.0
    sleeve = (rings * (0.004 + 0.008 * elbow + 0.006 * end) + 0.006 * twist) * under_glove
    return np.asarray(np.where(along >= 0, sleeve, trunk))
