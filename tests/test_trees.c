/* The trees that monitors use, against going through all places. */
#include <criterion/criterion.h>
#include <inttypes.h>

#include "sim/consistency/trees.h"
#include "sim/rng.h"

enum { SEEDS = 300, PLACES_MAX = 40, TURNS = 60 };

static struct sim_scratch scratch;

Test(trees, the_smallest_is_the_first_of_the_smallest)
{
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct sim_rng rng;
        struct sim_tournament t = {0};
        uint32_t values[PLACES_MAX];
        sim_rng_seed(&rng, seed, 0);
        const uint32_t count = 1 + sim_rng_bounded(&rng, PLACES_MAX);
        scratch = (struct sim_scratch){.limit_bytes = 1 << 20};
        cr_assert_eq(sim_tournament_init(&t, &scratch, count), SIM_OK);
        memset(values, 0xff, sizeof values);
        for (uint32_t turn = 0; turn < TURNS; turn++) {
            const uint32_t place = sim_rng_bounded(&rng, count);
            values[place] = sim_rng_bounded(&rng, 10) ? sim_rng_bounded(&rng, 20) : UINT32_MAX;
            sim_tournament_set(&t, place, values[place]);
            const uint32_t first = sim_rng_bounded(&rng, count);
            const uint32_t last = first + sim_rng_bounded(&rng, count - first);
            uint32_t best = first;
            for (uint32_t i = first; i <= last; i++) {
                best = values[i] < values[best] ? i : best;
            }
            cr_assert_eq(sim_tournament_smallest(&t, first, last), best, "seed %" PRIu64, seed);
        }
        sim_tournament_release(&t, &scratch);
        cr_assert_eq(scratch.used_bytes, 0);
    }
}

Test(trees, a_gap_is_where_nothing_covers)
{
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct sim_rng rng;
        struct sim_cover c = {0};
        uint32_t covers[PLACES_MAX] = {0}, first[8], end[8];
        sim_rng_seed(&rng, seed, 1);
        const uint32_t count = 1 + sim_rng_bounded(&rng, PLACES_MAX);
        for (uint32_t i = 0; i < 8; i++) {
            first[i] = sim_rng_bounded(&rng, count);
            end[i] = first[i] + 1 + sim_rng_bounded(&rng, count - first[i]);
            for (uint32_t place = first[i]; place < end[i]; place++) {
                covers[place]++;
            }
        }
        scratch = (struct sim_scratch){.limit_bytes = 1 << 20};
        cr_assert_eq(sim_cover_init(&c, &scratch, covers, count), SIM_OK);
        for (uint32_t i = 0; i < 8; i++) {
            for (uint32_t from = 0; from < count; from++) {
                uint32_t gap = from;
                while (gap < count && covers[gap] > 0) {
                    gap++;
                }
                gap = gap < c.size ? gap : UINT32_MAX;
                cr_assert_eq(sim_cover_gap(&c, from), gap, "seed %" PRIu64, seed);
            }
            sim_cover_take(&c, first[i], end[i]);
            for (uint32_t place = first[i]; place < end[i]; place++) {
                covers[place]--;
            }
        }
        cr_assert_eq(sim_cover_gap(&c, 0), 0, "seed %" PRIu64, seed);
        sim_cover_release(&c, &scratch);
        cr_assert_eq(scratch.used_bytes, 0);
    }
}

Test(trees, too_little_memory_is_said)
{
    struct sim_tournament t = {0};
    struct sim_cover c = {0};
    const uint32_t covers[PLACES_MAX] = {0};
    for (scratch = (struct sim_scratch){0}; scratch.limit_bytes < 500; scratch.limit_bytes += 50) {
        cr_expect_eq(sim_tournament_init(&t, &scratch, PLACES_MAX), SIM_ENOMEM);
        sim_tournament_release(&t, &scratch);
        cr_expect_eq(sim_cover_init(&c, &scratch, covers, PLACES_MAX), SIM_ENOMEM);
        sim_cover_release(&c, &scratch);
        cr_expect_eq(scratch.used_bytes, 0);
    }
}
