"""A real RTSP server, GStreamer's, run by the system's Python: plays a file, or records what is sent to it.

Usage: rtsp_server.py PORT play FILE.mp4 | record FILE.h264. It ends with its standard input.
"""

from __future__ import annotations

import sys
import threading

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

MOUNT = "/scope"


def serve(port: str, what: str, path: str) -> None:
    """Serve until standard input ends."""
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(port)
    factory = GstRtspServer.RTSPMediaFactory()
    if what == "play":
        factory.set_launch(f"( filesrc location={path} ! qtdemux ! rtph264pay name=pay0 pt=96 )")
    else:
        factory.set_transport_mode(GstRtspServer.RTSPTransportMode.RECORD)
        stream = "video/x-h264,stream-format=byte-stream,alignment=au"
        factory.set_launch(f"( rtph264depay name=depay0 ! {stream} ! filesink location={path} buffer-mode=2 )")
    server.get_mount_points().add_factory(MOUNT, factory)
    loop = GLib.MainLoop()
    if not server.attach(None):
        sys.exit(f"port {port} is taken")
    print("ready", flush=True)
    threading.Thread(target=lambda: (sys.stdin.read(), loop.quit()), daemon=True).start()
    loop.run()


if __name__ == "__main__":
    serve(*sys.argv[1:])
