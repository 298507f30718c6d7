// Depth only, or which surface: the cheapest way through the vertices.
uniform mat4 clip_from_world;
in vec3 position;
in vec2 uv;
#ifdef TEXTURED
out vec2 texture_place;
#endif

void main() {
#ifdef TEXTURED
    texture_place = uv;
#endif
    gl_Position = clip_from_world * vec4(position, 1.0);
}
