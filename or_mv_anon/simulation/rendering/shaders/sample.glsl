// Reading back what geometry.frag packed.
uniform usampler2D samples;
uniform mat3 ray_from_pixel;  // world direction of a pixel of the final picture, of depth 1
uniform vec3 eye;

struct Sample {
    uint mesh;  // 0: nothing there
    vec3 normal;
    vec3 albedo;
    float depth;
};

vec3 direction_of(uint word) {
    vec2 place = vec2(word & 0xffffu, word >> 16u) / 65535.0 * 2.0 - 1.0;
    vec3 direction = vec3(place, 1.0 - abs(place.x) - abs(place.y));
    float below = max(-direction.z, 0.0);
    direction.xy += vec2(direction.x < 0.0 ? below : -below, direction.y < 0.0 ? below : -below);
    return normalize(direction);
}

Sample sample_at(ivec2 place) {
    uvec4 word = texelFetch(samples, place, 0);
    vec3 root = vec3(word.b & 1023u, (word.b >> 10u) & 1023u, (word.b >> 20u) & 1023u) / 1023.0;
    return Sample(word.r, direction_of(word.g), root * root, uintBitsToFloat(word.a));
}

vec3 world_at(vec2 pixel, float depth) {
    return eye + depth * (ray_from_pixel * vec3(pixel, 1.0));
}
