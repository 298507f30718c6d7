"""Follows people (or faces) through one camera's recording, forward and backward, and leaves no frame uncovered."""
