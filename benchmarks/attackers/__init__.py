"""Attackers that only a table of the benchmarks needs."""
