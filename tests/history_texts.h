/* Texts of histories for the readers of them: what one must refuse and how, what it must survive,
 * and the files that other tools have judged. */
#ifndef TESTS_HISTORY_TEXTS_H
#define TESTS_HISTORY_TEXTS_H

#include <criterion/criterion.h>
#include <inttypes.h>

#include "golden_files.h"
#include "reports/formats/histories.h"
#include "sim/consistency/scratch.h"
#include "sim/rng.h"

/* What came of reading a text: it is refused in a line (from 1), for a reason with these words. */
static inline void expect_refused(enum sim_status status, const struct history_problem *problem,
                                  const char *text, size_t size_bytes, uint32_t line,
                                  const char *reason)
{
    const int shown = size_bytes > 1000 ? 1000 : (int)size_bytes;
    cr_expect_eq(status, SIM_EINVAL, "taken: %.*s", shown, text);
    cr_expect_eq(problem->line, line, "line %" PRIu32 ", not %" PRIu32 " of:\n%.*s", problem->line,
                 line, shown, text);
    cr_expect(strstr(problem->reason, reason), "\"%s\" is not in \"%s\"", reason, problem->reason);
}

/* ---- Any text, any memory ---- */

/* A reader of Jepsen's histories, into the one that a test has. */
struct text_reader {
    enum sim_status (*read)(const char *text, size_t size_bytes, size_t memory_bytes);
    void (*judge)(void);
    void (*release)(void);
    const struct history_problem *problem; /* Set by read(), */
    const struct sim_scratch *scratch;     /* which counts here what the history holds. */
};

/* With more and more memory a history is read, or refused for want of it, within its memory. */
static inline void expect_keeps_within_memory(const struct text_reader *reader, const char *text,
                                              size_t memory_max)
{
    uint32_t fits = 0;
    for (size_t memory = 0; memory < memory_max; memory += 97) {
        const enum sim_status status = reader->read(text, strlen(text), memory);
        cr_assert(status == SIM_OK || status == SIM_ENOMEM, "memory %zu", memory);
        cr_assert_leq(reader->scratch->used_bytes, memory);
        cr_assert_eq(status == SIM_OK, reader->problem->reason[0] == '\0', "memory %zu", memory);
        fits += status == SIM_OK;
        reader->release();
    }
    cr_expect_gt(fits, 10);
}

/* Some bytes changed, and of some seeds the end cut off; the size that is left. */
static inline size_t damage(char *text, size_t size_bytes, uint64_t seed)
{
    static const char pieces[] = "[]{}:,;#_\"\\ nil5-.\nao\x80";
    struct sim_rng rng;
    sim_rng_seed(&rng, seed, 1);
    const uint32_t changes = sim_rng_bounded(&rng, 4) + 1;
    for (uint32_t i = 0; i < changes; i++) {
        const size_t at = sim_rng_bounded(&rng, (uint32_t)size_bytes);
        text[at] = pieces[sim_rng_bounded(&rng, sizeof pieces - 1)];
    }
    const bool whole = sim_rng_bounded(&rng, 8) > 0;
    return whole ? size_bytes : sim_rng_bounded(&rng, (uint32_t)size_bytes + 1);
}

/* Whatever a good text turns into, it is read, or refused with a line and a reason, within its
 * memory; and what was read is judged. */
static inline void expect_survives_damage(const struct text_reader *reader, const char *good,
                                          size_t memory_bytes)
{
    const size_t size = strlen(good);
    char *text = malloc(size);
    cr_assert(text);
    for (uint64_t seed = 0; seed < 20000; seed++) {
        memcpy(text, good, size);
        const size_t left = damage(text, size, seed);
        const enum sim_status status = reader->read(text, left, memory_bytes);
        cr_assert_eq(status != SIM_OK, reader->problem->reason[0] != '\0', "seed %" PRIu64, seed);
        cr_assert_neq(status, SIM_ENOMEM, "seed %" PRIu64, seed);
        if (status == SIM_OK) {
            reader->judge();
        } else {
            cr_assert_gt(reader->problem->line, 0, "seed %" PRIu64, seed);
        }
        reader->release();
    }
    free(text);
}

/* ---- Golden files ---- */

/* As golden_file(), but it is there, or none is and the test is skipped. */
static inline char *golden_file_or_skip(const char *folder, const char *name, size_t *size_bytes)
{
    char *bytes = golden_file(folder, name, size_bytes);
    if (!bytes) {
        cr_skip_test("no golden histories here; see FALLACY_HISTORIES");
    }
    return bytes;
}

#endif
