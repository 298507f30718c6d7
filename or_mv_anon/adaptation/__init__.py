"""Learning a new room from its own unlabelled video."""
