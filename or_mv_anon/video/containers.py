"""Which files FFmpeg may open as video at all: containers that hold pictures themselves.

FFmpeg also reads lists that name other files and addresses, patterns of file names, scripts, devices, subtitles and
texts drawn as pictures. None of these is a recording, and a list would make it open what nobody passed, so they are
refused before they are opened: FFmpeg is told the names of its demuxers that it may use.
"""

from __future__ import annotations

from pathlib import Path

_DEMUXERS = (
    "3g2 3gp amv apng apv asf asf_o av1 avi avs avs2 avs3 cavsvideo cine dhav dirac dnxhd dv evc flv gif gxf h261 h263 "
    "h264 hevc ifv ingenient ipu ivf ivr kux live_flv lxf m4a m4v matroska mj2 mjpeg mjpeg_2000 mlv mods moflex mov "
    "mp4 mpeg mpegts mpegtsraw mpegvideo mpjpeg mtv mv mxf mxg nsv nut nuv obu ogg pmp psxstr pva r3d rm roq rpl ser "
    "simbiosis_imx smjpeg smk smush swf thp ty vc1 vc1test vivo vvc wc3movie webm wtv xmv yop yuv4mpegpipe"
)
ALLOWED = ",".join(_DEMUXERS.split())
"""Value of FFmpeg's option `format_whitelist`."""

_LISTS = {  # what a file begins with, spaces and a byte order mark left out, and what it is
    b"#EXTM3U": "an HLS playlist",
    b"ffconcat version": "a list of files for FFmpeg's concat",
    b"[playlist]": "a playlist",
    b"[Reference]": "a list of references",
    b"v=0": "a description of a stream (SDP)",
    b"RTSPtext": "an address of a stream",
    b"<MPD": "a DASH manifest",
    b"<?xml": "an XML file",
    b"<asx": "a playlist",
    b"<smil": "a playlist",
}
_HEAD = 256  # bytes


def kind_of_list(path: Path) -> str | None:
    """What a text that names other files is, None for anything else."""
    with path.open("rb") as file:
        head = file.read(_HEAD).removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return next((kind for start, kind in _LISTS.items() if head.startswith(start.lower())), None)
