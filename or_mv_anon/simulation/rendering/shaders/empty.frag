// Clears integer targets, which a clear colour made of floats cannot.
layout(location = 0) out uvec4 packed_sample;

void main() {
    packed_sample = uvec4(0u);
}
