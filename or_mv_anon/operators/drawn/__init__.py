"""Drawn heads of nobody, shown only where they may be."""
