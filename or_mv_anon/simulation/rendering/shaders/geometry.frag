// Variants: TEXTURED has a picture, PIERCED (with TEXTURED) holes where it is transparent, WOVEN the folds of cloth.
// Packs what shading needs of a sample into one texel: mesh, normal, albedo, depth. See shading.frag for unpacking.
uniform vec3 eye;
uniform vec3 forward;
uniform uint mesh;
uniform vec3 colour;
#ifdef PIERCED
uniform float alpha_cutoff;
#endif
#ifdef WOVEN
uniform sampler3D folds;  // around a half: gradient of the height, height
uniform float fold_depth;  // metres
uniform float fold_tint;
uniform float fold_frequency;
in vec3 rest_place;
#endif

in vec3 world;
in vec3 facing;
layout(location = 0) out uvec4 packed_sample;

uint pair(vec2 unit) {
    uvec2 steps = uvec2(clamp(unit, 0.0, 1.0) * 65535.0 + 0.5);
    return steps.x | (steps.y << 16u);
}

vec2 octahedral(vec3 direction) {
    vec3 flat_direction = direction / (abs(direction.x) + abs(direction.y) + abs(direction.z));
    vec2 signs = vec2(flat_direction.x < 0.0 ? -1.0 : 1.0, flat_direction.y < 0.0 ? -1.0 : 1.0);
    vec2 folded = flat_direction.z < 0.0 ? (1.0 - abs(flat_direction.yx)) * signs : flat_direction.xy;
    return folded * 0.5 + 0.5;
}

#ifdef WOVEN
// Bump mapping after Mikkelsen, "Bump Mapping Unparametrized Surfaces on the GPU" (2010), with an analytic gradient.
vec3 woven(vec3 normal, inout vec3 albedo) {
    vec3 world_x = dFdx(world), world_y = dFdy(world);
    vec3 scale = fold_frequency * vec3(1.0, 1.0, 0.4);  // hanging cloth folds run down
    vec4 broad = texture(folds, rest_place * scale) * 2.0 - 1.0;
    vec4 fine = texture(folds, (rest_place.yzx * scale.yzx) * 2.6 + 0.37) * 2.0 - 1.0;
    vec3 gradient = (broad.xyz + 0.7 * fine.zxy) * scale;
    float slope_x = dot(gradient, dFdx(rest_place)), slope_y = dot(gradient, dFdy(rest_place));
    vec3 side_x = cross(world_y, normal), side_y = cross(normal, world_x);
    float area = dot(world_x, side_x);
    vec3 tilt = fold_depth / (abs(area) < 1e-12 ? 1e-12 : area) * (slope_x * side_x + slope_y * side_y);
    albedo *= 1.0 + fold_tint * (broad.w + 0.5 * fine.w);
    return normalize(normal - tilt * min(1.0, inversesqrt(dot(tilt, tilt) + 1e-12)));
}
#endif

void main() {
    vec3 albedo = colour;
#ifdef TEXTURED
    vec4 texel = texel_here();
#ifdef PIERCED
    if (texel.a < alpha_cutoff) discard;
#endif
    albedo *= texel.rgb;
#endif
    vec3 normal = normalize(gl_FrontFacing ? facing : -facing);
#ifdef WOVEN
    normal = woven(normal, albedo);
#endif
    uvec3 root = uvec3(sqrt(clamp(albedo, 0.0, 1.0)) * 1023.0 + 0.5);  // a root spends the steps where eyes see them
    packed_sample = uvec4(mesh, pair(octahedral(normal)), root.r | (root.g << 10u) | (root.b << 20u),
                          floatBitsToUint(dot(world - eye, forward)));
}
