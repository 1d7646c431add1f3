// SPDX-License-Identifier: MIT
// The other half of near.c. It has no data, so that nothing but calls has to reach far.
int near_twice(int x);
int near_chain(int depth);

int far_add(int a, int b) { return near_twice(a) + b; }
int far_chain(int depth) { return depth == 0 ? 0 : 1 + near_chain(depth - 1); }
