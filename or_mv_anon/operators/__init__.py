"""What becomes of a covered region's pixels."""
