// Lights the packed samples: once per pixel inside a surface, once per sample where surfaces meet.
uniform sampler2D smooth_lights;  // what a point sees, at half resolution
uniform sampler2D smooth_openness;
uniform sampler2D looks;  // per mesh two texels: roughness, specular, translucency, emission; person, surface
uniform float exposure;

layout(location = 0) out vec3 colour;
layout(location = 1) out uvec2 identity;
layout(location = 2) out float depth;

// What the four nearest points of the half resolution see; those at another depth hardly count.
void look_up(vec2 pixel, float depth, out float openness, out vec4 lights_seen) {
    vec2 place = pixel * 0.5 - 0.5;
    ivec2 corner = ivec2(floor(place)), last = textureSize(smooth_openness, 0) - 1;
    vec2 part = place - vec2(corner);
    float weights = 0.0;
    openness = 0.0;
    lights_seen = vec4(0.0);
    for (int nth = 0; nth < 4; ++nth) {
        ivec2 way = ivec2(nth & 1, nth >> 1);
        ivec2 there = clamp(corner + way, ivec2(0), last);
        vec2 near = texelFetch(smooth_openness, there, 0).rg;
        float apart = (near.g - depth) / (0.02 * depth);
        vec2 share = mix(1.0 - part, part, vec2(way));
        float weight = share.x * share.y / (1e-3 + apart * apart);
        openness += weight * near.r;
        lights_seen += weight * texelFetch(smooth_lights, there, 0);
        weights += weight;
    }
    openness /= weights;
    lights_seen /= weights;
}

vec3 look_of(Sample thing, vec2 pixel) {
    vec3 ray = ray_from_pixel * vec3(pixel, 1.0);
    if (thing.mesh == 0u) return hemisphere(normalize(ray).z);
    vec4 look = texelFetch(looks, ivec2(0, thing.mesh), 0);
    float metal = smoothstep(0.5, 1.0, look.g);
    Surface surface;
    surface.normal = thing.normal;
    surface.diffuse = thing.albedo * (1.0 - metal);
    surface.reflectance = mix(vec3(0.08 * look.g), thing.albedo, metal);
    surface.roughness = clamp(look.r, 0.08, 1.0);
    surface.translucency = look.b;
    float openness;
    vec4 lights_seen;
    look_up(pixel, thing.depth, openness, lights_seen);
    return thing.albedo * look.a + shade(surface, eye + thing.depth * ray, openness, lights_seen);
}

uint owner_of(uint mesh) {
    if (mesh == 0u) return 0u;
    vec2 owner = texelFetch(looks, ivec2(1, mesh), 0).rg + 0.5;
    return uint(owner.r) << 8u | uint(owner.g);
}

uint owner_at(int part) {
    return owner_of(texelFetch(samples, part_place(part), 0).r);
}

// The owner of most samples of this pixel, and the depth of one of its samples.
void vote() {
    int most = 0;
    for (int turn = 0; turn < SIDE * SIDE; ++turn) {
        uint owner = owner_at(candidate(turn));
        int votes = 0;
        for (int other = 0; other < SIDE * SIDE; ++other) votes += owner_at(other) == owner ? 1 : 0;
        if (votes > most) {
            most = votes;
            identity = uvec2(owner >> 8u, owner & 255u);
            Sample elected = sample_at(part_place(candidate(turn)));
            depth = elected.mesh == 0u ? uintBitsToFloat(0x7f800000u) : elected.depth;
        }
    }
}

void main() {
    Sample thing = sample_at(part_place(0));
    bool whole = true;
    float nearest = thing.depth, farthest = thing.depth;
    for (int part = 1; part < SIDE * SIDE; ++part) {
        Sample next = sample_at(part_place(part));
        whole = whole && next.mesh == thing.mesh;
        nearest = min(nearest, next.depth);
        farthest = max(farthest, next.depth);
        thing.normal += next.normal;
        thing.albedo += next.albedo;
        thing.depth += next.depth;
    }
    whole = whole && farthest - nearest <= 0.02 * nearest + 0.01;
    thing.normal = normalize(thing.normal + 1e-6);
    thing.albedo /= float(SIDE * SIDE);
    thing.depth /= float(SIDE * SIDE);
    vec2 pixel = gl_FragCoord.xy;
    int count = whole ? 1 : SIDE * SIDE;
    colour = vec3(0.0);
    for (int part = 0; part < count; ++part) {
        if (!whole) {
            thing = sample_at(part_place(part));
            pixel = (vec2(part_place(part)) + 0.5) / float(SIDE);
        }
        colour += look_of(thing, pixel);
    }
    colour *= exposure / float(count);
    if (whole) {
        uint owner = owner_of(thing.mesh);
        identity = uvec2(owner >> 8u, owner & 255u);
        depth = thing.mesh == 0u ? uintBitsToFloat(0x7f800000u) : thing.depth;
    } else {
        vote();
    }
}
