"""Video in and out with PyAV: exact timestamps, upright pictures, writable planes, no metadata."""
