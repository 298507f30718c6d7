// The lights, as both the visibility and the shading pass see them.
uniform int light_count;
uniform vec3 light_position[LIGHTS];
uniform vec3 light_direction[LIGHTS];
uniform vec4 light_shape[LIGHTS];  // cosine where it ends, cosine where it is full, disc radius, shadow tile or -1

// Share of a light's intensity that its cone lets through in a direction, which points from the surface to the light.
float through_cone(int light, vec3 to_light) {
    return smoothstep(light_shape[light].x, light_shape[light].y, -dot(to_light, light_direction[light]));
}
