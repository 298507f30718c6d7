"""The last seconds of one camera, from which its frames are decided about. No pictures are needed for that.

Nothing is followed in another way than offline: the people, faces and regions of a short recording are tracked, filled,
smoothed and placed, whose last frames are the newest ones, and whose beginning is forgotten as time goes on. What
lies in the future of a frame is bounded by the delay, so that a person who is lost is held for a while instead.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from or_mv_anon.core.boxes import Boxes, longer_side
from or_mv_anon.core.config import PipelineConfig
from or_mv_anon.core.records import Columns, FrameFlag, Frames, RegionKind, Regions, Tracks
from or_mv_anon.core.run_layout import HEADS, KEYPOINTS, PERSONS
from or_mv_anon.live.memory import StillHeads
from or_mv_anon.live.moments import Moment, Searched, Sight
from or_mv_anon.live.settings import LiveConfig
from or_mv_anon.live.unchanged import UnchangedPlaces
from or_mv_anon.pipeline.stages.track import follow_heads
from or_mv_anon.regions.heads import Heads, locate_heads
from or_mv_anon.regions.large_faces import plausible_faces
from or_mv_anon.regions.observe import Observations
from or_mv_anon.regions.placing import camera_regions
from or_mv_anon.regions.source import CameraScene, Observed, Zone, head_around_face
from or_mv_anon.regions.sources.static_heads import USUAL_PERCENTILE
from or_mv_anon.tracking.offline import track_detections

SAME_S = 1e-6
MOST_SIZES = 2000  # head heights that are remembered


@dataclass(frozen=True)
class Decided:
    """What is to be covered.

    Attributes:
        regions: in frames, by their number; None for all of a frame.
        last: in the last of them that was judged.
    """

    regions: Mapping[int, Regions | None]
    last: Regions


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
    """What is known of one camera's last seconds."""

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
        self._still = StillHeads(live.memory, config.static_heads)
        self._unchanged = UnchangedPlaces(live.memory)
        self._frames: deque[Moment] = deque()
        self._looks: deque[Sight] = deque()
        self._sizes: deque[float] = deque(maxlen=MOST_SIZES)

    def add(self, moment: Moment) -> None:
        """The next frame. One of another size begins anew: nothing that is known fits it."""
        if self._frames and moment.size != self._frames[-1].size:
            self._frames.clear()
            self._looks.clear()
            self._sizes.clear()
            self.turned()
        self._frames.append(moment)

    def note(self, sight: Sight) -> None:
        """A finished look at one of the frames."""
        if self._frames and sight.size == self._frames[-1].size:
            self._looks.append(sight)

    def search(self, searched: Searched) -> None:
        """Candidates for heads in turned pictures; the unlikely are left out."""
        candidates = searched.candidates
        if self._frames:
            candidates = candidates[plausible_faces(candidates, self._frames[-1].size, self._config.face)]
        candidates = candidates[candidates.box[:, 3] - candidates.box[:, 1] <= self._largest_head]
        self._still.search(candidates, searched.time)

    def turned(self) -> None:
        """The camera looks elsewhere: what is known of places is of no use."""
        self._still.forget()
        self._unchanged.forget()

    def cover(self, numbers: Collection[int]) -> None:
        """These frames are covered whole, whatever is known of them."""
        for moment in self._frames:
            moment.decided |= moment.number in numbers
        self._forget()

    def distrust(self, numbers: Collection[int]) -> None:
        """Damage reaches these frames."""
        for moment in self._frames:
            moment.corrupt |= moment.number in numbers

    @property
    def _largest_head(self) -> float:
        """How high a head may be here, in pixels, by those of people who were clearly seen."""
        if not len(self._sizes):
            return np.inf
        return float(self._config.static_heads.largest_heads * np.percentile(self._sizes, USUAL_PERCENTILE))

    def _note_sizes(self, followed: Followed) -> None:
        """Head heights of people who are clearly seen, for what else may be a head."""
        persons = followed.observed.read(PERSONS)
        clear = persons.score[followed.heads.detection] >= self._config.tracking.high_score
        self._sizes.extend(followed.heads.size[clear].tolist())
        heads = followed.observed.read(HEADS)
        sure = heads.box[heads.score >= self._config.pose.known_head_score]  # whose keypoints nobody looks for
        self._sizes.extend(longer_side(sure).tolist())

    def decide(self, numbers: Collection[int], more: Mapping[int, Regions]) -> Decided:
        """Decide about some frames; those that cannot be judged are covered whole.

        Args:
            numbers: of the frames.
            more: what others want covered, by frame.
        """
        due = [moment for moment in self._frames if moment.number in numbers]
        judged = self._judged(due)
        decided: dict[int, Regions | None] = {}
        last = Regions.empty()
        if any(judged):
            followed = self.follow()
            self._note_sizes(followed)
            placed = self._place(followed)
            place_of = {moment.number: place for place, moment in enumerate(self._frames)}
            looks = {sight.number: sight for sight in self._looks}
        for moment, is_judged in zip(due, judged, strict=True):
            moment.decided = True
            decided[moment.number] = None
            if not is_judged:
                continue
            place = place_of[moment.number]
            here = placed[slice(*np.searchsorted(placed.frame, [place, place + 1]))]
            if (sight := looks.get(moment.number)) is not None and sight.grey is not None:
                heads = _heads_found(followed, here, place, self._config.tracking.new_track_score)
                heads = heads[
                    longer_side(heads) <= self._config.regions.head_scale * self._largest_head
                ]  # others: no idea
                self._unchanged.see(sight.grey, moment.size, heads, moment.time)
            others = [more[moment.number]] if moment.number in more else []
            last = Regions.concat([here, self._still.regions(moment.time), self._kept(moment), *others])
            decided[moment.number] = last
        if any(judged):
            self._still.see(last, due[-1].time)
        self._forget()
        return Decided(decided, last)

    def _kept(self, moment: Moment) -> Regions:
        """Places that look in the looks before and after a frame as they did when a head was found there."""
        following = next((sight for sight in self._looks if sight.time > moment.time and sight.grey is not None), None)
        boxes = [self._unchanged.boxes()]
        if following is not None and following.grey is not None:
            boxes.append(self._unchanged.boxes_in(following.grey, moment.size))
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

    def _judged(self, due: Sequence[Moment]) -> list[bool]:
        """Which frames lie between two looks that may be believed and are near enough to tell what was there."""
        looked = np.array([sight.time for sight in self._looks])
        if not len(looked):
            return [False] * len(due)
        times = np.array([moment.time for moment in due])
        after = np.searchsorted(looked, times - SAME_S)
        before = np.searchsorted(looked, times + SAME_S, side="right") - 1
        between = (before >= 0) & (after < len(looked))
        gap = looked[np.minimum(after, len(looked) - 1)] - looked[np.maximum(before, 0)]
        believed = np.array([sight.believed for sight in self._looks])
        known = between & (gap <= self._live.looking.longest_gap_s + SAME_S)
        known &= believed[np.maximum(before, 0)] & believed[np.minimum(after, len(looked) - 1)]
        return [bool(each) and not moment.corrupt for each, moment in zip(known, due, strict=True)]

    def _observed(self) -> Observed:
        moments = list(self._frames)
        place_of = {moment.number: place for place, moment in enumerate(moments)}
        flags = [int(FrameFlag.CORRUPT) if moment.corrupt else 0 for moment in moments]
        found = Observations()
        for sight in self._looks:
            if (place := place_of.get(sight.number)) is None:
                continue
            flags[place] |= sight.flags
            tables = {name: [_in_frame(table, place)] for name, table in sight.tables.items() if len(table)}
            found.add(Observations([place], [sight.flags], tables))
        times = np.array([moment.time for moment in moments])
        record = Frames(
            frame=np.arange(len(times)), pts=np.arange(len(times)), time=times - times[0], flags=np.array(flags, int)
        )
        return Observed(record, moments[-1].size, found.table)

    def _forget(self) -> None:
        """Let go of what lies too far before the first frame that is still to be decided about."""
        if not self._frames:
            return
        oldest = next((moment.time for moment in self._frames if not moment.decided), self._frames[-1].time)
        first = oldest - self._live.window.past_s
        while self._frames[0].time < first:
            self._frames.popleft()
        while self._looks and self._looks[0].time < first:
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
