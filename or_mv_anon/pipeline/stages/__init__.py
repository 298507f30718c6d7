"""The stages of the main job."""
