"""The main job: every session of a site is planned, shown, run and accounted for."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from or_mv_anon.audit.document import Audit, verdict
from or_mv_anon.core.by_products import discard_by_products
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.executor import Executor
from or_mv_anon.core.files import explained, move_aside
from or_mv_anon.core.listening import Status, tell
from or_mv_anon.core.lock import hold
from or_mv_anon.core.printable import printable
from or_mv_anon.core.run_layout import INDEX
from or_mv_anon.core.workers import available_cores
from or_mv_anon.pipeline.alarms import NOT_ANONYMIZED
from or_mv_anon.pipeline.asked import remember
from or_mv_anon.pipeline.executors import located, open_executor
from or_mv_anon.pipeline.media import discard
from or_mv_anon.pipeline.options import Options
from or_mv_anon.pipeline.plan import SessionPlan, plan_session, refuse_recordings_folder
from or_mv_anon.pipeline.preview import preview_session
from or_mv_anon.pipeline.probe_models import ProbeModels
from or_mv_anon.pipeline.profiles import new_context, run_session
from or_mv_anon.pipeline.report import write_session_audit
from or_mv_anon.pipeline.sessions import run_sessions
from or_mv_anon.pipeline.spec import RunSpec, effective_config, resolve
from or_mv_anon.site import Session, Site, describe, discover


@dataclass(frozen=True)
class SessionOutcome:
    """How a session went.

    Attributes:
        name: of the session.
        out: folder of its results.
        well: whether nothing needs a look.
        audit: of a run; None of a look before it, and where nothing could be done.
        error: why nothing could be done.
    """

    name: str
    out: Path
    well: bool
    audit: Audit | None = None
    error: str = ""


def anonymize_site(options: Options) -> int:
    """Anonymize every session of a site.

    Returns:
        The exit code: 0 when all is well, 1 when something needs a look (it is told and in the audit).

    Raises:
        UserError: nothing could be done.
    """
    return 0 if all(outcome.well for outcome in run_site(options)) else 1


def run_site(options: Options) -> list[SessionOutcome]:
    """The same, for callers who want to know more than a code.

    Raises:
        UserError: nothing could be done.
    """
    options = located(options)
    config = effective_config(options)  # settings that cannot be are told before any recording is looked at
    site = discover(options.videos)
    for note in site.notes:
        tell(f"- {printable(note)}")
    spec = resolve(options, config, site.sessions)
    if options.method == "none":
        tell(f"warning: {NOT_ANONYMIZED}", problem=True)
    looking = options.dry_run or options.preview  # at little, so here
    with (
        nullcontext() if options.dry_run else hold_outputs(site, options.out),
        nullcontext() if looking else open_executor(spec) as executor,
    ):
        return _anonymize_sessions(site, options, spec, executor)


def _anonymize_sessions(site: Site, options: Options, spec: RunSpec, executor: Executor | None) -> list[SessionOutcome]:
    def anonymize(number: int) -> SessionOutcome:
        session = site.sessions[number]
        out = options.out / session.name if len(site.sessions) > 1 else options.out
        try:
            with nullcontext() if options.dry_run else hold(out):
                return _anonymize_session(session, out, options, spec, executor)
        except UserError as error:
            if len(site.sessions) == 1:
                raise
            tell(f"error: session {printable(session.name)}: {error}", problem=True)
            return SessionOutcome(session.name, out, well=False, error=str(error))

    names = [session.name for session in site.sessions]
    return run_sessions(names, anonymize, judge=_status, executor=executor)


def _status(outcome: SessionOutcome) -> Status:
    return "failed" if outcome.error else "done" if outcome.well else "problems"


def hold_outputs(site: Site, out: Path) -> AbstractContextManager[None]:
    """Keep other runs out of the output folder.

    Raises:
        UserError: another run is writing there, or it is a folder of recordings.
    """
    for session in site.sessions:
        refuse_recordings_folder(session, out)
    return hold(out)


def _anonymize_session(
    session: Session, out: Path, options: Options, spec: RunSpec, executor: Executor | None
) -> SessionOutcome:
    if options.dry_run:
        from or_mv_anon.pipeline.estimate import estimate_session  # a third of a second that other runs need not wait

        with tempfile.TemporaryDirectory(prefix="or_mv_anon-") as nowhere:  # a dry run leaves nothing behind
            plan = _show_plan(plan_session(session, out, spec, store=Path(nowhere)))
            estimate_session(plan, ProbeModels(spec, threads=1))
        return SessionOutcome(session.name, out, well=not plan.problems)
    plan = _show_plan(plan_session(session, out, spec, afresh=options.overwrite))
    refuse_foreign_files(plan, options)
    if options.preview:
        preview_session(plan, ProbeModels(spec, threads=available_cores()))
        return SessionOutcome(session.name, out, well=not plan.problems)
    run = new_context(plan, spec)
    remember(options, out)
    run_session(run, render_only=options.render_only, executor=executor)
    audit = write_session_audit(run)
    return SessionOutcome(session.name, out, well=verdict(audit).well, audit=audit)


def _show_plan(plan: SessionPlan) -> SessionPlan:
    """Print what was found before any work.

    Raises:
        UserError: there is nothing to work on.
    """
    if not plan.cameras:
        raise UserError(" ".join(plan.problems))
    tell(describe(plan.usable, plan.facts))
    for sentence in [*plan.problems, *plan.notes]:
        tell(f"- {printable(sentence)}")
    return plan


def refuse_foreign_files(plan: SessionPlan, options: Options) -> None:
    """Keep what this tool did not write; with --overwrite its own earlier results of these cameras go.

    Raises:
        UserError: an output's place is taken.
    """
    store = plan.store
    taken = [camera for camera in plan.cameras if os.path.lexists(camera.destination)]
    for camera in taken:
        if not store.wrote(camera.output):
            raise UserError(
                f"{camera.destination} exists and is not from an earlier run; move it away, or choose another --out "
                "(--overwrite keeps it, too)."
            )
    if options.overwrite:
        own = [camera.destination for camera in taken if store.owns(camera.output)]
        for camera in taken:
            if camera.destination not in own:
                keep_aside(camera.destination)
        start_afresh(plan, own)


def keep_aside(place: Path) -> None:
    """Give what this tool did not write, or what was changed since, another name, and say so.

    Raises:
        UserError: it cannot be renamed.
    """
    kept = move_aside(place)
    tell(f"- {printable(place)} is not what this tool wrote; it is kept as {printable(kept.name)}.")


def start_afresh(plan: SessionPlan, own: Sequence[Path]) -> None:
    """Discard earlier results of a plan's cameras; those of other cameras stay.

    Args:
        plan: of the session.
        own: results that are known to be this tool's.

    Raises:
        UserError: something cannot be removed.
    """
    names = [camera.camera.name for camera in plan.cameras]
    discard_by_products(plan.store, names, keep=[INDEX.file(name) for name in names])
    for place in own:
        with explained(place):
            discard(place)
