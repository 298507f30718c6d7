"""Many machines: the executor that sends a run's jobs to a Ray cluster."""
