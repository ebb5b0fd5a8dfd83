#include "sim/base.h"

/* (high * 2^64 + low) / divisor for high < divisor: schoolbook division in digits of 32 bits
 * (Knuth, TAOCP volume 2, algorithm D in 4.3.1). One path for every target, so that 32-bit
 * builds run what the tests of the others have seen. */
static uint64_t divide_wide(uint64_t high, uint64_t low, uint64_t divisor)
{
    /* With the divisor's top bit set, an estimated digit is at most two too large. */
    const int shift = __builtin_clzll(divisor);
    divisor <<= shift;
    const uint64_t divisor_high = divisor >> 32;
    const uint64_t divisor_low = (uint32_t)divisor;
    uint64_t remainder = shift ? high << shift | low >> (64 - shift) : high;
    low <<= shift;

    uint64_t quotient = 0;
    for (int i = 0; i < 2; i++, low <<= 32) {
        const uint64_t next_digit = low >> 32;
        uint64_t digit = remainder / divisor_high;
        uint64_t rest = remainder % divisor_high;
        while (digit >> 32 || digit * divisor_low > (rest << 32 | next_digit)) {
            digit--;
            rest += divisor_high;
            if (rest >> 32) {
                break;
            }
        }
        /* Wraps on the way, but the true remainder is below the divisor, so it fits. */
        remainder = (remainder << 32 | next_digit) - digit * divisor;
        quotient = quotient << 32 | digit;
    }
    return quotient;
}

uint64_t sim_muldiv64(uint64_t a, uint64_t b, uint64_t c)
{
    assert(c != 0);
    const uint64_t high = sim_mulhi64(a, b);
    const uint64_t low = a * b;
    if (SIM_LIKELY(high == 0)) {
        return low / c;
    }
    if (high >= c) {
        return UINT64_MAX;
    }
    return divide_wide(high, low, c);
}
