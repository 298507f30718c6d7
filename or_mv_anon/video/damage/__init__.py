"""Damage in a recording, found whatever the decoder says of it: see docs/method.md."""
