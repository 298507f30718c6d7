"""Decodes a video and encodes it again, nothing more: what no anonymizer that re-encodes can beat.

Usage: python benchmarks/decode_encode.py INPUT OUTPUT [--crf 20] [--preset veryfast]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import av
from av.codec.context import ThreadType


def transcode(source: Path, destination: Path, *, crf: int, preset: str) -> int:
    """Transcode the first video stream to H.264 with all cores, pixel format and timestamps kept; frames written."""
    count = 0
    with av.open(source) as reader, av.open(destination, "w") as writer:
        stream = reader.streams.video[0]
        stream.thread_type = ThreadType.AUTO
        stream.codec_context.thread_count = 0
        output = writer.add_stream("libx264", rate=stream.average_rate, options={"crf": str(crf), "preset": preset})
        output.width, output.height, output.pix_fmt = stream.width, stream.height, stream.pix_fmt
        if stream.time_base is not None:
            output.codec_context.time_base = stream.time_base
        output.codec_context.thread_count = 0
        for frame in reader.decode(stream):
            frame.pict_type = 0  # the encoder chooses its own keyframes
            writer.mux(output.encode(frame))
            count += 1
        writer.mux(output.encode())
    return count


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("input", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--crf", type=int, default=20, help="constant quality (default: 20)")
    parser.add_argument("--preset", default="veryfast", help="libx264 preset (default: veryfast)")
    options = parser.parse_args()
    print(f"{transcode(options.input, options.output, crf=options.crf, preset=options.preset)} frames")


if __name__ == "__main__":
    main()
