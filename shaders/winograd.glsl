// Winograd's way in one dimension, F(m, r): m neighbouring outputs of an r-tap filter by POINTS = m + r - 1 products instead
// of m * r. Input, filter and outputs are polynomials; the products are taken at 0, at pairs of points +-p and at infinity:
//
//   y = At ((G g) * (Bt x)),  y[i] = sum over j of g[j] x[i + j],  i < m, j < r
//
// Bt depends on the points alone, so one kernel serves every r. A row of Bt holds the coefficients of the product of (z - q)
// over the other points q, which all have few bits: only sums round. G carries the divisors, At the powers of the points.
//
// The points are those that add least to the error of N(0, 1) data, of the pairs with short fractions that were tried:
// docs/performance-log.md. Order: 0, +p, -p of each pair, infinity.
#ifndef VKTCONV_WINOGRAD_GLSL_
#define VKTCONV_WINOGRAD_GLSL_

// Unused entries of these arrays cost nothing: loops are unrolled.
const uint MOST_POINTS = 8;
const uint PAIRS = POINTS / 2u - 1u;

// POINTS is 4, 6 or 8.
float pair_point(uint pair) {
  if (POINTS == 4u) return 1.0;
  if (POINTS == 6u) return pair == 0u ? 0.625 : 1.5;
  return pair == 0u ? 1.0 : pair == 1u ? 2.0 : 0.5;
}

// Bt x. The two rows of a pair have the same even part, and odd parts that differ in sign.
void transform_input(float x[MOST_POINTS], out float v[MOST_POINTS]) {
  if (POINTS == 4u) {
    v[0] = x[2] - x[0];
    v[1] = x[2] + x[1];
    v[2] = x[2] - x[1];
    v[3] = x[3] - x[1];
  } else if (POINTS == 6u) {
    v[0] = fma(0.87890625, x[0], fma(-2.640625, x[2], x[4]));
    const float even_0 = fma(-2.25, x[2], x[4]), odd_0 = fma(-2.25, x[1], x[3]);
    v[1] = fma(0.625, odd_0, even_0);
    v[2] = fma(-0.625, odd_0, even_0);
    const float even_1 = fma(-0.390625, x[2], x[4]), odd_1 = fma(-0.390625, x[1], x[3]);
    v[3] = fma(1.5, odd_1, even_1);
    v[4] = fma(-1.5, odd_1, even_1);
    v[5] = fma(0.87890625, x[1], fma(-2.640625, x[3], x[5]));
  } else {
    v[0] = fma(5.25, x[2], fma(-5.25, x[4], x[6])) - x[0];
    const float even_0 = fma(-4.25, x[4], x[6]) + x[2], odd_0 = fma(-4.25, x[3], x[5]) + x[1];
    v[1] = odd_0 + even_0;
    v[2] = even_0 - odd_0;
    const float even_1 = fma(0.25, x[2], fma(-1.25, x[4], x[6])), odd_1 = fma(0.25, x[1], fma(-1.25, x[3], x[5]));
    v[3] = fma(2.0, odd_1, even_1);
    v[4] = fma(-2.0, odd_1, even_1);
    const float even_2 = fma(4.0, x[2], fma(-5.0, x[4], x[6])), odd_2 = fma(4.0, x[1], fma(-5.0, x[3], x[5]));
    v[5] = fma(0.5, odd_2, even_2);
    v[6] = fma(-0.5, odd_2, even_2);
    v[7] = fma(5.25, x[3], fma(-5.25, x[5], x[7])) - x[1];
  }
}

// G g, for r = TAPS taps; g[j] is 0 for j >= TAPS. The divisor of a point is the product of its distances to the others.
void transform_weights(float g[MOST_POINTS], out float u[MOST_POINTS]) {
  u[0] = POINTS == 6u ? g[0] / 0.87890625 : -g[0];
  [[unroll]] for (uint pair = 0; pair < PAIRS; ++pair) {
    const float point = pair_point(pair), square = point * point;
    float divisor = 2.0 * square;
    [[unroll]] for (uint other = 0; other < PAIRS; ++other) {
      if (other != pair) divisor *= square - pair_point(other) * pair_point(other);
    }
    const float even = fma(square, fma(square, fma(square, g[6], g[4]), g[2]), g[0]);
    const float odd = fma(square, fma(square, fma(square, g[7], g[5]), g[3]), g[1]);
    u[1u + 2u * pair] = fma(point, odd, even) / divisor;
    u[2u + 2u * pair] = fma(-point, odd, even) / divisor;
  }
  u[POINTS - 1u] = g[TAPS - 1u];
}

// Row i of At m: powers of the points.
float transform_output(float m[MOST_POINTS], uint i) {
  const float sign = i % 2u == 0u ? 1.0 : -1.0;
  float sum = 0.0;
  [[unroll]] for (uint pair = 0; pair < PAIRS; ++pair) {
    float power = 1.0;
    [[unroll]] for (uint j = 1; j < POINTS - TAPS + 1u; ++j) power *= j <= i ? pair_point(pair) : 1.0;
    sum = fma(power, fma(sign, m[2u + 2u * pair], m[1u + 2u * pair]), sum);
  }
  if (i == 0u) sum += m[0];
  if (i == POINTS - TAPS) sum += m[POINTS - 1u];
  return sum;
}

#endif
