// What a textured surface shows here. Where it is seen edge-on its place in the picture is any number, up to infinity,
// and Mesa's anisotropic filter would go all the way there, for hours.
#ifdef TEXTURED
uniform sampler2D picture;
in vec2 texture_place;

vec4 texel_here() {
    return texture(picture, clamp(texture_place, -float(REPEATS), float(REPEATS)));
}
#endif
