"""The training tool: from labelled pictures to an ONNX file with a card that says what it can do."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

from or_mv_anon.core.errors import UserError
from or_mv_anon.core.lock import hold
from or_mv_anon.endoscopy.training.settings import load_training_config

DESCRIPTION = """Train the network that tells frames outside the body from frames inside it.

--data is a folder with the sub-folders inside/ and outside/, or a CSV with the columns path and label (inside or
outside) and, if you have them, group and split (train, calibrate, test). Pictures of one group (hospital, patient,
recording) never part between splits. Writes to --out: endoscopy_oob.onnx, card.md with the measured figures, log.jsonl,
and a checkpoint that a killed run goes on from when the same command is given again.
"""
EXAMPLE = """example:
  %(prog)s --data labelled/ --out trained/
  python tools/anonymize_endoscopy.py video.mp4 out/ --weights trained/endoscopy_oob.onnx
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The tool's options."""
    parser.description, parser.epilog = DESCRIPTION, EXAMPLE
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add("--data", type=Path, required=True, metavar="CSV|DIR", help="labelled pictures")
    add("--out", type=Path, required=True, metavar="DIR", help="where the network goes; made if missing")
    add("--config", type=Path, metavar="TOML", help="changes to configs/endoscopy_training.toml")
    add("--device", choices=["auto", "cpu", "cuda"], default="auto", help="where to train (default: auto)")
    add("--backbone", type=Path, metavar="PTH", help="torchvision's MobileNetV2 weights (default: fetched by hash)")
    add("--weights-dir", type=Path, metavar="DIR", help="network weights for a machine without internet access")


def run(options: argparse.Namespace) -> int:
    """Train, calibrate, test, export."""
    try:
        from or_mv_anon.endoscopy.training.training import train
        from or_mv_anon.models.torch_device import torch_device
    except ImportError as error:
        raise UserError(
            f"Training needs torch ({error.name} is missing). Install it with: pip install 'or_mv_anon[train]'."
        ) from error
    device = torch_device(options.device)
    print(f"training on {device}", flush=True)
    with hold(options.out):
        result = train(
            options.data,
            options.out,
            config=load_training_config(options.config),
            device=device,
            backbone=options.backbone,
            weights_dir=options.weights_dir,
        )
    print(f"wrote {result.network} and {result.card}")
    for name, value in dataclasses.asdict(result.measures).items():
        print(f"  {name.replace('_', ' ')}: {value:.4f}" if isinstance(value, float) else f"  {name}: {value}")
    return 0
