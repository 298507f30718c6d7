// Variants: TEXTURED has holes, MARKED writes the mesh's mark.
#ifdef TEXTURED
uniform float alpha_cutoff;
#endif
#ifdef MARKED
uniform uint mark;
layout(location = 0) out uint marked;
#endif

void main() {
#ifdef TEXTURED
    if (texel_here().a < alpha_cutoff) discard;
#endif
#ifdef MARKED
    marked = mark;
#endif
}
