"""Makes the networks that come with the package: what a detector of people and heads is trained on, and how."""
