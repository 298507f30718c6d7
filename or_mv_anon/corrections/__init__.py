"""What a person decided about a run: an append-only record that no run ever changes."""
