"""Live pictures: where they come from and go to, and when they were taken."""
