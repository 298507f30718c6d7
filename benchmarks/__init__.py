"""How the figures of docs/benchmarks.md are made."""
