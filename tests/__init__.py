"""Tests mirror the package; helpers lie beside the tests that use them."""
