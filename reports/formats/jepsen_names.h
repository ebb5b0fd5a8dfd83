/* Keys and values of a Jepsen history as numbers: an integer is itself, any other simple value of
 * EDN (a keyword, a string, a symbol) gets the next number from 2^63 on. */
#ifndef REPORTS_FORMATS_JEPSEN_NAMES_H
#define REPORTS_FORMATS_JEPSEN_NAMES_H

#include "reports/formats/edn.h"
#include "sim/consistency/scratch.h"

struct jepsen_name { /* In the text that was read. */
    uint32_t offset, length;
};

struct jepsen_names {
    const char *bytes; /* Borrowed: names are shown from it. */
    struct jepsen_name *names;
    uint32_t *slots; /* Open addressing: a name's number plus 1, or 0. */
    uint32_t count, slot_count;
    size_t capacity;
};

/* The token is one that has a number. */
bool jepsen_is_named(enum edn_token token);

/* The number of a token that jepsen_is_named(), of the text `names->bytes`; false if `scratch` has
 * no more memory. */
SIM_NODISCARD bool jepsen_name_number(struct jepsen_names *names, struct sim_scratch *scratch,
                                      const struct edn *edn, uint64_t *number);

/* As it was written, cut after 40 bytes. */
void jepsen_name_show(const struct jepsen_names *names, uint64_t number, char *text,
                      size_t size_bytes);

void jepsen_names_release(struct jepsen_names *names);

#endif
