// The SIDE × SIDE samples of a pixel of the picture.
ivec2 part_place(int part) {
    return ivec2(gl_FragCoord.xy) * SIDE + ivec2(part % SIDE, part / SIDE);
}

// The samples in the order in which they win ties: from the first or from the last, by turns over the picture, so that
// edges are neither moved nor grown.
int candidate(int turn) {
    bool odd = ((int(gl_FragCoord.x) + int(gl_FragCoord.y)) & 1) == 1;
    return odd ? SIDE * SIDE - 1 - turn : turn;
}
