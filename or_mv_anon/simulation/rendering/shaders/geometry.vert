// Variants: TEXTURED reads uv, WOVEN passes the rest position on.
uniform mat4 clip_from_world;

in vec3 position;
in vec3 normal;
in vec2 uv;
in vec3 rest;

out vec3 world;
out vec3 facing;
#ifdef TEXTURED
out vec2 texture_place;
#endif
#ifdef WOVEN
out vec3 rest_place;
#endif

void main() {
    world = position;
    facing = normal;
#ifdef TEXTURED
    texture_place = uv;
#endif
#ifdef WOVEN
    rest_place = rest;
#endif
    gl_Position = clip_from_world * vec4(position, 1.0);
}
