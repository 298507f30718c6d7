"""Frames of endoscopic video in which the scope is outside the body: found, and covered whole, offline and live."""
