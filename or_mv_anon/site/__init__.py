"""Sites, sessions and cameras: what there is to anonymize, found on disk before any work."""

from or_mv_anon.site.discovery import discover
from or_mv_anon.site.model import DEFAULT_PICTURE_RATE, Camera, Session, Site, StreamFacts
from or_mv_anon.site.settings import Kind, Zone
from or_mv_anon.site.table import SessionWindow, describe, session_window

__all__ = [
    "DEFAULT_PICTURE_RATE",
    "Camera",
    "Kind",
    "Session",
    "SessionWindow",
    "Site",
    "StreamFacts",
    "Zone",
    "describe",
    "discover",
    "session_window",
]
