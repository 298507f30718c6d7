"""Turns meshes and lights into pictures with exact identities per pixel, on a GPU or on the CPU with the same code."""
