"""Bodies of different people: mesh, skeleton, skinning, and the shapes of hands."""
