// Variants: TEXTURED has holes, MARKED writes the mesh's mark.
#ifdef TEXTURED
uniform sampler2D picture;
uniform float alpha_cutoff;
in vec2 texture_place;
#endif
#ifdef MARKED
uniform uint mark;
layout(location = 0) out uint marked;
#endif

void main() {
#ifdef TEXTURED
    if (texture(picture, texture_place).a < alpha_cutoff) discard;
#endif
#ifdef MARKED
    marked = mark;
#endif
}
