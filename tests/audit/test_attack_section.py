"""The report's sections about drawn heads and about the attack on the output."""

import dataclasses
import json

import pytest

from or_mv_anon.audit.attack import AttackAudit
from or_mv_anon.audit.document import verdict
from or_mv_anon.audit.learned import DrawnHeads, LearnedAudit
from or_mv_anon.audit.report import write_audit
from tests.audit.audit_scenes import audit, camera, frames, track


def comparison(rank1, *, chance_high=0.3, probes=40):
    estimate = {"value": rank1, "low": None if rank1 is None else rank1 / 2, "high": rank1}
    tracks = {"people": 8, "probes": 9, "rank1": estimate, "chance1": 0.125, "chance1_interval": [0.0, chance_high]}
    return {"faces": {"probes": probes}, "tracks": tracks, "accepted": estimate}


def facts(**rank1):
    """What the attack notes, for one recognizer; without `rank1` nobody could be judged."""
    recognizers = {"sface": {name: comparison(value) for name, value in rank1.items()}} if rank1 else {}
    return {"cameras": 4, "tracks_followed": 30, "tracks_judged": 9, "people": 8, "recognizers": recognizers}


def report(tmp_path, **sections):
    content = dataclasses.replace(audit(camera("cam1", frames(20), track(2, 18))), **sections)
    write_audit(tmp_path / "audit.json", tmp_path / "report.html", content)
    return content, json.loads((tmp_path / "audit.json").read_text()), (tmp_path / "report.html").read_text()


def test_the_attack_is_told_with_chance_beside_it(tmp_path):
    found = AttackAudit.from_facts(facts(clear=0.9, naive=0.2, parrot=0.5))
    content, data, page = report(tmp_path, attack=found)
    assert [entry["matched"] for entry in data["attack"]["matched"]] == [0.9, 0.2, 0.5]
    assert [entry.above_chance for entry in found.matched] == [True, False, True]
    assert page.count(">within chance<") == 1
    assert page.count(">above chance<") == 1
    assert "9 of 30 tracks, 8 people" in page
    assert verdict(content).well, "how far recognizers get is a finding, not a fault of the run"


@pytest.mark.parametrize("noted", [facts(), facts(clear=None, naive=None, parrot=None)])
def test_nobody_to_attack_is_said(tmp_path, noted):
    _, data, page = report(tmp_path, attack=AttackAudit.from_facts(noted))
    assert "Attack on this output" in page
    assert all(entry["matched"] is None for entry in data["attack"]["matched"])


def test_drawn_heads_are_counted_with_the_reasons_against(tmp_path):
    learned = LearnedAudit(
        modifier="one<of>many",
        sees="picture",
        cells=6,
        codes=8,
        strict="solid",
        cameras=(
            DrawnHeads(camera="cam1", outcomes={"released": 30, "small": 10}),
            DrawnHeads(camera="cam2", outcomes={}),
        ),
    )
    _, data, page = report(tmp_path, learned=learned)
    assert data["learned"]["cameras"][0]["outcomes"] == {"released": 30, "small": 10}
    assert "75.0 %" in page
    assert "Too small" in page
    assert "Drawing failed" not in page, "reasons that never occurred are left out"
    assert "chose one of 8 heads" in page
    assert "one&lt;of&gt;many" in page


def test_runs_without_either_say_nothing_of_it(tmp_path):
    _, data, page = report(tmp_path)
    assert data["learned"] is None
    assert data["attack"] is None
    assert "Drawn heads" not in page
    assert "Attack on" not in page
