/* Counts the allocations of everything linked into a test, and lets one of them fail.
 *
 * The linker puts these functions in the place of malloc() and its kin wherever the program itself
 * calls them (--wrap, see tests/meson.build); what a shared library allocates is not seen.
 *
 *     for (uint64_t n = 1;; n++) {
 *         const size_t before = allocations_live();
 *         allocations_fail_at(n);
 *         ... what is tested, and its release ...
 *         cr_assert_eq(allocations_live(), before);
 *         if (!allocations_failed()) {
 *             break; // There are fewer than n.
 *         }
 *     }
 */
#ifndef TESTS_ALLOCATIONS_H
#define TESTS_ALLOCATIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The n-th allocation from now on fails, and only that one; 0: none does. */
void allocations_fail_at(uint64_t n);
bool allocations_failed(void);  /* Has it? */
size_t allocations_live(void);  /* Blocks not yet given back. */
size_t allocations_bytes(void); /* What they hold together, and */
size_t allocations_peak(void);  /* the most they ever did since allocations_fail_at(). */

#endif
