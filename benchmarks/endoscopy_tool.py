"""Composed clips as video files, labelled by the offline tool itself, so that decoding and skipping are measured."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import av
import numpy as np
from tqdm import tqdm

from benchmarks.endoscopy_clips import RATE, Clip
from or_mv_anon.core.config import load_config
from or_mv_anon.core.errors import UserError
from or_mv_anon.endoscopy.measures import leaks
from or_mv_anon.endoscopy.settings import load_endoscopy_config
from or_mv_anon.pipeline.endoscope_labels import SUFFIX
from or_mv_anon.pipeline.endoscope_offline import anonymize_recordings
from or_mv_anon.pipeline.spec import RunSpec
from or_mv_anon.pipeline.weights import NetworkChoice, find_weights


def write_clip_video(clip: Clip, path: Path) -> None:
    """The clip as H.264."""
    first = clip.frame(0)
    with av.open(path, "w") as writer:
        stream = writer.add_stream("libx264", rate=round(RATE), options={"crf": "20", "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = first.shape[1], first.shape[0], "yuv420p"
        for number in range(len(clip)):
            writer.mux(stream.encode(av.VideoFrame.from_ndarray(clip.frame(number), format="bgr24")))
        writer.mux(stream.encode())


def labelled_by_the_tool(clips: Sequence[Clip], options: argparse.Namespace) -> dict[str, Any]:
    """Leaks of the labels that the offline tool writes for the clips.

    Args:
        clips: what to label.
        options: `work`, `network`, `config` and `device` of the benchmark's command line.

    Raises:
        UserError: the tool failed, or labelled another number of frames than the clip has.
    """
    videos, results = options.work / "clips", options.work / "labels"
    videos.mkdir(parents=True, exist_ok=True)
    for number, clip in enumerate(tqdm(clips, desc="writing clips", unit="clip")):
        write_clip_video(clip, videos / f"clip{number:02d}.mp4")
    choice = NetworkChoice(endoscope_weights=options.network)
    spec = RunSpec(
        config=load_config(),
        endoscopy=load_endoscopy_config(options.config),
        weights=tuple(find_weights(choice, {"endoscope"})),
        device=options.device,
    )
    if anonymize_recordings(videos, results, spec, save_video=False, overwrite=True):
        raise UserError("The offline tool did not label all clips without a problem; see above.")
    covered = []
    for number, clip in enumerate(clips):
        labels = json.loads((results / f"clip{number:02d}{SUFFIX}").read_text())["labels"]
        if len(labels) != len(clip):
            raise UserError(f"clip{number:02d}: {len(labels)} labels for {len(clip)} frames.")
        covered.append(np.array(labels, bool))
    outside = np.concatenate([clip.outside for clip in clips])
    return asdict(leaks(np.concatenate(covered), outside, rate=RATE))
