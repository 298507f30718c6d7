"""The last seconds of one camera, from which its frames are decided about.

Nothing is followed in another way than offline: the people, faces and regions of a short recording are tracked, filled,
smoothed and placed, whose last frames are the newest ones, and whose beginning is forgotten as time goes on. What
lies in the future of a frame is bounded by the delay, so that a person who is lost is held for a while instead.
"""

from __future__ import annotations

import dataclasses
import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.config import PipelineConfig
from or_mv_anon.core.records import Columns, Detections, FrameFlag, Frames, RegionKind, Regions, Tracks
from or_mv_anon.core.run_layout import HEADS, KEYPOINTS, PERSONS
from or_mv_anon.live.line import Held
from or_mv_anon.live.looking import Look
from or_mv_anon.live.memory import StillHeads
from or_mv_anon.live.settings import LiveConfig
from or_mv_anon.live.unchanged import UnchangedPlaces
from or_mv_anon.pipeline.stages.track import follow_heads
from or_mv_anon.regions.heads import Heads, locate_heads
from or_mv_anon.regions.observe import Observations
from or_mv_anon.regions.placing import camera_regions
from or_mv_anon.regions.source import CameraScene, Observed, Zone, head_around_face
from or_mv_anon.regions.sources.face import plausible_faces
from or_mv_anon.regions.sources.static_heads import USUAL_PERCENTILE
from or_mv_anon.tracking.offline import track_detections

SAME_S = 1e-6
MOST_SIZES = 2000  # head heights that are remembered


@dataclass(frozen=True)
class Followed:
    """The people of the window.

    Attributes:
        observed: what was looked at; its frames are numbered by their place in the window.
        tracks: of persons.
        heads: of the persons' detections.
        faces: tracks of heads that no person stands for.
    """

    observed: Observed
    tracks: Tracks
    heads: Heads
    faces: Tracks


class CameraWindow:
    """What is known of one camera's last seconds.

    Attributes:
        zones_lost: the camera looks elsewhere than when its zones were drawn.
        searches: looks at turned pictures since the camera stands as it does.
    """

    def __init__(
        self, config: PipelineConfig, live: LiveConfig, *, always: Sequence[Zone] = (), never: Sequence[Zone] = ()
    ) -> None:
        """`always` and `never` are zones in pixels of the upright frame."""
        tracking = dataclasses.replace(config.tracking, pad_s=max(config.tracking.pad_s, live.window.hold_s))
        faces = dataclasses.replace(
            config.face_tracking,
            pad_s=max(config.face_tracking.pad_s, live.window.hold_s),
            weak_pad_s=max(config.face_tracking.weak_pad_s, live.looking.face_interval_s),
        )
        scale = config.regions.head_scale * live.window.head_growth
        regions = dataclasses.replace(config.regions, head_scale=scale)
        self._config = dataclasses.replace(config, tracking=tracking, face_tracking=faces, regions=regions)
        self._live = live
        self._always, self._never = always, never
        self.zones_lost = False
        self._still = StillHeads(live.memory, config.static_heads)
        self._unchanged = UnchangedPlaces(live.memory)
        self.searches = 0
        self._frames: deque[Held] = deque()
        self._looks: deque[Look] = deque()
        self._sizes: deque[float] = deque(maxlen=MOST_SIZES)

    @property
    def newest(self) -> Held | None:
        """The frame that came last."""
        return self._frames[-1] if self._frames else None

    @property
    def looked_until(self) -> float:
        """When the frame was taken that was looked at last."""
        return self._looks[-1].held.time if self._looks else -math.inf

    @property
    def undecided(self) -> list[Held]:
        """Frames that were not decided about, oldest first."""
        return [held for held in self._frames if not held.decided]

    def add(self, held: Held) -> None:
        """The next frame. One of another size begins anew: nothing that is known fits it."""
        if self._frames and held.frame.upright_size != self._frames[-1].frame.upright_size:
            self.cover()
            self._frames.clear()
            self._looks.clear()
            self._sizes.clear()
            self._forget_places()
        self._frames.append(held)

    def note(self, look: Look) -> None:
        """A finished look at one of the frames."""
        if self._frames and look.held.frame.upright_size == self._frames[-1].frame.upright_size:
            self._looks.append(look)

    def search(self, candidates: Detections, time: float) -> None:
        """Candidates for heads in the turned pictures of a frame taken at `time` seconds; the unlikely are left out."""
        if self._frames:
            size = self._frames[-1].frame.upright_size
            candidates = candidates[plausible_faces(candidates, size, self._config.face)]
        if len(self._sizes):
            largest = self._config.static_heads.largest_heads * np.percentile(self._sizes, USUAL_PERCENTILE)
            candidates = candidates[candidates.box[:, 3] - candidates.box[:, 1] <= largest]
        self._still.search(candidates, time)
        self.searches += 1

    @property
    def learning(self) -> bool:
        """Whether too few turned pictures were looked at to know who lies where; all is covered until then."""
        return self.searches < self._live.memory.learn_looks and self._live.looking.still_interval_s > 0

    def _note_sizes(self, followed: Followed) -> None:
        """Head heights of people who are clearly seen, for what else may be a head."""
        persons = followed.observed.read(PERSONS)
        clear = persons.score[followed.heads.detection] >= self._config.tracking.high_score
        self._sizes.extend(followed.heads.size[clear].tolist())
        heads = followed.observed.read(HEADS)
        sure = heads.box[heads.score >= self._config.pose.known_head_score]  # whose keypoints nobody looks for
        self._sizes.extend((sure[:, 2:] - sure[:, :2]).max(axis=1, initial=0).tolist())

    def turned(self) -> None:
        """The camera looks elsewhere: what is known of places is of no use, and zones are somewhere else."""
        self._forget_places()
        self.zones_lost = bool(self._always or self._never)

    def _forget_places(self) -> None:
        self._still.forget()
        self._unchanged.forget()
        self.searches = 0

    def cover(self, until: float = math.inf) -> None:
        """Cover whole what was taken at or before `until` seconds and is not decided about."""
        for held in self.undecided:
            if held.time <= until:
                held.decide(None)
        self._forget()

    def decide(self, until: float, more: Callable[[float], Regions] = lambda time: Regions.empty()) -> Regions:
        """Decide about the frames taken at or before `until` seconds; those that cannot be judged are covered whole.

        Args:
            until: on the line's clock.
            more: what others want covered in a frame taken at a time.

        Returns:
            What is covered in the last of them.
        """
        due = [held for held in self._frames if not held.decided and held.time <= until + SAME_S]
        if not due:
            return Regions.empty()
        last = Regions.empty()
        judged = self._judged(due)
        if any(judged):
            followed = self.follow()
            self._note_sizes(followed)
            placed = self._place(followed)
            number = {id(held): place for place, held in enumerate(self._frames)}
            looks = {id(look.held): look for look in self._looks}
        for held, known in zip(due, judged, strict=True):
            if not known:
                held.decide(None)
                continue
            place = number[id(held)]
            here = placed[slice(*np.searchsorted(placed.frame, [place, place + 1]))]
            if (look := looks.get(id(held))) is not None and look.grey is not None:
                heads = _heads_found(followed, here, place, self._config.tracking.new_track_score)
                self._unchanged.see(look.grey, held.frame.upright_size, heads, held.time)
            last = Regions.concat([here, self._still.regions(held.time), self._kept(held), more(held.time)])
            held.decide(None if self.learning else last)
        if any(judged):
            self._still.see(last, due[-1].time)
        self._forget()
        return last

    def _kept(self, held: Held) -> Regions:
        """Places that look in the looks before and after a frame as they did when a head was found there."""
        following = next((look for look in self._looks if look.held.time > held.time and look.grey is not None), None)
        boxes = [self._unchanged.boxes()]
        if following is not None and following.grey is not None:
            boxes.append(self._unchanged.boxes_in(following.grey, held.frame.upright_size))
        box = np.concatenate(boxes)
        count = len(box)
        return Regions(
            frame=np.zeros(count), box=box, kind=np.full(count, RegionKind.HEAD), track=np.full(count, -1),
            uncertainty=np.zeros(count),
        )  # fmt: skip

    def follow(self) -> Followed:
        """Everybody in the window."""
        config = self._config
        observed = self._observed()
        persons = observed.read(PERSONS)
        tracks = track_detections(persons, observed.frames, FrameFlag.PERSONS, config.tracking, observed.size)
        keypoints = observed.read(KEYPOINTS)
        heads = locate_heads(keypoints, persons, trusted_score=config.pose.trusted_score)
        return Followed(observed, tracks, heads, follow_heads(observed, config))

    def _place(self, followed: Followed) -> Regions:
        observed = followed.observed
        scene = CameraScene(
            observed.frames, observed.size, followed.heads, followed.tracks, followed.faces,
            always=self._always, read=observed.read,
        )  # fmt: skip
        return camera_regions(scene, self._config, never=self._never)

    def _judged(self, due: Sequence[Held]) -> list[bool]:
        """Which frames lie between two looks that may be believed and are near enough to tell what was there."""
        looked = np.array([look.held.time for look in self._looks])
        if not len(looked):
            return [False] * len(due)
        times = np.array([held.time for held in due])
        after = np.searchsorted(looked, times - SAME_S)
        before = np.searchsorted(looked, times + SAME_S, side="right") - 1
        between = (before >= 0) & (after < len(looked))
        gap = looked[np.minimum(after, len(looked) - 1)] - looked[np.maximum(before, 0)]
        believed = np.array([look.believed for look in self._looks])
        known = between & (gap <= self._live.looking.longest_gap_s + SAME_S)
        known &= believed[np.maximum(before, 0)] & believed[np.minimum(after, len(looked) - 1)]
        return [bool(each) and not held.frame.corrupt for each, held in zip(known, due, strict=True)]

    def _observed(self) -> Observed:
        frames = list(self._frames)
        number = {id(held): place for place, held in enumerate(frames)}
        flags = [int(FrameFlag.CORRUPT) if held.frame.corrupt else 0 for held in frames]
        found = Observations()
        for look in self._looks:
            if (place := number.get(id(look.held))) is None:
                continue
            flags[place] |= look.flags
            tables = {name: [_in_frame(table, place)] for name, table in look.tables.items() if len(table)}
            found.add(Observations([place], [look.flags], tables))
        times = np.array([held.time for held in frames])
        record = Frames(
            frame=np.arange(len(frames)), pts=np.arange(len(frames)), time=times - times[0], flags=np.array(flags, int)
        )

        return Observed(record, frames[-1].frame.upright_size, found.table)

    def _forget(self) -> None:
        """Let go of what lies too far before the first frame that is still to be decided about."""
        if not self._frames:
            return
        oldest = next((held.time for held in self._frames if not held.decided), self._frames[-1].time)
        first = oldest - self._live.window.past_s
        while self._frames[0].time < first:
            self._frames.popleft()
        while self._looks and self._looks[0].held.time < first:
            self._looks.popleft()


def _heads_found(followed: Followed, here: Regions, number: int, least_score: float) -> Boxes:
    """Regions ``(N, 4)`` of the heads that were found in a frame itself, and not before or after it.

    People who were never clearly seen are left out: most of them are chairs and lamps, which never change. Faces are
    not, and neither are those that lie in a person's region.
    """
    tracks, faces = followed.tracks, followed.faces
    clear = np.unique(tracks.track[tracks.score >= least_score])
    people = tracks.track[(tracks.frame == number) & (tracks.detection >= 0) & np.isin(tracks.track, clear)]
    seen = faces.box[(faces.frame == number) & (faces.detection >= 0)]
    return np.concatenate([here.box[np.isin(here.track, people)], head_around_face(seen)])


def _in_frame(table: Columns, number: int) -> Columns:
    if "frame" not in table.columns:
        return table
    return table.replace(frame=np.full(len(table), number))
