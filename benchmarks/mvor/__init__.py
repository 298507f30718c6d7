"""MVOR: real surgery seen by three cameras, on which association is measured."""
