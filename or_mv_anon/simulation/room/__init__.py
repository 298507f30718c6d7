"""Procedural operating rooms: where things stand, what they look like, and what lights them."""
