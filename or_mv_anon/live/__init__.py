"""Covers what must not leave the room in live pictures of its cameras and endoscopes, a fixed delay behind them."""
