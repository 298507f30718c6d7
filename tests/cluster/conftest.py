"""Real people and networks, as the end-to-end tests have them."""

from tests.end_to_end.conftest import people, weights

__all__ = ["people", "weights"]
