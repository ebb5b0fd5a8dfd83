#include "sim/sort.h"

static void swap(uint8_t *a, uint8_t *b, size_t size_bytes)
{
    uint8_t spare[SIM_SORT_ELEMENT_BYTES];
    memcpy(spare, a, size_bytes);
    memcpy(a, b, size_bytes);
    memcpy(b, spare, size_bytes);
}

/* Let the element at `root` of a heap with the largest in front sink to where it belongs. */
static void sink(uint8_t *bytes, size_t root, size_t count, size_t element_bytes,
                 sim_compare_fn compare)
{
    for (size_t child; (child = 2 * root + 1) < count; root = child) {
        uint8_t *left = bytes + child * element_bytes;
        if (child + 1 < count && compare(left, left + element_bytes) < 0) {
            child++;
        }
        uint8_t *larger = bytes + child * element_bytes;
        if (compare(bytes + root * element_bytes, larger) >= 0) {
            return;
        }
        swap(bytes + root * element_bytes, larger, element_bytes);
    }
}

void sim_sort(void *array, size_t count, size_t element_bytes, sim_compare_fn compare)
{
    assert(element_bytes <= SIM_SORT_ELEMENT_BYTES);
    uint8_t *bytes = array;
    for (size_t root = count / 2; root > 0; root--) {
        sink(bytes, root - 1, count, element_bytes, compare);
    }
    for (size_t end = count; end > 1; end--) {
        swap(bytes, bytes + (end - 1) * element_bytes, element_bytes);
        sink(bytes, 0, end - 1, element_bytes, compare);
    }
}
