"""The main job: every session of a site is planned, shown, run and accounted for."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from or_mv_anon.core.by_products import discard_by_products
from or_mv_anon.core.config import PipelineConfig
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.files import explained
from or_mv_anon.core.lock import hold
from or_mv_anon.core.printable import printable
from or_mv_anon.core.run_layout import INDEX
from or_mv_anon.core.workers import available_cores
from or_mv_anon.endoscopy.settings import EndoscopyConfig, load_endoscopy_config
from or_mv_anon.models.runtime import require_device
from or_mv_anon.pipeline.alarms import NOT_ANONYMIZED
from or_mv_anon.pipeline.estimate import estimate_session
from or_mv_anon.pipeline.learned_method import Learned, find_learned
from or_mv_anon.pipeline.media import discard
from or_mv_anon.pipeline.options import Options
from or_mv_anon.pipeline.plan import (
    SessionPlan,
    Weights,
    effective_config,
    find_weights,
    plan_session,
    refuse_recordings_folder,
    with_embedder,
)
from or_mv_anon.pipeline.preview import preview_session
from or_mv_anon.pipeline.probe_models import Looks
from or_mv_anon.pipeline.report import write_session_audit
from or_mv_anon.pipeline.runner import SessionRun
from or_mv_anon.pipeline.stages.attack import require_attackers
from or_mv_anon.site import Session, Site, describe, discover


def anonymize_site(options: Options) -> int:
    """Anonymize every session of a site.

    Returns:
        The exit code: 0 when all is well, 1 when something needs a look (it is printed and in the audit).

    Raises:
        UserError: nothing could be done.
    """
    config = effective_config(options)
    endoscopy = load_endoscopy_config(options.endoscope_config)
    site = discover(options.videos)
    for note in site.notes:
        print(f"- {printable(note)}")
    kinds = {camera.kind for session in site.sessions for camera in session.cameras}
    weights = []
    if not options.render_only:
        weights = with_embedder(find_weights(options, kinds), site.sessions, options, config)
    require_device(options.device)
    if options.method == "none":
        print(f"warning: {NOT_ANONYMIZED}", file=sys.stderr, flush=True)
    learned = find_learned(options, config)
    require_attackers(options, config.attack)
    with nullcontext() if options.dry_run else hold_outputs(site, options.out):
        return _anonymize_sessions(site, options, config, endoscopy, weights, learned)


def _anonymize_sessions(
    site: Site,
    options: Options,
    config: PipelineConfig,
    endoscopy: EndoscopyConfig,
    weights: list[Weights],
    learned: Learned | None,
) -> int:
    outcomes = []
    for session in site.sessions:
        out = options.out / session.name if len(site.sessions) > 1 else options.out
        try:
            with nullcontext() if options.dry_run else hold(out):
                outcomes.append(_anonymize_session(session, out, options, config, endoscopy, weights, learned))
        except UserError as error:
            if len(site.sessions) == 1:
                raise
            print(f"error: session {printable(session.name)}: {error}", file=sys.stderr)
            outcomes.append(False)
    return 0 if all(outcomes) else 1


def hold_outputs(site: Site, out: Path) -> AbstractContextManager[None]:
    """Keep other runs out of the output folder.

    Raises:
        UserError: another run is writing there, or it is a folder of recordings.
    """
    for session in site.sessions:
        refuse_recordings_folder(session, out)
    return hold(out)


def _anonymize_session(
    session: Session,
    out: Path,
    options: Options,
    config: PipelineConfig,
    endoscopy: EndoscopyConfig,
    weights: list[Weights],
    learned: Learned | None,
) -> bool:
    if options.dry_run:
        with tempfile.TemporaryDirectory(prefix="or_mv_anon-") as nowhere:  # a dry run leaves nothing behind
            plan = _show_plan(plan_session(session, out, options, config, store=Path(nowhere)))
            estimate_session(plan, Looks(weights, options, config, endoscopy, threads=1))
        return not plan.problems
    plan = _show_plan(plan_session(session, out, options, config))
    refuse_strangers(plan, options)
    if options.preview:
        preview_session(plan, Looks(weights, options, config, endoscopy, threads=available_cores()))
        return not plan.problems
    run = SessionRun(plan, options, config, weights, endoscopy, learned)
    run.run()
    return write_session_audit(run)


def _show_plan(plan: SessionPlan) -> SessionPlan:
    """Print what was found before any work.

    Raises:
        UserError: there is nothing to work on.
    """
    if not plan.cameras:
        raise UserError(" ".join(plan.problems))
    print(describe(plan.usable, plan.facts), flush=True)
    for sentence in [*plan.problems, *plan.notes]:
        print(f"- {printable(sentence)}", flush=True)
    return plan


def refuse_strangers(plan: SessionPlan, options: Options) -> None:
    """Keep what this tool did not write; with --overwrite its own earlier results of these cameras go.

    Raises:
        UserError: an output's place is taken.
    """
    store = plan.store
    taken = [camera for camera in plan.cameras if os.path.lexists(camera.destination)]
    for camera in taken:
        if options.overwrite and not store.owns(camera.output):
            raise UserError(
                f"{camera.destination} is not what an earlier run put there, and --overwrite replaces nothing else; "
                "move it away, or choose another --out."
            )
        if not store.wrote(camera.output):
            raise UserError(
                f"{camera.destination} exists and is not from an earlier run; move it away, or choose another --out "
                "(--overwrite keeps it, too)."
            )
    if options.overwrite:
        start_afresh(plan, [camera.destination for camera in taken])


def start_afresh(plan: SessionPlan, own: Sequence[Path]) -> None:
    """Discard earlier results of a plan's cameras; those of other cameras stay.

    Args:
        plan: of the session.
        own: results that are known to be this tool's.

    Raises:
        UserError: something cannot be removed.
    """
    names = [camera.camera.name for camera in plan.cameras]
    discard_by_products(plan.store, names, keep=[f"{name}/{INDEX}" for name in names])
    for place in own:
        with explained(place):
            discard(place)
