"""Hands results out: copies what is complete, verified and signed, and a manifest that says what it is; or nothing.

Every file is hashed while it is copied and compared with what the run noted when it had checked the file, so what
arrives is what was reviewed. The destination appears whole under its name, or not at all.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from or_mv_anon import __version__
from or_mv_anon.audit.cases import read_cases
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.files import explained, partial_path, publish, sync
from or_mv_anon.core.lock import hold
from or_mv_anon.core.run_layout import AUDIT_RECORD, CORRECTIONS, STORE_FOLDER
from or_mv_anon.core.seals import Seal, fingerprint
from or_mv_anon.core.store import RunStore
from or_mv_anon.corrections.log import START, Line, log_file, read, standing
from or_mv_anon.corrections.persons import about_camera
from or_mv_anon.review.signature import SIGNATURE, sign
from or_mv_anon.review.signoff import CameraState, CaseState, camera_states, case_states

SCHEMA = "or_mv_anon/release/1"
RELEASE = "release.json"
BLOCK = 1 << 20  # bytes copied at once
SHOWN = 5  # reasons in one sentence


@dataclass(frozen=True)
class Released:
    """What was handed out.

    Attributes:
        folder: where.
        files: their names.
        reviewers: who signed, over all cameras.
    """

    folder: Path
    files: tuple[str, ...]
    reviewers: tuple[str, ...]


@dataclass(frozen=True)
class _Reviewed:
    """A run as it is to be released."""

    store: RunStore
    outputs: dict[str, tuple[str, Seal]]  # camera -> name of its file or folder, and its seal
    cases: list[CaseState]
    cameras: list[CameraState]
    lines: list[Line]
    audit: dict[str, Any]


def release(
    out: Path, destination: Path, *, severity: float = 0.0, reviewers: int = 1, key: Path | None = None
) -> Released:
    """Copy a session's outputs and a manifest to a new folder.

    Args:
        out: output folder of one session.
        destination: made; must not be there.
        severity: cases above it must be accepted or corrected: expected seconds of exposed faces.
        reviewers: different people who must have accepted every camera.
        key: an Ed25519 private key (PEM) to sign the manifest with.

    Raises:
        UserError: something stands against it; nothing was written.
    """
    if destination.exists():
        raise UserError(f"{destination} is there already; expected the name of a new folder.")
    if destination.absolute().is_relative_to(out.absolute()):
        raise UserError(f"{destination} lies in the output folder itself; choose a folder elsewhere.")
    if not (out / STORE_FOLDER).is_dir():
        raise UserError(f"{out} is no output folder of one session of or-mv-anon anonymize, or it was purged.")
    with hold(out, make=False):
        run = _reviewed(out)
        against = objections(run.cases, run.cameras, severity=severity, reviewers=reviewers) + _unfit(run)
        if against:
            more = f"; and {len(against) - SHOWN} more" if len(against) > SHOWN else ""
            raise UserError(f"{out} cannot be released: {'; '.join(against[:SHOWN])}{more}.")
        partial = partial_path(destination)
        with explained(partial):
            partial.mkdir(parents=True)
        try:
            _fill(partial, out, run, severity=severity, key=key)
            with explained(destination):
                publish(partial, destination)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
    names = tuple(sorted(str(path.relative_to(destination)) for path in destination.rglob("*") if path.is_file()))
    people = dict.fromkeys(name for camera in run.cameras for name in camera.reviewers)
    return Released(destination, names, tuple(people))


def objections(
    cases: Sequence[CaseState], cameras: Sequence[CameraState], *, severity: float, reviewers: int
) -> list[str]:
    """What in the review stands against a release, as parts of a sentence."""
    against = []
    for each in cases:
        if each.state in ("open", "seen") and each.case.severity > severity:
            against.append(
                f"case {each.case.id} is {each.state} (about {each.case.severity:.2g} s of exposed faces expected, "
                f"at {each.case.start:.1f} s in {', '.join(each.case.cameras)})"
            )
    for camera in cameras:
        if camera.unseen:
            count = len(camera.unseen)
            against.append(
                f"nobody has accepted {camera.camera} after {count} correction{'' if count == 1 else 's'} of it"
            )
        elif len(camera.reviewers) < reviewers:
            found = ", ".join(camera.reviewers) or "nobody"
            against.append(f"{camera.camera} as it is now was accepted by {found}, {reviewers} needed")
    return against


def output_seals(store: RunStore) -> dict[str, tuple[str, Seal]]:
    """Every camera's finished output: its name beside the store, and what it holds."""
    found = {}
    for stage, entry in store.manifest.stages.items():
        camera, _, name = stage.partition("/")
        if name == "finish":
            ((file, seal),) = entry.files.items()
            found[camera] = file.removeprefix("../"), seal
    return found


def _reviewed(out: Path) -> _Reviewed:
    store = RunStore.open(out / STORE_FOLDER)
    outputs = output_seals(store)
    lines = read(out)
    try:
        audit = json.loads((out / AUDIT_RECORD).read_bytes())
    except (OSError, ValueError) as error:
        raise UserError(f"{out / AUDIT_RECORD} cannot be read ({error}); run the anonymizer again.") from error
    if not store.owns(f"../{AUDIT_RECORD}"):
        raise UserError(f"{out / AUDIT_RECORD} was changed after it was written; run the anonymizer again.")
    cases = case_states(read_cases(store), lines)
    cameras = camera_states({camera: seal.sha256 for camera, (_, seal) in outputs.items()}, lines)
    return _Reviewed(store, outputs, cases, cameras, lines, audit)


def _unfit(run: _Reviewed) -> list[str]:
    """What the run itself says against a release, as parts of a sentence."""
    against = []
    recorded = [each["camera"] for each in run.audit["inputs"]]
    written = {each["camera"]: each for each in run.audit["outputs"]}
    for camera in recorded:
        if camera not in run.outputs or camera not in written:
            against.append(f"{camera} has no finished output")
        elif not written[camera]["verified"]:
            against.append(f"{camera} is not verified")
        elif written[camera]["sha256"] != run.outputs[camera][1].sha256:
            against.append(f"the audit is about another output of {camera}; run the anonymizer again")
    if not recorded:
        against.append("it has no camera")
    against += [f"nothing is known of {camera}'s recording" for camera in run.outputs if camera not in recorded]
    for camera, (name, _) in run.outputs.items():
        if not run.store.owns(f"../{name}"):
            against.append(f"{name} was changed after it was finished")
        wanted = [line.id for line in about_camera(standing(run.lines), camera)]
        if run.store.facts(f"{camera}/place").get("corrections", []) != wanted:
            against.append(f"corrections of {camera} are not rendered yet; run or-mv-anon render")
    return against


def _fill(partial: Path, out: Path, run: _Reviewed, *, severity: float, key: Path | None) -> None:
    files = {}
    for camera, (name, seal) in sorted(run.outputs.items()):
        copied = _copy(out / name, partial / name)
        target = partial / name
        content = fingerprint(target)[0] if target.is_dir() else copied[0][1]
        if content != seal.sha256:
            raise UserError(f"{out / name} is not what was reviewed; nothing was released.")
        for path, digest, size in copied:
            files[str(path.relative_to(partial))] = {"camera": camera, "sha256": digest, "bytes": size}
    if run.lines:
        ((path, digest, size),) = _copy(log_file(out), partial / CORRECTIONS)
        files[path.name] = {"sha256": digest, "bytes": size}
    manifest = {
        "schema": SCHEMA,
        "tool_version": __version__,
        "released": datetime.now(UTC).isoformat(timespec="seconds"),
        "files": files,
        "log": {"lines": len(run.lines), "head": run.lines[-1].sha256 if run.lines else START},
        "severity": severity,
        "cases": [
            {"id": each.case.id, "state": each.state, "severity": each.case.severity, "reviewers": each.reviewers}
            for each in run.cases
        ],
        "cameras": [{"camera": each.camera, "reviewers": each.reviewers} for each in run.cameras],
    }
    data = json.dumps(manifest, indent=1, allow_nan=False).encode() + b"\n"
    _write(partial / RELEASE, data)
    if key is not None:
        _write(partial / SIGNATURE, sign(data, key))


def _copy(source: Path, target: Path) -> list[tuple[Path, str, int]]:
    """Copy a file, or a folder's files, with the SHA-256 and size of what was copied; links are not followed."""
    if source.is_dir() and not source.is_symlink():
        with explained(target):
            target.mkdir()
        return [copied for path in sorted(source.iterdir()) for copied in _copy(path, target / path.name)]
    if source.is_symlink() or not source.is_file():
        raise UserError(f"{source} is no file; nothing was released.")
    digest, size = hashlib.sha256(), 0
    with explained(target), source.open("rb") as read_from, target.open("xb") as written:
        while data := read_from.read(BLOCK):
            digest.update(data)
            written.write(data)
            size += len(data)
    sync(target)
    return [(target, digest.hexdigest(), size)]


def _write(path: Path, data: bytes) -> None:
    with explained(path):
        path.write_bytes(data)
    sync(path)
