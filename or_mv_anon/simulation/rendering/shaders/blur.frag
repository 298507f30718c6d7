// Smooths what visibility.frag found over 3 × 3 pixels of one surface.
uniform sampler2D rough_lights;
uniform sampler2D rough_openness;
layout(location = 0) out vec4 lights_seen;
layout(location = 1) out vec2 openness_and_depth;

vec3 normal_at(ivec2 place) {
    return direction_of(texelFetch(samples, min(place * 2 * SIDE + (SIDE - 1), textureSize(samples, 0) - 1), 0).g);
}

void main() {
    ivec2 centre = ivec2(gl_FragCoord.xy), last = textureSize(rough_openness, 0) - 1;
    float depth = texelFetch(rough_openness, centre, 0).g;
    vec3 normal = normal_at(centre);
    vec4 lights = vec4(0.0);
    float openness = 0.0, weights = 0.0;
    for (int nth = 0; nth < 9; ++nth) {
        ivec2 place = clamp(centre + ivec2(nth % 3 - 1, nth / 3 - 1), ivec2(0), last);
        vec2 there = texelFetch(rough_openness, place, 0).rg;
        float apart = (there.g - depth) / (0.02 * depth);
        float weight = max(dot(normal_at(place), normal), 0.01) / (1.0 + apart * apart);
        lights += weight * texelFetch(rough_lights, place, 0);
        openness += weight * there.r;
        weights += weight;
    }
    lights_seen = lights / weights;
    openness_and_depth = vec2(openness / weights, depth);
}
