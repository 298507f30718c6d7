// At half the picture's resolution: how much of each light with a shadow, and of the room around, a point sees.
layout(location = 0) out vec4 lights_seen;
layout(location = 1) out vec2 openness_and_depth;

void main() {
    ivec2 place = min(ivec2(gl_FragCoord.xy) * 2 * SIDE + (SIDE - 1), textureSize(samples, 0) - 1);
    Sample centre = sample_at(place);
    lights_seen = vec4(1.0);
    openness_and_depth = vec2(1.0, 1e4);
    if (centre.mesh == 0u) return;
    vec3 point = world_at((vec2(place) + 0.5) / float(SIDE), centre.depth);
    // Interleaved gradient noise after Jimenez, "Next Generation Post Processing in Call of Duty" (2014): 3 × 3 pixels
    // together hold evenly spread angles, so blur.frag takes the noise away again.
    float angle = 6.2831853 * fract(52.9829189 * fract(dot(gl_FragCoord.xy, vec2(0.06711056, 0.00583715))));
    mat2 turn = mat2(cos(angle), sin(angle), -sin(angle), cos(angle));
    for (int index = 0; index < light_count; ++index) {
        int tile = int(light_shape[index].w);
        vec3 to_light = light_position[index] - point;
        if (tile < 0 || dot(to_light, centre.normal) < 0.0 || through_cone(index, normalize(to_light)) <= 0.0) continue;
        float seen = lit(tile, point, centre.normal, light_shape[index].z, turn);
        vec4 chosen = vec4(tile == 0, tile == 1, tile == 2, tile == 3);
        lights_seen = mix(lights_seen, vec4(seen), chosen);
    }
    openness_and_depth = vec2(openness_at(place, point, centre, turn), centre.depth);
}
