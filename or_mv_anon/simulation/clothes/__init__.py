"""Garments cut from the body model, and who wears which."""
