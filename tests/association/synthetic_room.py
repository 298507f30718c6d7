"""People who walk and stand in a room that cameras around it see: views with tracks, and the truth about both.

Nothing is drawn; ten body points per person are projected, then lost, broken into tracks and blurred as a detector, a
pose network and a tracker would.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.association.geometry import Matrix, fundamental_matrix
from or_mv_anon.association.views import BodyPoint, Observations, View, ViewNames

ROOM_M = (6.0, 5.0)
HEAD_M = 0.24
SIZE = (1280, 720)
SHORTEST_TRACK_S = 1.0
# forward, left and up in shares of the body's height, by BodyPoint
BODY = np.array([
    [0.02, 0.0, 0.93], [0.0, 0.0, 0.83], [0.0, 0.11, 0.81], [0.0, -0.11, 0.81], [0.0, 0.06, 0.52],
    [0.0, -0.06, 0.52], [0.03, 0.15, 0.63], [0.03, -0.15, 0.63], [0.14, 0.12, 0.60], [0.14, -0.12, 0.60],
])  # fmt: skip


@dataclass(frozen=True)
class Camera:
    """A pinhole camera: matrix (3, 3) and pose (4, 4), from its frame (x right, y down) to the room, in metres."""

    matrix: Matrix
    pose: Matrix

    def project(self, points: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Pixels (..., 2) of room points (..., 3), and their depth (...) in metres."""
        seen = (points - self.pose[:3, 3]) @ self.pose[:3, :3] @ self.matrix.T
        return seen[..., :2] / seen[..., 2:], seen[..., 2]

    def turned(self, degrees: float) -> Camera:
        """The camera after it was turned to the right about the vertical."""
        turn = _about_vertical(-np.radians(degrees))
        pose = self.pose.copy()
        pose[:3, :3] = turn @ pose[:3, :3]
        return Camera(self.matrix, pose)


@dataclass(frozen=True)
class Room:
    """What the cameras show, and the truth.

    Attributes:
        views: one per camera.
        people: by view, who each row of its `tracks` is, -1 for a track of nobody.
        matrices: true fundamental matrices by ordered pair of views, before any camera was turned.
        cameras: by view, before any was turned.
    """

    views: list[View]
    people: dict[str, NDArray[np.int64]]
    matrices: dict[ViewNames, Matrix]
    cameras: dict[str, Camera]


def synthetic_room(
    *,
    seed: int = 0,
    cameras: int = 3,
    people: int = 5,
    seconds: float = 60.0,
    instant_s: float = 0.2,
    standing: float = 0.3,
    noise: float = 0.08,
    missed: float = 0.1,
    false_tracks: int = 2,
    breaks_per_minute: float = 1.0,
    turned: tuple[int, float, float] | None = None,
    appearance: bool = False,
) -> Room:
    """A room of 6 by 5 m.

    Args:
        seed: decides everything.
        cameras: how many, evenly around the room under the ceiling.
        people: how many walk from place to place.
        seconds: length of the recording.
        instant_s: seconds between instants.
        standing: share of the time in which a person stands.
        noise: of points, standard deviation in head heights.
        missed: share of the observations that are lost at random, on top of those lost behind others.
        false_tracks: tracks of nobody per camera, still or drifting.
        breaks_per_minute: how often a track ends for no reason and goes on as a new one.
        turned: number of a camera, the second in which it is turned, and by how many degrees.
        appearance: give tracks a mean embedding, noisy but alike for one person.
    """
    random = np.random.default_rng(seed)
    count = round(seconds / instant_s)
    bodies = _bodies(random, count, people, instant_s, standing)
    names = [f"cam{k + 1}" for k in range(cameras)]
    optics = {name: camera_at(random, k / cameras) for k, name in enumerate(names)}
    looks = random.normal(size=(people, 512))
    views, truth = [], {}
    for k, name in enumerate(names):
        shown = np.stack([optics[name].project(bodies[t])[0] for t in range(count)])
        depth = optics[name].project(bodies[:, :, BodyPoint.NECK])[1]
        if turned is not None and turned[0] == k:
            moved, after = optics[name].turned(turned[2]), round(turned[1] / instant_s)
            shown[after:] = moved.project(bodies[after:])[0]
            depth[after:] = moved.project(bodies[after:, :, BodyPoint.NECK])[1]
        head = optics[name].matrix[0, 0] * HEAD_M / np.maximum(depth, 0.3)
        visible = _visible(shown, depth) & (random.random(depth.shape) >= missed)
        track = _tracks(random, visible, instant_s, breaks_per_minute)
        rows = _observe(random, shown, head, track, noise)
        owner = np.full(track.max(initial=-1) + 1, -1)
        owner[track[track >= 0]] = np.broadcast_to(np.arange(people), track.shape)[track >= 0]
        false = [_false_track(random, len(owner) + n, count) for n in range(false_tracks)]
        rows = Observations.concat([rows, *false])
        owner = np.r_[owner, np.full(false_tracks, -1)]
        mean = None
        if appearance:
            mean = np.where(owner[:, None] >= 0, looks[owner], 0) + random.normal(size=(len(owner), 512))
            mean = (mean / np.linalg.norm(mean, axis=1, keepdims=True)).astype(np.float32)
        ids = np.arange(len(owner)) * 2 + 1  # ids are no row numbers
        rows = rows.replace(track=ids[rows.track])[np.lexsort((rows.track, rows.instant))]
        views.append(View(name=name, size=SIZE, observations=rows, tracks=ids, appearance=mean))
        truth[name] = owner
    matrices = {
        (a, b): fundamental_matrix((optics[a].matrix, optics[a].pose), (optics[b].matrix, optics[b].pose))
        for number, a in enumerate(names)
        for b in names[number + 1 :]
    }
    return Room(views, truth, matrices, optics)


def _bodies(
    random: np.random.Generator, count: int, people: int, instant_s: float, standing: float
) -> NDArray[np.float64]:
    """Body points (instants, people, 10, 3) in metres."""
    place = np.zeros((count, people, 2))
    for person in range(people):
        path = [random.uniform(-0.5, 0.5, 2) * ROOM_M]
        while len(path) < count:
            target = random.uniform(-0.5, 0.5, 2) * ROOM_M
            steps = max(int(np.linalg.norm(target - path[-1]) / (random.uniform(0.5, 1.3) * instant_s)), 1)
            path += [path[-1] + (target - path[-1]) * (n + 1) / steps for n in range(steps)]
            if random.random() < 0.7:
                wait = random.exponential(10 * standing / max(1 - standing, 1e-3))
                path += [path[-1]] * min(int(wait / instant_s), count)
        place[:, person] = path[:count] if standing < 1 else path[0]
    sway = np.cumsum(random.normal(scale=0.02, size=(count, people, 2)), axis=0)
    place += 0.15 * np.tanh(sway / 0.15)
    heading = random.uniform(0, 2 * np.pi, people) + np.cumsum(random.normal(scale=0.15, size=(count, people)), axis=0)
    bend = 1 - 0.12 * random.random(people) * (np.sin(np.arange(count)[:, None] * instant_s / 3 + heading[0]) > 0.6)
    height = random.uniform(1.58, 1.92, people)
    body = BODY + random.normal(scale=0.01, size=(people, *BODY.shape))
    wave = 0.08 * np.sin(np.cumsum(random.normal(scale=0.5, size=(count, people)), axis=0))
    body = np.broadcast_to(body, (count, *body.shape)).copy()
    body[:, :, BodyPoint.LEFT_WRIST, 2] += wave
    body[:, :, BodyPoint.RIGHT_WRIST, 2] -= wave
    body *= height[None, :, None, None]
    cos, sin = np.cos(heading)[..., None], np.sin(heading)[..., None]
    x = place[..., 0, None] + body[..., 0] * cos - body[..., 1] * sin
    y = place[..., 1, None] + body[..., 0] * sin + body[..., 1] * cos
    return np.stack([x, y, body[..., 2] * bend[..., None]], axis=-1)


def camera_at(random: np.random.Generator, share: float) -> Camera:
    """A camera under the ceiling, `share` of the way around the room, that looks at about the middle."""
    angle = 2 * np.pi * share + random.uniform(-0.25, 0.25)
    spot = np.array([np.cos(angle) * 4.2, np.sin(angle) * 3.8, random.uniform(2.1, 2.8)])
    ahead = np.r_[random.uniform(-0.5, 0.5, 2), 1.1] - spot
    ahead /= np.linalg.norm(ahead)
    right = np.cross(ahead, [0, 0, 1])
    right /= np.linalg.norm(right)
    pose = np.eye(4)
    pose[:3, :3] = np.stack([right, np.cross(ahead, right), ahead], axis=1)
    pose[:3, 3] = spot
    focal = random.uniform(650, 800)
    return Camera(np.array([[focal, 0, SIZE[0] / 2], [0, focal, SIZE[1] / 2], [0, 0, 1.0]]), pose)


def _about_vertical(angle: float) -> Matrix:
    return np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])


def _visible(shown: NDArray[np.float64], depth: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether a head and neck are in the picture with nobody close in front (instants, people)."""
    upper = shown[:, :, [BodyPoint.HEAD, BodyPoint.NECK]]
    inside = ((upper >= 0) & (upper < SIZE)).all(axis=(2, 3)) & (depth > 0.5)
    neck = shown[:, :, BodyPoint.NECK]
    apart = np.abs(neck[:, :, None, 0] - neck[:, None, :, 0])
    nearer = depth[:, None, :] < depth[:, :, None] - 0.2
    near_width = 700 * 0.2 / np.maximum(depth, 0.3)
    hidden = (nearer & (depth[:, None, :] > 0.5) & (apart < near_width[:, None, :])).any(axis=2)
    return np.asarray(inside & ~hidden)


def _tracks(
    random: np.random.Generator, visible: NDArray[np.bool_], instant_s: float, breaks_per_minute: float
) -> NDArray[np.int64]:
    """Numbers of tracks (instants, people), -1 where there is none: broken by a second unseen, and now and then."""
    longest, shortest = round(1.0 / instant_s), SHORTEST_TRACK_S / instant_s
    found = np.full(visible.shape, -1)
    number = 0
    for person in range(visible.shape[1]):
        rows = np.flatnonzero(visible[:, person])
        gap = np.diff(rows, prepend=-1000) > longest
        broken = random.random(len(rows)) < breaks_per_minute * instant_s / 60
        for piece in np.split(rows, np.flatnonzero(gap | broken)):
            if len(piece) >= shortest:
                found[piece, person] = number
                number += 1
    return found


def _observe(
    random: np.random.Generator,
    shown: NDArray[np.float64],
    head: NDArray[np.float64],
    track: NDArray[np.int64],
    noise: float,
) -> Observations:
    instant, person = np.nonzero(track >= 0)
    points = shown[instant, person]
    size = head[instant, person]
    low, high = points.min(axis=1) - size[:, None] * 0.6, points.max(axis=1) + size[:, None] * [0.6, 3.0]
    points = points + random.normal(scale=noise, size=points.shape) * size[:, None, None]
    weight = random.uniform(0.4, 0.9, points.shape[:2])
    weight[random.random(weight.shape) < 0.1] = 0
    weight[((points < 0) | (points >= SIZE)).any(axis=2)] = 0
    return Observations(
        instant=instant,
        track=track[instant, person],
        box=np.clip(np.concatenate([low, high], axis=1), 0, [*SIZE, *SIZE]),
        score=random.uniform(0.5, 0.95, len(instant)),
        points=points,
        weight=weight,
        head=size * random.uniform(0.85, 1.15, len(size)),
    )


def _false_track(random: np.random.Generator, number: int, count: int) -> Observations:
    start = int(random.integers(0, count // 2))
    instant = np.arange(start, min(start + int(random.integers(20, max(count // 2, 21))), count))
    middle = random.uniform(0.2, 0.8, 2) * SIZE + np.cumsum(random.normal(scale=1.0, size=(len(instant), 2)), axis=0)
    head = random.uniform(25, 60)
    points = middle[:, None] + (BODY[:, [1, 2]] * [1, -1] + [0, 0.7]) * head * 7
    points = points + random.normal(scale=0.2 * head, size=points.shape)
    return Observations(
        instant=instant,
        track=np.full(len(instant), number),
        box=np.concatenate([points.min(axis=1), points.max(axis=1)], axis=1),
        score=random.uniform(0.2, 0.6, len(instant)),
        points=points,
        weight=np.full(points.shape[:2], 0.4),
        head=np.full(len(instant), head),
    )
