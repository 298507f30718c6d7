"""A page on which a person looks through a run's covered videos, moment by moment, and corrects what is wrong."""
