"""Settings that switch protection off: refused, or the run says so and ends with exit code 1, or all stay covered."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from benchmarks.hostile_tool import Case, Verdict
from benchmarks.hostile_world import SEGMENTS, World

FAMILIES = {  # section -> keys and values that make little sense, or none
    "detection": {"min_score": (5.0, 1.0, -1, "nan", "inf"), "input_long_side": (0, 1, -416, 10**9), "nms_iou": (0, -1),
                  "interval_s": (-1, 3600, "nan")},
    "pose": {"batch": (0, -1), "interval_s": (-1, 3600), "trusted_score": (-100,), "min_detection_score": (5,)},
    "face": {"min_score": (5.0, 1.0, "nan"), "input_long_side": (0, 8, 10**9), "large_share": (-1,),
             "large_min_score": (10,)},
    "tracking": {"high_score": (5,), "new_track_score": (5, "inf"), "low_score": (5,), "match_iou": (2,),
                 "pad_s": (-10,), "fill_gap_s": (-1,), "lone_score": (5,)},
    "face_tracking": {"new_track_score": (5,), "lone_score": (5,), "pad_s": (-10,)},
    "static_heads": {"interval_s": (-2,), "window_s": (0,)},
    "regions": {"head_scale": (0, 0.01, -1, "nan", 10**9), "min_side": (-1, 10**9), "box_head_share": (0, -1),
                "smooth_s": (-1, 10**9), "uncertain_growth": (-1, "nan"), "keypoint_reach_s": (-1,)},
    "operators": {"cells": (0, -1, 10**6), "blur_cells": (0, 10**6), "solid_luma": (9, -9, "nan")},
    "video": {"segment_s": (0, -1, 1e-9, "nan", "inf"), "crf": (-1, 99), "codec": ('"rot13"',), "preset": ('"x"',)},
    "risk": {"min_s": (-1, "nan"), "border_px": (10**9,)},
}  # fmt: skip
WHOLE = {  # files that are no settings
    "empty": "", "no TOML": "[[[", "an unknown key": "[detection]\nfoo = 1\n",
    "an unknown section": "[nothing]\nx = 1\n",
    "a section as a number": "detection = 7\n", "a text as a number": '[detection]\nmin_score = "low"\n',
    "a number as a list": "[regions]\nhead_scale = [1, 2]\n", "true as a number": "[regions]\nhead_scale = true\n",
    "NUL": '[video]\ncodec = "h264\\u0000"\n',
}  # fmt: skip
METHOD_OF = {"cells": "pixelate", "blur_cells": "blur"}

SITES = {  # site.toml
    "never_cover over everything": "never_cover = [[0, 0, 640, 360]]",
    "never_cover over everything in strips": "never_cover = [{}]".format(
        ", ".join(f"[0, {y}, 640, {y + 40}]" for y in range(0, 360, 40))
    ),
    "never_cover beyond the picture": "never_cover = [[-100000, -100000, 100000, 100000]]",
    "never_cover inverted": "never_cover = [[640, 360, 0, 0]]",
    "never_cover with fractions": "never_cover = [[0.0, 0.0, 1.0, 1.0]]",
    "always_cover inverted": "always_cover = [[640, 360, 0, 0]]",
    "always_cover of huge numbers": "always_cover = [[0, 0, 999999999999, 999999999999]]",
    "an offset that is not a number": "offset_s = nan",
    "an endless offset": "offset_s = inf",
    "an endoscope that is none": 'kind = "endoscope"',
    "a kind that is none": 'kind = "lamp"',
    "a name that is a path": 'file = "cam1"\nname_ = "../../escape"',
}

BUNDLES = {  # what follows in model.toml after a sound detector
    "a score of 1": "[detector.thresholds.detection]\nmin_score = 1.0\n[detector.thresholds.face]\nmin_score = 1.0\n",
    "a score of 5": "[detector.thresholds.tracking]\nnew_track_score = 5.0\nhigh_score = 5.0\nlone_score = 5.0\n",
    "regions": "[detector.thresholds.regions]\nhead_scale = 0.01\n",
    "operators": "[detector.thresholds.operators]\nsolid_luma = 9.0\n",
    "an unknown section": "[detector.thresholds.nothing]\nx = 1\n",
    "a layout of other cameras": "[layout]\ncam9 = [1, 1]\n",
    "a text in the layout": '[layout]\ncam1 = "large"\n',
    "another network's hash": "SHA",
    "a file outside": "FILE",
    "NUL in a name": "NUL",
}


def settings(world: World) -> Iterator[Case]:
    """Values in --config."""
    texts = {
        f"{section}.{key} = {value}": (key, f"[{section}]\n{key} = {value}\n")
        for section, keys in FAMILIES.items()
        for key, values in keys.items()
        for value in values
    }
    texts |= {name: ("", text) for name, text in WHOLE.items()}
    for name, (key, text) in texts.items():

        def attempt(folder: Path, key: str = key, text: str = text) -> Verdict:
            config = folder / "config.toml"
            config.write_text(text if "[video]" in text else text + ("" if "[[[" in text else SEGMENTS))
            options = ["--config", config, "--method", METHOD_OF.get(key, "solid")]
            out = folder / "out"
            return world.judge(world.tool.anonymize(world.videos, out, *options), out, told_is_enough=True)

        yield Case("settings", name, attempt)
    for option, value in (("--crf", -1), ("--crf", 99), ("--preset", "x"), ("--detect-every", -1),
                          ("--detect-every", "nan"), ("--detect-every", 3600), ("--start", "nan"),
                          ("--end", 0), ("--start", 1e12), ("--workers", 10**6)):  # fmt: skip

        def attempt_option(folder: Path, option: str = option, value: object = value) -> Verdict:
            out = folder / "out"
            return world.judge(world.tool.anonymize(world.videos, out, option, value), out, told_is_enough=True)

        yield Case("settings", f"{option} {value}", attempt_option)


def site_files(world: World) -> Iterator[Case]:
    """Zones and other lines of site.toml."""
    for name, line in SITES.items():

        def attempt(folder: Path, line: str = line) -> Verdict:
            videos, out = folder / "videos", folder / "out"
            shutil.copytree(world.videos, videos)
            (videos / "site.toml").write_text(f'[[camera]]\nname = "cam1"\n{line}\n')
            return world.judge(world.tool.anonymize(videos, out), out, told_is_enough=True)

        yield Case("site.toml", name, attempt)


def bundles(world: World) -> Iterator[Case]:
    """A site's own networks, from somebody who means no good."""
    network = world.data.parent / "yolox_tiny_rooms.onnx"
    digest = hashlib.sha256(network.read_bytes()).hexdigest()
    for name, text in BUNDLES.items():

        def attempt(folder: Path, text: str = text) -> Verdict:
            bundle, out = folder / "bundle", folder / "out"
            bundle.mkdir()
            shutil.copy(network, bundle / "detector.onnx")
            shutil.copy(network, folder / "detector.onnx")
            file = {"FILE": "../detector.onnx", "NUL": "detector.onnx\\u0000"}.get(text, "detector.onnx")
            stated = "0" * 64 if text == "SHA" else digest
            rest = "" if text in ("SHA", "FILE", "NUL") else text
            head = f'schema = 2\n[detector]\nkind = "yolox"\nfile = "{file}"\nsha256 = "{stated}"\n'
            (bundle / "model.toml").write_text(head + rest)
            ran = world.tool.anonymize(world.videos, out, "--model", bundle)
            return world.judge(ran, out, told_is_enough=True)

        yield Case("site models", name, attempt)
