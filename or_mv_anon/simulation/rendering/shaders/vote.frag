// What most samples of a pixel show, as shading.frag decides it for whole scenes.
uniform usampler2D marks;
layout(location = 0) out uint elected;

uint mark_at(int part) {
    return texelFetch(marks, part_place(part), 0).r;
}

void main() {
    int most = 0;
    for (int turn = 0; turn < SIDE * SIDE; ++turn) {
        uint mark = mark_at(candidate(turn));
        int votes = 0;
        for (int other = 0; other < SIDE * SIDE; ++other) votes += mark_at(other) == mark ? 1 : 0;
        if (votes > most) {
            most = votes;
            elected = mark;
        }
    }
}
