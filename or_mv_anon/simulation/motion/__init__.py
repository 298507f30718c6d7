"""A theatre team at work: postures, walking, and what everybody does when."""
