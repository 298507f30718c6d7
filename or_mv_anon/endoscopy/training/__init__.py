"""How the out-of-body network is trained, calibrated and exported; needs torch."""
