"""Makes the small session that ships with the product, so that evaluation and tests run without the simulator."""

from __future__ import annotations

from pathlib import Path

from or_mv_anon.core.errors import UserError
from or_mv_anon.simulation.output_folder import OutputFolder
from or_mv_anon.simulation.simulate import Made, simulate_site
from or_mv_anon.simulation.simulation_options import SimulationOptions

MOST_BYTES = 3_000_000


def make_shipped_session(out: Path, *, seed: int, workers: int | None = None) -> Made:
    """Four cameras for ten seconds, with ground truth, in at most 3 MB; the COCO file is left out.

    `evaluation.truth_coco.write_coco` makes the COCO file again from the rest.

    Raises:
        UserError: it came out too large, or as for `simulate_site`.
    """
    made = simulate_site(SimulationOptions(out=out, seed=seed, seconds=10, people=7, crf=24, workers=workers))
    folder = OutputFolder(out)
    (folder.truth / "coco.json").unlink(missing_ok=True)
    size = sum(file.stat().st_size for part in (folder.recording, folder.truth) for file in part.iterdir())
    if size > MOST_BYTES:
        raise UserError(f"{out} is {size / 1e6:.1f} MB, expected at most {MOST_BYTES / 1e6:.0f} MB; try another seed.")
    return made
