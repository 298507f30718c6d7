"""Faces, hair, and what is worn on the head."""
