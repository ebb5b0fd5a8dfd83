#include "reports/interval.h"

#define Z_PPM UINT64_C(1959964)         /* Of the normal distribution: 95 % lie within. */
#define Z_SQUARED_PPM UINT64_C(3841459) /* 1.959964 squared. */

static uint64_t square_root(uint64_t square)
{
    uint64_t root = 0;
    for (uint64_t bit = UINT64_C(1) << 31; bit > 0; bit >>= 1) {
        const uint64_t larger = root | bit;
        root = larger * larger <= square ? larger : root;
    }
    return root;
}

/* (2 k + z^2 -+ z sqrt(z^2 + 4 k (n - k) / n)) / (2 (n + z^2)), all in millionths. */
struct interval interval_wilson(uint64_t hits, uint64_t tries)
{
    assert(hits <= tries && tries <= 1000000);
    if (tries == 0) {
        return (struct interval){.low_ppm = 0, .high_ppm = SIM_PPM};
    }
    const uint64_t spread_ppm = Z_SQUARED_PPM + 4 * hits * (tries - hits) * SIM_PPM / tries;
    const uint64_t root_ppm = square_root(spread_ppm * SIM_PPM);
    const uint64_t half_ppm = Z_PPM * root_ppm / SIM_PPM;
    const uint64_t middle_ppm = 2 * hits * SIM_PPM + Z_SQUARED_PPM;
    const uint64_t below_ppm = middle_ppm > half_ppm ? middle_ppm - half_ppm : 0;
    const uint64_t whole_ppm = 2 * (tries * SIM_PPM + Z_SQUARED_PPM);
    const uint64_t high_ppm = (middle_ppm + half_ppm) * SIM_PPM / whole_ppm;
    return (struct interval){.low_ppm = hits ? (uint32_t)(below_ppm * SIM_PPM / whole_ppm) : 0,
                             .high_ppm = hits == tries || high_ppm > SIM_PPM ? SIM_PPM
                                                                             : (uint32_t)high_ppm};
}
