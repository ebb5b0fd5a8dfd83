/* Fixed-point logarithm, power and normal quantile: what the sampling of distributions needs
 * of libm, in integers, so that every target computes the same bits.
 *
 * "Q8.56" is a number times 2^56 in 64 bits, and so on. Errors named here are bounds on the
 * mathematical value; the bits themselves are part of every recorded run and must not change. */
#ifndef SIM_FIXED_H
#define SIM_FIXED_H

#include "sim/base.h"

/* log2(x) in Q8.56. Asserts x > 0. Exact for powers of two, else at most 2^-51 (4.5e-16) too
 * low and never too high. */
uint64_t sim_log2_q56(uint64_t x);

/* 2^(x / 2^56) * 2^fraction_bits, rounded down to an integer; UINT64_MAX if that does not fit.
 * Exact for whole x, else at most a share of 2^-53 too low before rounding, and never too high.
 * Asserts fraction_bits <= 63. */
uint64_t sim_exp2_q56(uint64_t x, unsigned fraction_bits);

/* The z >= 0, in Q4.60, that a standard normal variable exceeds with a chance of
 * tail / 2^64. Absolute error below 1e-9. Asserts 0 < tail < 2^63; z is at most 9.0802. */
uint64_t sim_normal_q60(uint64_t tail);

/* (a * b) / 2^shift, rounded to nearest with halves up; saturates at UINT64_MAX. Asserts
 * 1 <= shift <= 127. */
uint64_t sim_mul_shift(uint64_t a, uint64_t b, unsigned shift);

#endif
