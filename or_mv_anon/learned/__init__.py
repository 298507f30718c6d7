"""Learned face anonymization, and the re-identification attack that judges every anonymizer, learned or not."""
