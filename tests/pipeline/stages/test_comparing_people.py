"""People's looks are noted where two cameras can compare them, at rows of the detections that they belong to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from or_mv_anon.core.config import load_config
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.records import Detections, Embeddings
from or_mv_anon.core.run_layout import EMBEDDINGS, PERSONS
from or_mv_anon.models.network_file import Engine
from or_mv_anon.pipeline import pipeline, spec, weights
from or_mv_anon.pipeline.options import Options
from or_mv_anon.pipeline.pipeline import SessionOutcome
from or_mv_anon.pipeline.spec import RunSpec
from or_mv_anon.pipeline.weights import EMBEDDER_ROLE, Weights, network_files, weights_for_session
from or_mv_anon.regions.observe import Observations, plan_schedule
from or_mv_anon.site import Camera, Kind, Session, Site

WEIGHTS = [Weights(role, role, f"{role}.onnx", "0" * 64, "") for role in ("detector", "pose", "face", EMBEDDER_ROLE)]


def session(*kinds: Kind) -> Session:
    cameras = tuple(Camera(name=f"cam{i}", files=Path(f"cam{i}.mp4"), kind=kind) for i, kind in enumerate(kinds))
    return Session(name="morning", cameras=cameras)


def findings(rows: list[list[float]]) -> Observations:
    """One frame per entry, with an embedding for every detection from 0.5 on."""
    found = Observations()
    for scores in rows:
        kept = np.flatnonzero(np.array(scores) >= 0.5)
        vectors = np.zeros((len(kept), 512), np.float32)
        vectors[:, 0] = np.array(scores)[kept]
        found.add(
            Observations(
                tables={
                    "persons": [Detections(frame=np.zeros(len(scores)), box=np.zeros((len(scores), 4)), score=scores)],
                    "embeddings": [Embeddings(detection=kept, vector=vectors)],
                }
            )
        )
    return found


def test_embeddings_keep_their_detections_when_findings_are_joined() -> None:
    found = findings([[0.9, 0.2], [], [0.1, 0.6, 0.7]])
    found.add(findings([[0.3], [0.8]]))
    persons, embeddings = found.table(PERSONS), found.table(EMBEDDINGS)
    assert isinstance(persons, Detections)
    assert isinstance(embeddings, Embeddings)
    np.testing.assert_array_equal(persons.score[embeddings.detection], embeddings.vector[:, 0])
    assert len(embeddings) == 4


def test_people_are_looked_at_where_they_are_detected() -> None:
    config = load_config(None, {"appearance": {"interval_s": 0.5}, "detection": {"interval_s": 0.15}})
    times = np.arange(300) / 30
    schedule = plan_schedule(times, config, first=30, stop=270)
    assert (schedule["embeddings"] <= schedule["persons"]).all()
    assert schedule["embeddings"].sum() == pytest.approx(8 / 0.5, abs=2)


@pytest.mark.parametrize(
    ("kinds", "compared"),
    [
        (("room", "room"), True),
        (("room",), False),
        (("room", "endoscope"), False),
        (("room", "endoscope", "room"), True),
    ],
)
def test_the_embedder_runs_where_two_cameras_show_the_room(kinds: tuple[Kind, ...], compared: bool) -> None:
    found = weights_for_session(WEIGHTS, session(*kinds))
    files = network_files(found, Engine()).by_role
    assert (EMBEDDER_ROLE in files) == compared
    assert [entry for entry in found if entry.role != EMBEDDER_ROLE] == WEIGHTS[:3]


@pytest.fixture
def roles(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The networks that a run over one session with two cameras was about to use."""
    used: list[str] = []

    def note(session: Session, out: Path, _: Options, asked: RunSpec, executor: object) -> SessionOutcome:
        used.extend(entry.role for entry in asked.weights)
        return SessionOutcome(session.name, out, well=True)

    monkeypatch.setattr(
        pipeline, "discover", lambda _: Site(path=Path("in"), name="in", sessions=(session("room", "room"),))
    )
    monkeypatch.setattr(spec, "find_weights", lambda *_: WEIGHTS[:3])
    monkeypatch.setattr(pipeline, "_anonymize_session", note)
    return used


def test_a_run_goes_on_without_an_embedder_and_says_so(
    roles: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def nowhere(*_: Any, **__: Any) -> Path:
        raise UserError("osnet is not here.")

    monkeypatch.setattr(weights, "fetch", nowhere)
    assert pipeline.anonymize_site(Options(videos=Path("in"), out=Path("out"))) == 0
    assert "osnet is not here" in capsys.readouterr().out
    assert roles == ["detector", "pose", "face"]


def test_a_run_uses_the_embedder_that_is_there(roles: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "fetch", lambda *_, **__: Path("osnet.pt"))
    assert pipeline.anonymize_site(Options(videos=Path("in"), out=Path("out"))) == 0
    assert roles == ["detector", "pose", "face", EMBEDDER_ROLE]
