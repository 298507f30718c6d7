"""A decoder that says of every frame whether damage reaches it, from all that is known while decoding.

It listens to the decoder's exceptions, flags and log, to the container's word, to the numbers that pictures carry
(`losses.py`), to a twin where there is one (`twins.py`) and to the picture itself (`colours.py`, `steps.py`), and
follows damage through everything that depends on it (`chains.py`). AV1 and VP9 are given to decoders that check where
the data end and refuse what is damaged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

import av
from av.error import FFmpegError
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from or_mv_anon.video.damage.chains import BrokenWatcher, Chains
from or_mv_anon.video.damage.colours import Impossible, impossible_colours
from or_mv_anon.video.damage.complaints import complaints
from or_mv_anon.video.damage.losses import LossWatcher
from or_mv_anon.video.damage.nal import Restarts
from or_mv_anon.video.damage.steps import StepWatcher
from or_mv_anon.video.damage.twins import twin_of

Scrutiny = Literal["none", "usual", "thorough"]

# Codecs whose decoders notice practically all damage, as a fuzz shows (benchmarks/damage_fuzz.py).
DAMAGE_IS_TOLD = frozenset({"h264", "av1", "mpeg4", "mpeg1video", "mpeg2video"})
_CHECK_PICTURES = {"err_detect": "crccheck"}  # against the checksum that an HEVC picture may bring along
_SOME = 8  # of so many pictures one is looked at where the decoder notices damage: it would be in the others too
_NEAR = 300  # packets after damage in which a doubtful picture counts as damaged
_STRICT_DECODERS = {"av1": ("libdav1d", {"strict": "1"}), "vp9": ("libvpx-vp9", {})}


class Watched(NamedTuple):
    """A decoded frame.

    Attributes:
        picture: as the decoder gave it.
        damaged: whether damage reaches it, as far as is known by now.
        doubtful: whether it looks damaged if damage is known to be near.
    """

    picture: av.VideoFrame
    damaged: bool
    doubtful: bool


class WatchedDecoder:
    """Decodes one stream's packets, on one thread.

    Attributes:
        context: the decoder.
        chains: damage so far.
        hides: whether the decoder may show damaged pictures without a word.
    """

    def __init__(
        self,
        stream: VideoStream,
        *,
        scrutiny: Scrutiny = "usual",
        broken: frozenset[int] | None = None,
        shown: Callable[[int | None], int | None] | None = None,
    ) -> None:
        """Open the decoder.

        Args:
            stream: whose packets.
            scrutiny: "none" asks the decoder alone, "usual" looks at the pictures as well, "thorough" also lets a
                twin decode beside it where there is one (HEVC, VP8, MJPEG), at up to the same cost again.
            broken: what packets carry as ``pts`` that are known to be damaged; None to believe what each says of
                itself.
            shown: from what a packet carries as ``pts`` to something that grows in display order, None where that is
                not known; None if timestamps do.
        """
        self.chains = Chains()
        codec = stream.codec_context.codec.canonical_name
        self.context = _strict_context(stream, codec)
        self.context.thread_count = 1
        self.context.copy_opaque = True
        self._restarts = Restarts(stream)
        self._says_broken, self._lost = BrokenWatcher(stream), LossWatcher(stream)
        self.hides = codec not in DAMAGE_IS_TOLD
        self._twin = twin_of(self.context, codec) if scrutiny == "thorough" else None
        self._steps = StepWatcher() if scrutiny == "thorough" and codec == "mjpeg" else None
        self._sees_colours = scrutiny != "none"
        self._broken = broken
        self._shown = shown or (lambda pts: pts)
        self._count = 0  # packets so far

    def decode(self, packet: av.Packet | None) -> Iterator[Watched]:
        """The frames that `packet` completes, in display order; None for those still held at the end."""
        number = self._count
        if packet is not None:
            self._count += 1
            packet.opaque = number
            if restarts := self._restarts(packet):
                self.chains.restart(number, self._shown(packet.pts))
            if self._broken is not None:
                if packet.pts in self._broken:
                    self.chains.damage(number)
            else:
                if self._says_broken(packet):
                    self.chains.damage(number)
                if self._lost(packet):  # a keyframe needs nothing itself, but what leads it does
                    self.chains.damage(number - restarts)
        else:
            number = max(0, number - 1)
        frames: list[av.VideoFrame] = []
        with complaints() as heard:
            try:
                frames = self.context.decode(packet)
            except EOFError:
                return
            except FFmpegError:
                self.chains.damage(number)
        if heard or (self._twin is not None and self._twin.contradicts(packet, frames)):
            self.chains.damage(number)
        yield from map(self._judged, frames)

    def _judged(self, frame: av.VideoFrame) -> Watched:
        number = frame.opaque if isinstance(frame.opaque, int) else max(0, self._count - 1)
        looks = self._sees_colours and (self.hides or number % _SOME == 0)
        impossible = impossible_colours(frame) if looks else Impossible(False, False)
        latest = self.chains.latest
        is_near = latest is not None and number - latest <= _NEAR
        doubtful = impossible.slightly and self.hides
        if frame.is_corrupt or impossible.clearly or (doubtful and is_near):
            self.chains.damage(number)
        if self._steps is not None and self._steps.jumps(frame):
            self.chains.damage(number)
        damaged = self.chains.reaches(number, self._shown(frame.pts))
        if frame.interlaced_frame:  # its second field may be a packet of its own
            damaged = damaged or self.chains.hits(number + 1)
        return Watched(frame, damaged, doubtful)


def watched_frames(decoder: WatchedDecoder, packets: Iterator[av.Packet]) -> Iterator[Watched]:
    """Frames of `packets` in display order; packets that do not decode are left out."""
    try:
        for packet in packets:
            yield from decoder.decode(packet if packet.size else None)
    except FFmpegError:  # the demuxer gave up: what the decoder still holds is good
        yield from decoder.decode(None)


def _strict_context(stream: VideoStream, codec: str) -> VideoCodecContext:
    """The stream's own decoder, or a stricter one that this build of FFmpeg has."""
    name, options = _STRICT_DECODERS.get(codec, ("", {}))
    if codec == "hevc":
        stream.codec_context.options = {**stream.codec_context.options, **_CHECK_PICTURES}
    if name not in av.codecs_available:
        return stream.codec_context
    context = av.CodecContext.create(name, "r")
    assert isinstance(context, VideoCodecContext)
    context.extradata = stream.codec_context.extradata
    context.options = {**stream.codec_context.options, **options}
    return context
