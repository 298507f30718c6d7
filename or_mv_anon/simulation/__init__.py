"""A procedural operating room whose ground truth is exact: bodies, clothes, motion, room, cameras, renderer."""
