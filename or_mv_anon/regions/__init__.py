"""Where a head is in a frame, whatever is known of it: the regions to cover."""
