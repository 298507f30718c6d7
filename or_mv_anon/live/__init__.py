"""Covers the outside frames of an endoscope's live picture, a fixed delay behind the camera."""
