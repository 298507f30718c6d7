"""What is handed out was finished, verified and accepted as it is; a single doubt hands out nothing."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from or_mv_anon.audit.cases import Case, cases_json
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.run_layout import CASES
from or_mv_anon.core.store import RunStore
from or_mv_anon.corrections.actions import Accept, AcceptCamera, Action, Cover, Keyframe, Open, Seen, Withdraw
from or_mv_anon.corrections.log import append, read
from or_mv_anon.review.release import output_seals, release
from or_mv_anon.review.signoff import camera_states, case_states

COVER = Cover("cam1", (Keyframe(0.0, (0.0, 0.0, 9.0, 9.0)),))
CAMERAS = ("cam1", "cam2")


def case(name: str, severity: float) -> Case:
    return Case(
        id=name, start=1.0, end=2.0, cameras=("cam1",), identity=None, tracks=(), boxes={}, reasons=("x",),
        what="Look.", severity=severity, review_s=3.0,
    )  # fmt: skip


CASES_OF_RUN = [case("grave", 5.0), case("slight", 0.1)]


def finish(store: RunStore, camera: str, content: bytes, corrections: list[str] | None = None) -> None:
    """Put an output in place as a run does."""
    store.begin({f"{camera}/place": [], f"{camera}/finish": [f"../{camera}.mp4"]})
    store.finish(f"{camera}/place", "key", files=[], facts={"corrections": corrections or []})
    store.path(f"{camera}/joined.mp4").write_bytes(content)
    output = f"../{camera}.mp4"
    store.finish(f"{camera}/finish", "key", files=[output], moved={output: f"{camera}/joined.mp4"})


def audit(store: RunStore, *, verified: bool = True) -> None:
    outputs = [
        {"camera": camera, "sha256": seal.sha256, "verified": verified}
        for camera, (_, seal) in output_seals(store).items()
    ]
    content = {"inputs": [{"camera": camera} for camera in CAMERAS], "outputs": outputs}
    store.write_output("../audit.json", json.dumps(content).encode())
    store.save()


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A finished run of two cameras with two cases."""
    folder = tmp_path / "out"
    store = RunStore.open(folder / "stages")
    for camera in CAMERAS:
        finish(store, camera, f"the covered video of {camera}".encode() * 50)
    store.write_text(CASES.file(), cases_json(CASES_OF_RUN))
    store.finish("cases", "key", files=[CASES.file()])
    audit(store)
    return folder


def accept_all(out: Path, author: str = "A. Nurse") -> None:
    for each in CASES_OF_RUN:
        append(out, Accept(each.id), author=author)
    for camera, (_, seal) in output_seals(RunStore.open(out / "stages")).items():
        append(out, AcceptCamera(camera, seal.sha256), author=author)


def refused(out: Path, *words: str, **options: object) -> None:
    destination = out.parent / "released"
    with pytest.raises(UserError) as error:
        release(out, destination, **options)  # type: ignore[arg-type]
    assert [word for word in words if word not in str(error.value)] == [], error.value
    assert sorted(path.name for path in out.parent.iterdir()) == ["out"], "nothing is left behind"


def test_what_was_accepted_is_handed_out_with_its_hashes(out: Path, tmp_path: Path) -> None:
    accept_all(out)
    done = release(out, tmp_path / "released")
    assert done.reviewers == ("A. Nurse",)
    assert done.files == ("cam1.mp4", "cam2.mp4", "corrections.jsonl", "release.json")
    manifest = json.loads((tmp_path / "released" / "release.json").read_text())
    for name in ("cam1.mp4", "cam2.mp4", "corrections.jsonl"):
        data = (tmp_path / "released" / name).read_bytes()
        assert data == (out / name).read_bytes()
        assert manifest["files"][name]["sha256"] == hashlib.sha256(data).hexdigest()
    assert manifest["log"] == {"lines": 4, "head": read(out)[-1].sha256}
    assert read(tmp_path / "released") == read(out)


def test_nothing_reviewed(out: Path) -> None:
    refused(out, "case grave is open", "cam1 as it is now was accepted by nobody")


def test_slight_cases_may_stay_open_if_that_is_stated(out: Path) -> None:
    accept_all(out)
    append(out, Open("slight"), author="B")
    refused(out, "case slight is open")
    assert release(out, out.parent / "released", severity=0.5).files


@pytest.mark.parametrize("author", ["A. Nurse", "B. Doctor"])
def test_two_reviewers_are_two_people(out: Path, author: str) -> None:
    accept_all(out)
    accept_all(out, author)
    if author == "B. Doctor":
        assert release(out, out.parent / "released", reviewers=2).reviewers == ("A. Nurse", "B. Doctor")
    else:
        refused(out, "2 needed", reviewers=2)


def one_byte_changed(out: Path) -> None:
    data = bytearray((out / "cam1.mp4").read_bytes())
    data[7] ^= 1
    (out / "cam1.mp4").write_bytes(data)


def other_output(out: Path) -> None:
    store = RunStore.open(out / "stages")
    finish(store, "cam1", b"another video")
    audit(store)


def not_verified(out: Path) -> None:
    audit(RunStore.open(out / "stages"), verified=False)


def audit_edited(out: Path) -> None:
    (out / "audit.json").write_text((out / "audit.json").read_text() + " ")


def output_gone(out: Path) -> None:
    (out / "cam2.mp4").unlink()


def output_unfinished(out: Path) -> None:
    RunStore.open(out / "stages").withdraw(["cam2/finish"])


def correction_unseen(out: Path) -> None:
    append(out, COVER, author="B")


def correction_withdrawn(out: Path) -> None:
    line = append(out, COVER, author="B")
    for camera, (_, seal) in output_seals(RunStore.open(out / "stages")).items():
        append(out, AcceptCamera(camera, seal.sha256), author="A")
    append(out, Withdraw(line.id), author="B")


def correction_not_rendered(out: Path) -> None:
    append(out, COVER, author="B")
    for camera, (_, seal) in output_seals(RunStore.open(out / "stages")).items():
        append(out, AcceptCamera(camera, seal.sha256), author="A")


def log_edited(out: Path) -> None:
    path = out / "corrections.jsonl"
    path.write_text(path.read_text().replace("A. Nurse", "C. Nurse", 1))


def link(out: Path) -> None:
    data = (out / "cam1.mp4").read_bytes()
    (out / "stages" / "else.mp4").write_bytes(data)
    (out / "cam1.mp4").unlink()
    (out / "cam1.mp4").symlink_to(out / "stages" / "else.mp4")


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (one_byte_changed, "cam1.mp4 was changed"),
        (other_output, "cam1 as it is now was accepted by nobody"),
        (not_verified, "not verified"),
        (audit_edited, "audit.json was changed"),
        (output_gone, "cam2.mp4 was changed"),
        (output_unfinished, "cam2 has no finished output"),
        (correction_unseen, "nobody has accepted cam1 after 1 correction"),
        (correction_withdrawn, "nobody has accepted cam1"),
        (correction_not_rendered, "not rendered"),
        (log_edited, "put it back"),
        (link, "cam1.mp4 was changed"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_one_doubt_hands_out_nothing(out: Path, change: Callable[[Path], None], word: str) -> None:
    accept_all(out)
    change(out)
    refused(out, word)


def test_a_destination_that_is_there_is_not_touched(out: Path) -> None:
    accept_all(out)
    with pytest.raises(UserError, match="there already"):
        release(out, out)
    with pytest.raises(UserError, match="lies in the output folder"):
        release(out, out / "released")


def test_a_file_that_changes_while_it_is_copied(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    accept_all(out)
    owns = RunStore.owns

    def then_changed(store: RunStore, name: str) -> bool:
        found = owns(store, name)
        if name == "../cam2.mp4":
            (out / "cam2.mp4").write_bytes(b"a face")
        return found

    monkeypatch.setattr(RunStore, "owns", then_changed)
    refused(out, "cam2.mp4 is not what was reviewed")


def test_the_signature_is_the_keys(out: Path, tmp_path: Path) -> None:
    pytest.importorskip("cryptography")
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (out / "stages" / "key.pem").write_bytes(key.private_bytes(*plain))
    accept_all(out)
    refused(out, "cannot be used", key=out / "no.pem")
    released = release(out, tmp_path / "released", key=out / "stages" / "key.pem").folder
    key.public_key().verify((released / "release.sig").read_bytes(), (released / "release.json").read_bytes())


STEPS: list[tuple[Action, str, str]] = [
    (Seen("grave"), "", "seen"),
    (COVER, "case grave: a face", "corrected"),
    (Accept("grave"), "", "accepted"),
    (Seen("grave"), "", "accepted"),
    (Open("grave"), "", "open"),
]


def test_a_case_goes_through_its_states(out: Path) -> None:
    for action, reason, expected in STEPS:
        append(out, action, author="A", reason=reason)
        (grave, slight) = case_states(CASES_OF_RUN, read(out))
        assert (grave.state, slight.state) == (expected, "open")


def test_a_withdrawn_acceptance_is_none(out: Path) -> None:
    line = append(out, AcceptCamera("cam1", "0" * 64), author="A")
    assert camera_states({"cam1": "0" * 64}, read(out))[0].state == "accepted"
    append(out, Withdraw(line.id), author="A")
    assert camera_states({"cam1": "0" * 64}, read(out))[0].state == "open"


def test_a_folder_of_pictures_is_handed_out_whole(out: Path, tmp_path: Path) -> None:
    store = RunStore.open(out / "stages")
    store.begin({"cam1/finish": ["../cam1.mp4"]})
    (out / "cam1.mp4").unlink()
    store.path("cam1/joined").mkdir(parents=True)
    for number in range(3):
        (store.place("cam1/joined") / f"{number}.png").write_bytes(bytes([number]) * 9)
    store.finish("cam1/finish", "key", files=["../cam1"], moved={"../cam1": "cam1/joined"})
    audit(store)
    accept_all(out)
    assert "cam1/2.png" in release(out, tmp_path / "released").files
    shutil.rmtree(tmp_path / "released")
    (out / "cam1" / "3.png").write_bytes(b"one more")
    refused(out, "cam1 was changed")
