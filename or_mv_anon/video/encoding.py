"""Which encoder, pixel format and container an output gets: the input's wherever they can hold the picture."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import cv2

from or_mv_anon.core.config import CodecChoice
from or_mv_anon.core.errors import UserError
from or_mv_anon.video.index import VideoIndex
from or_mv_anon.video.mastering import Mastering
from or_mv_anon.video.pixels import (
    BT709,
    LIMITED_RANGE,
    PixelFormat,
    depth_of,
    has_alpha,
    is_rgb,
    working_format,
)

PRESETS: Final = (
    "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow",
)  # fmt: skip


@dataclass(frozen=True)
class Encoding:
    """How an output is encoded; equal for all segments of a camera."""

    codec: str  # family: h264 | hevc | av1 | vp9
    encoder: str  # FFmpeg's encoder, such as "libx264"
    pix_fmt: str
    suffix: str  # of the output file: ".mp4", ".mov", ".m4v", ".mkv" or ".webm"
    color_primaries: int
    color_trc: int
    colorspace: int
    color_range: int
    note: str | None  # one sentence where something of the input cannot be kept
    fields: bool = False  # the picture is encoded as two fields per frame


@dataclass(frozen=True)
class _Encoder:
    name: str
    chroma: tuple[str, ...]  # layouts it takes; "gray" for monochrome
    depths: tuple[int, ...]
    odd_sizes: bool  # whether subsampled chroma may have an odd width or height
    least_side: int


_ENCODERS = {
    "h264": _Encoder("libx264", ("gray", "420", "422", "444"), (8, 10), odd_sizes=False, least_side=1),
    "hevc": _Encoder("libx265", ("gray", "420", "422", "444"), (8, 10, 12), odd_sizes=False, least_side=16),
    "av1": _Encoder("libsvtav1", ("420",), (8, 10), odd_sizes=True, least_side=8),
    "vp9": _Encoder("libvpx-vp9", ("420", "422", "444"), (8,), odd_sizes=True, least_side=1),
}
_SUFFIXES = {"mov": (".mp4", ".mov", ".m4v"), "matroska": (".mkv", ".webm")}
_FIELD_ROWS = 4  # rows that an interlaced 4:2:0 picture is made of multiples of
_WEBM_CODECS = ("vp9", "av1")
_MATROSKA_CLOCK = Fraction(1, 1000)

# x264's AVX-512 macroblock tree reads memory that it never wrote when B-frames are on (measured: the same frames give
# other bytes for other MALLOC_PERTURB_ values, never with AVX2); a resumed run must equal an uninterrupted one.
_NO_AVX_512 = "asm=avx2,bmi1,bmi2,lzcnt,fma3"
_OPENCV_AVX_512 = 13  # cv::CpuFeatures CPU_AVX_512F


def choose_encoder(index: VideoIndex, codec: CodecChoice = "same") -> Encoding:
    """The encoding for an input.

    With ``same`` the codec family is kept if its encoder takes the picture's chroma, depth and size; H.264 steps in
    otherwise. A codec asked for by name is used, and the picture fitted to it; `Encoding.note` tells the loss.

    Raises:
        UserError: the codec asked for cannot hold pictures of this size.
    """
    source = working_format(index.pix_fmt)
    notes = []
    if codec == "same":
        family = index.codec
        if family not in _ENCODERS:
            family = "h264"
            notes.append(f"There is no encoder for {index.codec} that players expect; H.264 is used instead.")
        elif not _holds(_ENCODERS[family], source, index):
            family = "h264"
            notes.append(f"The {index.codec} encoder does not take {index.pix_fmt} at this size; H.264 is used.")
    else:
        family = codec
        least = _ENCODERS[family].least_side
        if min(index.width, index.height) < least:
            raise UserError(f"{family} needs pictures of at least {least} pixels a side; choose another codec.")
    pix_fmt = _pix_fmt(_ENCODERS[family], source, index)
    if (loss := _loss(source, pix_fmt)) is not None:
        notes.append(loss)
    if has_alpha(index.pix_fmt):
        notes.append("Transparency is not kept.")
    encoder = _ENCODERS[family].name
    fields = index.interlaced and encoder == "libx264" and index.height % _FIELD_ROWS == 0
    if index.interlaced and not fields:
        notes.append(f"The interlaced picture is encoded as whole frames by {encoder}; both fields are in it, as rows.")
    if index.mastering is not None and not index.mastering.parameters(encoder):
        notes.append(f"HDR mastering data are not kept by {encoder}.")
    rgb = is_rgb(index.pix_fmt)
    return Encoding(
        codec=family,
        encoder=encoder,
        pix_fmt=pix_fmt,
        suffix=_suffix(index, family),
        color_primaries=index.color_primaries,
        color_trc=index.color_trc,
        colorspace=BT709 if rgb else index.colorspace,
        color_range=LIMITED_RANGE if rgb else index.color_range,
        note=" ".join(notes) or None,
        fields=fields,
    )


def encoder_options(
    encoder: str, *, crf: int, preset: str, threads: int, mastering: Mastering | None = None
) -> dict[str, str]:
    """Private options of an encoder: quality, speed, closed groups of pictures, fixed thread counts, no captions.

    `crf` is in x264's terms. The others follow FFmpeg's encoding guides (trac.ffmpeg.org/wiki/Encode): x265's default
    28 looks like x264's 23, libaom's 23 like x264's 19, and VP9's 31 is advised at 1080p.

    Raises:
        UserError: the preset is unknown.
    """
    if preset not in PRESETS:
        raise UserError(f"Unknown preset '{preset}'; expected one of {', '.join(PRESETS)}.")
    speed = PRESETS.index(preset)
    more = [] if mastering is None else [f"{name}={value}" for name, value in mastering.parameters(encoder).items()]
    match encoder:
        case "libx264":
            options = {"crf": str(crf), "preset": preset, "a53cc": "0"}
            if cv2.checkHardwareSupport(_OPENCV_AVX_512):
                more.append(_NO_AVX_512)
            return options | ({"x264-params": ":".join(more)} if more else {})
        case "libx265":
            parameters = f"log-level=error:open-gop=0:info=0:pools={threads}:frame-threads=1"
            parameters = ":".join([parameters, *more, *(["hdr10=1"] if more else [])])
            return {"crf": str(min(51, crf + 5)), "preset": preset, "a53cc": "0", "x265-params": parameters}
        case "libsvtav1":
            preset = str((13, 12, 11, 10, 9, 8, 6, 4, 3)[speed])
            return {"crf": str(min(63, crf + 4)), "preset": preset, "svtav1-params": ":".join([f"lp={threads}", *more])}
        case "libvpx-vp9":
            cpu_used = str((8, 6, 5, 4, 3, 2, 1, 1, 0)[speed])
            deadline = "realtime" if speed < 2 else "good"
            return {"crf": str(min(63, crf + 8)), "deadline": deadline, "cpu-used": cpu_used, "row-mt": "0"}
    raise ValueError(f"no options known for encoder {encoder}")


def _layout(name: str) -> str:
    return "gray" if name.startswith("gray") else name.removeprefix("yuvj").removeprefix("yuv")[:3]


def _holds(encoder: _Encoder, source: PixelFormat, index: VideoIndex) -> bool:
    return (
        _layout(_pix_fmt(encoder, source, index)) in ("gray", "420", "422", "444")
        and _loss(source, _pix_fmt(encoder, source, index)) is None
        and min(index.width, index.height) >= encoder.least_side
    )


def _pix_fmt(encoder: _Encoder, source: PixelFormat, index: VideoIndex) -> str:
    """The format of `encoder` that keeps most: at least the source's chroma and depth, or else its best."""
    depth = next((d for d in encoder.depths if d >= source.depth), encoder.depths[-1])
    wished = _layout(source.name)
    if wished == "gray" and "gray" in encoder.chroma:
        return "gray" if depth == 8 else f"gray{depth}le"
    layouts = [c for c in encoder.chroma if c != "gray"]
    if not encoder.odd_sizes:
        fitting = {"420": index.width % 2 == 0 and index.height % 2 == 0, "422": index.width % 2 == 0, "444": True}
        layouts = [c for c in layouts if fitting[c]]
    layout = next((c for c in layouts if c >= wished or wished == "gray"), layouts[-1])
    if depth == 8 and source.name.startswith("yuvj") and encoder.name in ("libx264", "libx265"):
        return f"yuvj{layout}p"
    return f"yuv{layout}p" if depth == 8 else f"yuv{layout}p{depth}le"


def _loss(source: PixelFormat, pix_fmt: str) -> str | None:
    wished, got = _layout(source.name), _layout(pix_fmt)
    if wished != "gray" and got < wished:
        return f"Colour resolution goes from {source.name} to {pix_fmt}."
    if depth_of(pix_fmt) < source.depth:
        return f"Bit depth goes from {source.depth} to {depth_of(pix_fmt)}."
    return None


def _suffix(index: VideoIndex, family: str) -> str:
    """The input's container if its clock and codecs fit, else mp4, whose clock takes any timestamps."""
    own = index.path.suffix.lower()
    if index.container.startswith("mov") and family != "vp9":
        return own if own in _SUFFIXES["mov"] else ".mp4"
    if index.container.startswith("matroska") and index.time_base == _MATROSKA_CLOCK:
        return ".webm" if own == ".webm" and family in _WEBM_CODECS else ".mkv"
    return ".mp4"
