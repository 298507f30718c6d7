"""The stages between analysis and rendering, with several cameras: what one stores the next one covers."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from or_mv_anon.association.recover import Recovered
from or_mv_anon.association.views import Association, PairGeometry, View
from or_mv_anon.core.config import PipelineConfig, load_config
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.executor import InProcess
from or_mv_anon.core.records import (
    Detections,
    Disagreements,
    Embeddings,
    FrameFlag,
    Frames,
    Identities,
    Provenance,
    Regions,
    Tracks,
    TransferredHeads,
)
from or_mv_anon.core.run_layout import (
    BACKGROUNDS,
    CAMERA_AUDIT,
    EDGE_HEADS,
    EMBEDDINGS,
    FACES,
    FRAMES,
    HEADS,
    IDENTITIES,
    KEYPOINTS,
    PASSING_HEADS,
    PERSONS,
    RECOVERED,
    REGIONS,
    STATIC_HEADS,
    TRACKS,
    TRANSFERRED,
)
from or_mv_anon.core.store import RunStore
from or_mv_anon.endoscopy.settings import load_endoscopy_config
from or_mv_anon.pipeline.context import RunContext
from or_mv_anon.pipeline.media import CameraPlan, index_camera
from or_mv_anon.pipeline.plan import SessionPlan
from or_mv_anon.pipeline.profiles import new_context
from or_mv_anon.pipeline.runner import run_stages
from or_mv_anon.pipeline.spec import RunSpec
from or_mv_anon.pipeline.stages import associate, place, track
from or_mv_anon.pipeline.stages.associate import ASSOCIATE, AssociateStage
from or_mv_anon.pipeline.stages.place import PLACE, read_camera_audit
from or_mv_anon.pipeline.stages.track import TRACK
from or_mv_anon.site import Camera, Session
from or_mv_anon.video.encoding import choose_encoder
from or_mv_anon.video.segments import Segment
from tests.clips import write_clip
from tests.vouching import vouch

COUNT, RATE = 20, 5
SIZE = (96, 64)
PERSON = (10.0, 10.0, 40.0, 60.0)
ELSEWHERE = (70.0, 10.0, 90.0, 30.0)
CONFIG = load_config()


def everywhere(box: tuple[float, ...], score: float) -> Detections:
    """Somebody at the same place in every frame."""
    return Detections(frame=np.arange(COUNT), box=np.tile(box, (COUNT, 1)), score=np.full(COUNT, score))


def analysed(
    folder: Path, name: str, store: RunStore, *, offset: float = 0.0, besides: Detections | None = None
) -> CameraPlan:
    """A camera whose analysis is stored: one person in every frame, and what was found besides."""
    clip = write_clip(folder / f"{name}.mp4", frames=COUNT, rate=RATE, size=SIZE)
    camera = Camera(name=name, files=clip, offset=offset)
    index = index_camera(camera, store)
    segment = Segment(0, 0, COUNT)
    plan = CameraPlan(camera, store.root, (segment,), 0, choose_encoder(index), folder / "out.mp4")  # type: ignore[arg-type]
    frame = np.arange(COUNT)
    flags = np.full(COUNT, int(FrameFlag.PERSONS | FrameFlag.FACES | FrameFlag.STATIC_HEADS))
    store.write(plan.file(FRAMES, segment), Frames(frame=frame, pts=frame, time=frame / RATE, flags=flags))
    persons = Detections.concat([everywhere(PERSON, 0.9), besides or Detections.empty()])
    store.write(plan.file(PERSONS, segment), persons[np.argsort(persons.frame, kind="stable")])
    for table in (HEADS, PASSING_HEADS, EDGE_HEADS, FACES, STATIC_HEADS, BACKGROUNDS, KEYPOINTS):
        store.write(plan.file(table, segment), table.record.empty())
    store.write(plan.file(EMBEDDINGS, segment), Embeddings.empty())
    vouch(store)
    return plan


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore.open(tmp_path / "stages")


@pytest.fixture
def plans(tmp_path: Path, store: RunStore) -> tuple[CameraPlan, ...]:
    made = tuple(analysed(tmp_path, f"cam{n}", store, offset=0.1 * n) for n in range(2))
    for plan in made:
        track.track(track.TrackJob(plan, CONFIG))
    vouch(store)
    return made


def one_person(views: list[View], *_: object, **__: object) -> Association:
    """Everybody is the same person; the geometry is refused."""
    names = (views[0].name, views[1].name)
    return Association(
        identities={
            view.name: Identities(
                track=view.tracks, identity=np.zeros(len(view.tracks)), confidence=np.ones(len(view.tracks))
            )
            for view in views
        },
        pairs={},
        geometry={names: (PairGeometry(views=names, matrix=None, start=0, stop=20, problem="Too few people."),)},
        notes=("Nobody moved.",),
    )


@pytest.fixture
def fake_association(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(associate, "associate", one_person)


@pytest.mark.usefixtures("fake_association")
def test_what_is_stored_for_every_camera(plans: tuple[CameraPlan, ...], store: RunStore) -> None:
    done = associate.associate_session(associate.AssociateJob(plans, CONFIG))
    vouch(store)
    for plan in plans:
        alone, together = (store.read(plan.file(name), Tracks) for name in (TRACKS, RECOVERED))
        assert (alone.box == together.box).all()
        assert store.read(plan.file(IDENTITIES), Identities).identity.tolist() == [0]
        assert len(store.read(plan.file(TRANSFERRED), TransferredHeads)) == 0
    pairs = json.loads((store.root / "geometry.json").read_text())["pairs"]
    assert [(pair["views"], pair["matrix"]) for pair in pairs] == [(["cam0", "cam1"], None)]
    audit = done.association
    assert audit.notes == ("Nobody moved.",)
    assert [(pair.trusted, pair.problem) for pair in audit.pairs] == [(False, "Too few people.")]
    assert [(camera.camera, camera.shared, camera.transferred) for camera in audit.cameras] == [
        ("cam0", 1, 0),
        ("cam1", 1, 0),
    ]


@pytest.mark.usefixtures("fake_association")
@pytest.mark.parametrize("confirmed", [False, True])
def test_a_weak_candidate_is_somebody_only_where_other_cameras_confirm_it(
    tmp_path: Path, store: RunStore, monkeypatch: pytest.MonkeyPatch, *, confirmed: bool
) -> None:
    weak = everywhere(ELSEWHERE, 0.3)
    plans = tuple(analysed(tmp_path, f"cam{n}", store, besides=weak) for n in range(2))
    for plan in plans:
        track.track(track.TrackJob(plan, CONFIG))
    vouch(store)
    recover = associate.recover

    def confirming(*arguments: Any) -> Recovered:
        found = recover(*arguments)
        seen = (found.tracks.provenance == Provenance.TRACKED) & confirmed
        provenance = np.where(seen, Provenance.CROSS_VIEW, found.tracks.provenance)
        return dataclasses.replace(found, tracks=found.tracks.replace(provenance=provenance))

    monkeypatch.setattr(associate, "recover", confirming)
    associate.associate_session(associate.AssociateJob(plans, CONFIG))
    vouch(store)
    for plan in plans:
        followed = store.read(plan.file(RECOVERED), Tracks)
        people = store.read(plan.file(IDENTITIES), Identities).track
        clear = np.unique(followed.track[followed.score >= CONFIG.tracking.new_track_score])
        assert (len(np.unique(followed.track)), len(clear)) == (2, 1), "the candidate is followed all the same"
        assert set(people.tolist()) == set(np.unique(followed.track if confirmed else clear).tolist())


@pytest.mark.usefixtures("fake_association")
def test_association_without_news_covers_what_each_camera_covers_alone(
    plans: tuple[CameraPlan, ...], store: RunStore
) -> None:
    associate.associate_session(associate.AssociateJob(plans, CONFIG))
    vouch(store)
    found = []
    for associated in (False, True):
        place.place(place.PlaceJob(plans[0], CONFIG, associated=associated))
        vouch(store)
        found.append(store.read(plans[0].file(REGIONS, plans[0].segments[0]), Regions))
        (store.root / plans[0].file(REGIONS, plans[0].segments[0])).unlink()
        (store.root / plans[0].file(CAMERA_AUDIT)).unlink()
        vouch(store)
    assert (found[0].box == found[1].box).all()


@pytest.mark.usefixtures("fake_association")
def test_a_transferred_head_is_covered_and_a_disagreement_listed(
    plans: tuple[CameraPlan, ...], store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = np.arange(5, 10)

    def recover(camera: object, *_: object) -> Recovered:
        tracks: Tracks = camera.tracks  # type: ignore[attr-defined]
        new = Tracks(
            frame=frame,
            track=np.full(5, 7),
            box=np.tile((60, 5, 95, 60), (5, 1)),
            score=np.full(5, 0.8),
            provenance=np.full(5, Provenance.TRANSFERRED),
            detection=np.full(5, -1),
        )
        heads = TransferredHeads(
            frame=frame, track=np.full(5, 7), box=np.tile(ELSEWHERE, (5, 1)), uncertainty=np.full(5, 0.3)
        )
        return Recovered(
            tracks=Tracks.concat([tracks, new]),
            identities=Identities(track=[0, 7], identity=[0, 1], confidence=[1, 0.8]),
            heads=heads,
            disagreements=Disagreements(frame=[12, 13], identity=[3, 3], uncertainty=[1.4, 1.4]),
        )

    monkeypatch.setattr(associate, "recover", recover)
    associate.associate_session(associate.AssociateJob(plans, CONFIG))
    vouch(store)
    place.place(place.PlaceJob(plans[0], CONFIG, associated=True))
    vouch(store)
    regions = store.read(plans[0].file(REGIONS, plans[0].segments[0]), Regions)
    new = regions[regions.track == 7]
    assert new.frame.tolist() == frame.tolist()
    assert (new.box[:, :2] <= ELSEWHERE[:2]).all()
    assert (new.box[:, 2:] >= ELSEWHERE[2:]).all()
    assert (new.uncertainty == np.float32(0.3)).all()
    summary, risks = read_camera_audit(store, plans[0])
    assert summary.boxes_by_provenance["transferred"] == pytest.approx(5 / 25)
    assert [(risk.first_frame, risk.last_frame) for risk in risks if risk.reason == "seen_elsewhere"] == [(12, 13)]


def session_run(plans: tuple[CameraPlan, ...], store: RunStore, config: PipelineConfig = CONFIG) -> RunContext:
    cameras = tuple(plan.camera for plan in plans)
    plan = SessionPlan(Session(name="morning", cameras=cameras), store.root.parent, store, list(plans))
    for each in plans:
        store.finish(each.stage("hash"), "h", files=[], facts={"sha256": each.camera.name, "size": 1})
    return new_context(plan, RunSpec(config=config, endoscopy=load_endoscopy_config(None)))


def fingerprints(run: RunContext) -> dict[str, str]:
    tasks = [*TRACK.tasks(run), *ASSOCIATE.tasks(run), *PLACE.tasks(run)]
    return {task.stage: task.fingerprint for task in tasks}


@pytest.mark.parametrize(
    ("section", "change", "redone"),
    [
        ("association", {"instant_s": 0.4}, {"associate"}),
        ("recovery", {"transfer": False}, {"associate"}),
        ("regions", {"head_scale": 2.0}, {"place"}),
        ("tracking", {"pad_s": 0.7}, {"track", "associate", "place"}),
    ],
)
def test_a_changed_setting_redoes_its_own_stage_and_what_follows(
    plans: tuple[CameraPlan, ...], store: RunStore, section: str, change: dict[str, object], redone: set[str]
) -> None:
    changed = dataclasses.replace(CONFIG, **{section: dataclasses.replace(getattr(CONFIG, section), **change)})
    before, after = (fingerprints(session_run(plans, store, config)) for config in (CONFIG, changed))
    assert {stage.rpartition("/")[2] for stage in before if before[stage] != after[stage]} == redone


def test_regions_made_with_and_without_the_other_cameras_are_not_mixed_up(
    plans: tuple[CameraPlan, ...], store: RunStore
) -> None:
    run = session_run(plans, store)
    alone = PLACE.tasks(run)
    (task,) = ASSOCIATE.tasks(run)
    store.finish(task.stage, task.fingerprint, files=[])
    run.current.add(ASSOCIATE.name)
    together = PLACE.tasks(run)
    assert all(one.fingerprint != other.fingerprint for one, other in zip(alone, together, strict=True))
    assert [task.job.associated for task in together] == [True, True]


def test_one_camera_is_not_associated(plans: tuple[CameraPlan, ...], store: RunStore) -> None:
    assert ASSOCIATE.tasks(session_run(plans[:1], store)) == []


@pytest.mark.parametrize("error", [UserError("The geometry is gone."), ValueError("shapes")], ids=["user", "bug"])
def test_a_failing_association_costs_no_camera(
    plans: tuple[CameraPlan, ...], store: RunStore, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise error

    monkeypatch.setattr(AssociateStage, "run", staticmethod(fail))
    run = session_run(plans, store)
    run_stages(run, [ASSOCIATE], InProcess())
    assert run.healthy == list(plans)
    assert not run.is_current(ASSOCIATE.name)
    (problem,) = run.problems
    assert "one by one" in problem
    assert str(error) in problem
