"""Cameras of a site: where they hang, their lenses, sensors and clocks."""
