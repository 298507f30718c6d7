"""Makes the helpers beside this file, such as `clips`, importable from every test."""
