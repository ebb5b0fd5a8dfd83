/* How far to trust a share that was counted in a sample. */
#ifndef REPORTS_INTERVAL_H
#define REPORTS_INTERVAL_H

#include "sim/base.h"

struct interval { /* Parts per million. */
    uint32_t low_ppm;
    uint32_t high_ppm;
};

/* The 95 % confidence interval of a chance that came true `hits` times in `tries`, at most a
 * million (E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference",
 * JASA 22, 1927): unlike the usual one it is right for few tries and for 0 or all hits. All of
 * 0 to 1 if nothing was tried. */
struct interval interval_wilson(uint64_t hits, uint64_t tries);

#endif
