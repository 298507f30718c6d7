// How much of the light from all around a point is blocked nearby, after McGuire et al., "The Alchemy Screen-Space
// Ambient Obscurance Algorithm" (2011).
uniform float focal;  // pixels

const int OCCLUSION_TAPS = 12;
const float OCCLUSION_RADIUS = 0.6;  // metres
const float OCCLUSION_LEAST_SINE = 0.12;  // lower obstacles are the surface's own creases
const float OCCLUSION_STRENGTH = 11.0;

float openness_at(ivec2 place, vec3 point, Sample centre, mat2 turn) {
    ivec2 last = textureSize(samples, 0) - 1;
    float reach = clamp(OCCLUSION_RADIUS * focal / centre.depth, 2.0, 160.0) * float(SIDE);
    float blocked = 0.0;
    for (int tap = 0; tap < OCCLUSION_TAPS; ++tap) {
        float share = (float(tap) + 0.5) / float(OCCLUSION_TAPS);
        float angle = 2.3999632 * float(tap);
        ivec2 other = place + ivec2(reach * share * sqrt(share) * (turn * vec2(cos(angle), sin(angle))));
        other = clamp(other, ivec2(0), last);
        float depth = uintBitsToFloat(texelFetch(samples, other, 0).a);
        if (depth <= 0.0) continue;
        vec3 offset = world_at((vec2(other) + 0.5) / float(SIDE), depth) - point;
        float squared = dot(offset, offset) + 0.0025;
        float fade = max(0.0, 1.0 - squared / (OCCLUSION_RADIUS * OCCLUSION_RADIUS));
        float height = dot(offset, centre.normal) - 0.004 * centre.depth;
        blocked += fade * max(0.0, height * inversesqrt(squared) - OCCLUSION_LEAST_SINE);
    }
    return 1.0 / (1.0 + OCCLUSION_STRENGTH * blocked / float(OCCLUSION_TAPS));
}
