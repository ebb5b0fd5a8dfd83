/* "Did you mean ...?": the known name nearest to a mistyped one. */
#ifndef SCENARIOS_SUGGEST_H
#define SCENARIOS_SUGGEST_H

#include "sim/base.h"

/* Collects candidates one by one. Start with the word alone: {.word = "nodez"}. */
struct suggestion {
    const char *word;
    const char *nearest; /* Borrowed from suggest_consider(); NULL: nothing is near. */
    size_t distance;     /* Edits from the word to the nearest. */
};

/* The nearest wins, the first of equals. Near is what needs edits for a third of the word's
 * letters at most (but one in any case), or what the word is a part of. */
void suggest_consider(struct suggestion *suggestion, const char *candidate);

/* Insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b`
 * (Damerau 1964; each place is edited once). Names longer than 63 bytes are infinitely far. */
size_t suggest_distance(const char *a, const char *b);

#endif
