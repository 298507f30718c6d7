// Soft shadows from depth maps.
uniform mat4 shadow_from_world[SHADOWS];
uniform vec3 shadow_lens[SHADOWS];  // near, far, share of the map that a metre at 1 m covers
uniform sampler2DShadow shadow_test;
uniform sampler2D shadow_depth;

// Points spread evenly over a disc of radius 1 (Vogel's spiral).
const vec2 SEARCH_TAPS[5] = vec2[5](
    vec2(0.3162, 0.0000), vec2(-0.4039, 0.3700), vec2(0.0618, -0.7044), vec2(0.5091, 0.6640),
    vec2(-0.9342, -0.1652)
);
const vec2 FILTER_TAPS[8] = vec2[8](
    vec2(0.2500, 0.0000), vec2(-0.3193, 0.2925), vec2(0.0489, -0.5569), vec2(0.4024, 0.5249),
    vec2(-0.7385, -0.1306), vec2(0.6996, -0.4450), vec2(-0.2340, 0.8705), vec2(-0.4463, -0.8593)
);

// Share of the light's disc that is seen, after Fernando, "Percentage-Closer Soft Shadows" (2005). Every tap is compared
// with the plane of the surface, which is a plane in the map too, so slanted surfaces do not shadow themselves.
float lit(int tile, vec3 surface, vec3 normal, float radius, mat2 turn) {
    mat4 matrix = shadow_from_world[tile];
    vec3 lens = shadow_lens[tile];
    float texel = 2.0 / float(textureSize(shadow_depth, 0).x);
    float reach = dot(vec3(matrix[0][3], matrix[1][3], matrix[2][3]), surface) + matrix[3][3];
    vec3 point = surface + normal * (0.004 + texel * max(reach, 0.0) / lens.z);
    vec4 clip = matrix * vec4(point, 1.0);
    float depth = clip.w;
    if (depth <= lens.x) return 1.0;
    vec2 place = clip.xy / depth * 0.5 + 0.5;
    vec2 tile_corner = vec2(tile & 1, tile >> 1) * 0.5;
    vec2 low = vec2(1.5 * texel), high = 1.0 - low;

    // What the map holds at a depth d is offset - steep / d.
    float steep = lens.x * lens.y / (lens.y - lens.x);
    float offset = lens.y / (lens.y - lens.x);
    vec2 aside = vec2(dot(vec3(matrix[0][0], matrix[1][0], matrix[2][0]), normal),
                      dot(vec3(matrix[0][1], matrix[1][1], matrix[2][1]), normal)) / (2.0 * lens.z);
    float away = dot(vec3(matrix[0][3], matrix[1][3], matrix[2][3]), normal);
    float through = depth * (dot(aside, (place - 0.5) / lens.z) + away);
    vec2 slope = -steep * aside / (lens.z * (through < 0.0 ? min(through, -1e-3) : max(through, 1e-3)));
    float own = offset - steep / depth;
    float margin = steep / (depth * depth);  // of a metre
    float most = 0.2 * margin * depth;

    float search = max(radius * lens.z / depth, texel);
    float blockers = 0.0, stored_sum = 0.0;
    for (int tap = 0; tap < 5; ++tap) {
        vec2 shift = search * (turn * SEARCH_TAPS[tap]);
        float stored = texture(shadow_depth, tile_corner + 0.5 * clamp(place + shift, low, high)).r;
        float blocking = stored < own + clamp(dot(slope, shift), -most, most) - 0.015 * margin ? 1.0 : 0.0;
        blockers += blocking;
        stored_sum += blocking * stored;
    }
    if (blockers == 0.0) return 1.0;
    float nearness = (offset - stored_sum / blockers) / steep;
    float spread = clamp(radius * lens.z * (nearness - 1.0 / depth), texel, 3.0 * search);
    float seen = 0.0;
    for (int tap = 0; tap < 8; ++tap) {
        vec2 shift = spread * (turn * FILTER_TAPS[tap]);
        float reference = own + clamp(dot(slope, shift), -most, most) - 0.005 * margin;
        seen += texture(shadow_test, vec3(tile_corner + 0.5 * clamp(place + shift, low, high), reference));
    }
    return seen / 8.0;
}
