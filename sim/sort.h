/* Sorting, in place and the same everywhere: the C library's qsort() leaves the order of equal
 * elements to the machine. */
#ifndef SIM_SORT_H
#define SIM_SORT_H

#include "sim/base.h"

typedef int (*sim_compare_fn)(const void *left, const void *right);

/* Heapsort: no memory of its own, O(n log n) compares at worst. Equal elements end in an order
 * that depends on the input alone. Elements are at most SIM_SORT_ELEMENT_BYTES large (asserts). */
#define SIM_SORT_ELEMENT_BYTES 64
void sim_sort(void *array, size_t count, size_t element_bytes, sim_compare_fn compare);

#endif
