"""Whether two tracks look like one person, and how much that may say where everybody wears the same gown.

The vectors of a re-identification network mix the person with the camera: its light, its height, the wall behind. So
each view's mean is taken away first. What a cosine of what is left says is learned from the session without labels:
cosines of tracks that two views see at once are taken for a mixture of two Gaussians, alike and unlike. Being alike is
not yet being one person. How often two different people are alike is read from pairs of one view; only as far as pairs
across views are alike more often than that does appearance say anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import scipy  # loads its parts when they are used
from numpy.typing import ArrayLike, NDArray

from or_mv_anon.association.continuity import different_people
from or_mv_anon.association.monotone import monotone
from or_mv_anon.association.views import View
from or_mv_anon.core.records import Embeddings, Tracks

ENOUGH_PEOPLE = 2.0  # in the picture as a rule: the mean of fewer is about them, not about the camera
CHUNK = 65_536  # pairs whose vectors are multiplied at once
Floats = NDArray[np.float32]
SCORES = np.linspace(-1, 1, 201)  # cosines at which everything is computed
STEP = float(SCORES[1] - SCORES[0])
LEAST_PAIRS = 20  # of tracks, within and across views
ROUNDS = 200  # of expectation maximization
NARROWEST = 1 / 3  # of the spread of all cosines, so that no component falls into a gap
TURNED = 0.1  # share of people who do not look like themselves from another side
TWO_KINDS = 0.04  # nats per pair by which two Gaussians must explain the cosines better than one
LIMIT = 3.0  # log odds; looks alone never say more
Doubles = NDArray[np.float64]


def pool_embeddings(embeddings: Embeddings, tracks: Tracks) -> Floats:
    """Mean appearance of every track.

    Args:
        embeddings: of some of a camera's detections.
        tracks: of the same camera.

    Returns:
        Unit vectors ``(T, 512)`` in ascending order of the track's number, zeros where no detection was embedded.
    """
    numbers, row = np.unique(tracks.track, return_inverse=True)
    row_of_detection = np.full(max(tracks.detection.max(initial=-1), embeddings.detection.max(initial=-1)) + 1, -1)
    seen = tracks.detection >= 0
    row_of_detection[tracks.detection[seen]] = row[seen]
    rows = row_of_detection[embeddings.detection]
    used = np.flatnonzero(rows >= 0)
    member = scipy.sparse.csr_array(
        (np.ones(len(used), np.float32), (rows[used], used)), shape=(len(numbers), len(embeddings))
    )
    return _unit(np.asarray(member @ embeddings.vector, np.float32))


@dataclass(frozen=True, eq=False, kw_only=True)
class AppearanceEvidence:
    """What looks say about pairs of tracks of one session.

    Attributes:
        vectors: by view, unit vectors ``(T, 512)`` with the view's mean taken away, zeros where they are not known.
        tracks: by view, the numbers of the tracks, ascending.
        curve: log odds at `SCORES`.
    """

    vectors: Mapping[str, Floats]
    tracks: Mapping[str, NDArray[np.integer]]
    curve: NDArray[np.float64]

    def of_pairs(
        self, first: str, second: str, first_tracks: ArrayLike, second_tracks: ArrayLike
    ) -> tuple[Floats, Floats]:
        """Looks of pairs of tracks, one of each view; the views may be the same.

        Args:
            first: name of the first tracks' view.
            second: name of the second tracks' view.
            first_tracks: track numbers ``(P,)``.
            second_tracks: track numbers ``(P,)``.

        Returns:
            Cosines ``(P,)``, NaN where one is not known, and log odds ``(P,)``: the natural logarithm of how many
            times more likely such a cosine is for one person than for two; 0 where nothing is known.
        """
        rows = np.searchsorted(self.tracks[first], first_tracks)
        columns = np.searchsorted(self.tracks[second], second_tracks)
        cosine = _products(self.vectors[first], self.vectors[second], rows, columns)
        known = _known(self.vectors[first])[rows] & _known(self.vectors[second])[columns]
        cosine[~known] = np.nan
        log_odds = np.where(known, np.interp(cosine, SCORES, self.curve), 0)
        return cosine, log_odds.astype(np.float32)

    def of_all(self, first: str, second: str) -> Floats:
        """Log odds ``(T1, T2)`` of every track of one view with every one of another, as `of_pairs` has them."""
        one, two = self.vectors[first], self.vectors[second]
        log_odds = np.interp((one @ two.T).astype(np.float64), SCORES, self.curve)
        return np.where(_known(one)[:, None] & _known(two), log_odds, 0).astype(np.float32)


def learn_appearance(views: Sequence[View], *, instant_s: float) -> AppearanceEvidence | None:
    """Learns, without labels, how much looks say in this session; None if no view knows any.

    Two tracks of one view that are seen at once, side by side, are two people: that is how alike different people look
    here. Tracks of two views that are seen at once are a mixture of these and of equal people.

    Args:
        views: of all cameras.
        instant_s: seconds between instants.
    """
    looked = [view for view in views if view.known.any()]
    if not looked:
        return None
    stop = max(int(view.observations.instant.max(initial=-1)) + 1 for view in looked)
    presence = {view.name: view.presence(stop, counted=view.known) for view in looked}
    vectors = _centred(looked, presence)
    across, within = Tally(), Tally()
    same = pairs = 0.0
    for view in looked:
        seen, different = presence[view.name], different_people(view, instant_s=instant_s)
        rows, columns = different[_known(vectors[view.name])[different].all(axis=1)].T
        within.add(
            _products(vectors[view.name], vectors[view.name], rows, columns),
            seen[rows].multiply(seen[columns]).sum(axis=1),
        )
    for first, second in combinations(looked, 2):
        one, two = presence[first.name], presence[second.name]
        common = (one @ two.T).tocoo()
        across.add(_products(vectors[first.name], vectors[second.name], common.row, common.col), common.data)
        counts = one.sum(axis=0), two.sum(axis=0)
        same += float(np.minimum(*counts).sum())
        pairs += float(np.multiply(*counts).sum())
    return AppearanceEvidence(
        vectors=vectors,
        tracks={view.name: view.tracks for view in looked},
        curve=fit_log_odds(across, within, most_same=same / pairs if pairs else 0.0),
    )


def _centred(views: Sequence[View], presence: Mapping[str, scipy.sparse.csr_array]) -> dict[str, Floats]:
    """Every view's vectors without the view's mean; all views' mean where one shows too few people for its own."""
    means, people = {}, {}
    for view in views:
        seen = presence[view.name].sum(axis=1)
        means[view.name] = (seen @ view.appearance) / max(seen.sum(), 1)
        people[view.name] = seen.sum() / max((presence[view.name].sum(axis=0) > 0).sum(), 1)
    common = np.mean(list(means.values()), axis=0)
    vectors = {}
    for view in views:
        assert view.appearance is not None
        centre = means[view.name] if people[view.name] >= ENOUGH_PEOPLE else common
        known = view.known
        vectors[view.name] = np.zeros(view.appearance.shape, np.float32)
        vectors[view.name][known] = _unit(view.appearance[known] - centre)
    return vectors


def _products(one: Floats, two: Floats, rows: ArrayLike, columns: ArrayLike) -> Floats:
    rows, columns = np.asarray(rows, np.intp), np.asarray(columns, np.intp)
    found = np.empty(len(rows), np.float32)
    for start in range(0, len(rows), CHUNK):
        part = slice(start, start + CHUNK)
        found[part] = np.einsum("ij,ij->i", one[rows[part]], two[columns[part]])
    return found


def _known(vectors: Floats) -> NDArray[np.bool_]:
    return np.asarray(vectors.any(axis=1))


def _unit(vectors: Floats) -> Floats:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)


class Tally:
    """How often each cosine occurs; a pair seen for long counts by the square root of its instants."""

    def __init__(self) -> None:
        self.weights: Doubles = np.zeros(len(SCORES))
        self.pairs = 0

    def add(self, cosines: ArrayLike, instants: ArrayLike) -> None:
        """Count pairs of tracks with their cosines ``(P,)`` and the instants ``(P,)`` at which both are seen."""
        bins = np.clip(np.rint((np.asarray(cosines) - SCORES[0]) / STEP), 0, len(SCORES) - 1).astype(int)
        self.weights += np.bincount(bins, np.sqrt(instants), minlength=len(SCORES))
        self.pairs += len(bins)


def fit_log_odds(across: Tally, within: Tally, *, most_same: float) -> Doubles:
    """The log odds of being one person at each of `SCORES`, never falling; all 0 where nothing can be learned.

    With H and L the densities of alike and unlike pairs, a the share of different people who are alike, and t the
    share of people who do not look like themselves, they are log(((1 - t) H + t L) / (a H + (1 - a) L)).

    Args:
        across: pairs of tracks of two views, seen at once.
        within: pairs of tracks of one view, seen at once and side by side: different people.
        most_same: the largest share of the pairs in `across` that can be one person, were everybody in both pictures.
    """
    if min(across.pairs, within.pairs) < LEAST_PAIRS or not 0 < most_same < 1:
        return np.zeros(len(SCORES))
    cosines = across.weights / across.weights.sum()
    share, alike, unlike = _two_gaussians(cosines, most_same)
    responsibility = share * alike / (share * alike + (1 - share) * unlike)
    strangers = float(within.weights @ responsibility / within.weights.sum())
    same = (share - strangers) / (1 - strangers)  # from share = same + (1 - same) * strangers
    strangers = max(strangers, (share - most_same) / (1 - most_same))
    odds = np.log((1 - TURNED) * alike + TURNED * unlike) - np.log(strangers * alike + (1 - strangers) * unlike)
    rising = monotone(odds, share * alike + (1 - share) * unlike)
    gain = cosines @ np.log((share * alike + (1 - share) * unlike) / _density(*_moments(cosines)))
    trust = np.clip(min(same / (most_same / 2), gain / TWO_KINDS), 0, 1)  # half of the most is proof enough
    return np.asarray(trust * np.clip(rising, -LIMIT, LIMIT))


def _two_gaussians(weights: Doubles, share: float) -> tuple[float, Doubles, Doubles]:
    """Expectation maximization from a first share: the upper Gaussian's share, and both densities at `SCORES`."""
    mean, spread = _moments(weights)
    upper, lower = (mean + 1.5 * spread, 0.7 * spread), (mean - 0.3 * spread, 0.7 * spread)
    for _ in range(ROUNDS):
        high, low = share * _density(*upper), (1 - share) * _density(*lower)
        to_upper = weights * high / (high + low)
        share = float(np.clip(to_upper.sum(), 1e-6, 1 - 1e-6))
        upper = _moments(to_upper, least=NARROWEST * spread)
        lower = _moments(weights - to_upper, least=NARROWEST * spread)
    return share, _density(*upper), _density(*lower)


def _moments(weights: Doubles, *, least: float = STEP) -> tuple[float, float]:
    total = max(weights.sum(), 1e-12)
    mean = float(weights @ SCORES / total)
    return mean, max(float(np.sqrt(weights @ (SCORES - mean) ** 2 / total)), least)


def _density(mean: float, deviation: float) -> Doubles:
    """A normal density at `SCORES`, with a floor so that its logarithm stays finite."""
    return np.asarray(np.exp(-0.5 * ((SCORES - mean) / deviation) ** 2) / (deviation * np.sqrt(2 * np.pi)) + 1e-12)
