// What lights send to a point and how a surface sends it on to the eye.
uniform vec3 light_colour[LIGHTS];
uniform vec3 ambient_below;
uniform vec3 ambient_above;

struct Surface {
    vec3 normal;
    vec3 diffuse;
    vec3 reflectance;  // at normal incidence
    float roughness;
    float translucency;
};

// Trowbridge-Reitz distribution with the visibility and Fresnel of Karis, "Physically Based Shading on Mobile" (2014).
vec3 highlight(Surface surface, vec3 to_light, vec3 to_eye) {
    vec3 middle = normalize(to_light + to_eye);
    float aligned = clamp(dot(surface.normal, middle), 0.0, 1.0);
    float grazing = 1.0 - clamp(dot(to_eye, middle), 0.0, 1.0);
    float alpha = surface.roughness * surface.roughness;
    float spread = aligned * aligned * (alpha * alpha - 1.0) + 1.0;
    float shape = alpha * alpha / (4.0 * spread * spread * (surface.roughness + 0.5));
    float fresnel = grazing * grazing * grazing * grazing * grazing;
    return (surface.reflectance + (1.0 - surface.reflectance) * fresnel) * min(shape, 16.0);
}

// Light that wraps around what it enters; red travels farthest through skin.
vec3 wrapped(float facing, float translucency) {
    vec3 wrap = translucency * vec3(0.5, 0.22, 0.16);
    vec3 around = clamp((facing + wrap) / ((1.0 + wrap) * (1.0 + wrap)), 0.0, 1.0);
    return mix(vec3(max(facing, 0.0)), around, step(0.001, translucency));
}

vec3 hemisphere(float up) {
    return mix(ambient_below, ambient_above, 0.5 + 0.5 * up);
}

// Ambient reflection after Karis (2014), with a room instead of a sky: brighter patches above, darker ones around.
vec3 ambient(Surface surface, vec3 to_eye, float openness) {
    float facing = clamp(dot(surface.normal, to_eye), 0.0, 1.0);
    vec4 terms = surface.roughness * vec4(-1.0, -0.0275, -0.572, 0.022) + vec4(1.0, 0.0425, 1.04, -0.04);
    float power = min(terms.x * terms.x, exp2(-9.28 * facing)) * terms.x + terms.y;
    vec2 scale = vec2(-1.04, 1.04) * power + terms.zw;
    vec3 mirrored = reflect(-to_eye, surface.normal);
    float sharp = 1.0 - surface.roughness;
    float patches = sin(mirrored.x * 5.0 + 1.0) * sin(mirrored.y * 5.0 + 2.0) * smoothstep(-0.2, 0.6, mirrored.z + 0.3);
    float band = 1.0 - 0.45 * sharp * exp(-12.0 * mirrored.z * mirrored.z);
    vec3 around = hemisphere(mirrored.z) * band * (1.0 + sharp * patches);
    vec3 through = surface.diffuse * hemisphere(surface.normal.z);
    return openness * (through + around * (surface.reflectance * scale.x + scale.y));
}

// `seen` holds how much of each light with a shadow map is seen.
vec3 shade(Surface surface, vec3 point, float openness, vec4 seen) {
    vec3 to_eye = normalize(eye - point);
    vec3 light = ambient(surface, to_eye, openness);
    for (int index = 0; index < light_count; ++index) {
        vec3 offset = light_position[index] - point;
        float nearness = 1.0 / max(dot(offset, offset), 0.01);
        vec3 to_light = offset * sqrt(nearness);
        float cone = through_cone(index, to_light);
        float facing = dot(surface.normal, to_light);
        vec3 received = wrapped(facing, surface.translucency);
        if (cone <= 0.0 || received.r <= 0.0) continue;
        int tile = int(light_shape[index].w);
        float share = tile < 0 ? 1.0 : dot(seen, vec4(tile == 0, tile == 1, tile == 2, tile == 3));
        vec3 arriving = light_colour[index] * (nearness * cone * share * mix(1.0, openness, 0.35));
        light += arriving * (surface.diffuse * received + highlight(surface, to_light, to_eye) * max(facing, 0.0));
    }
    return light;
}
