"""The re-identification attack that judges every anonymizer."""
