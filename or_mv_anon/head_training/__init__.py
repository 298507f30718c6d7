"""How the networks that draw heads of nobody are trained, judged and exported; needs torch."""
