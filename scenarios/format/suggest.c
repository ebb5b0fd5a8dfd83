#include "scenarios/format/suggest.h"

#define LENGTH_MAX 63

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t suggest_distance(const char *a, const char *b)
{
    const size_t a_length = strlen(a);
    const size_t b_length = strlen(b);
    if (a_length > LENGTH_MAX || b_length > LENGTH_MAX) {
        return SIZE_MAX;
    }
    /* rows[i % 3][k]: edits from the first i bytes of a to the first k of b. */
    size_t rows[3][LENGTH_MAX + 1];
    for (size_t k = 0; k <= b_length; k++) {
        rows[0][k] = k;
    }
    for (size_t i = 1; i <= a_length; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i - 1) % 3];
        row[0] = i;
        for (size_t k = 1; k <= b_length; k++) {
            const size_t change = above[k - 1] + (a[i - 1] != b[k - 1]);
            row[k] = smaller(change, smaller(above[k], row[k - 1]) + 1);
            if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1]) {
                row[k] = smaller(row[k], rows[(i - 2) % 3][k - 2] + 1);
            }
        }
    }
    return rows[a_length % 3][b_length];
}

void suggest_consider(struct suggestion *suggestion, const char *candidate)
{
    const size_t length = strlen(suggestion->word);
    const size_t limit = length < 3 ? 1 : (length + 1) / 3;
    const size_t distance = suggest_distance(suggestion->word, candidate);
    const bool is_part = length >= 4 && strstr(candidate, suggestion->word);
    if ((distance > limit && !is_part) || distance >= strlen(candidate) ||
        (suggestion->nearest && distance >= suggestion->distance)) {
        return;
    }
    suggestion->nearest = candidate;
    suggestion->distance = distance;
}
