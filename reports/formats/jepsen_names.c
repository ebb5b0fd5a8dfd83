#include "reports/formats/jepsen_names.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Numbers from here on stand for names. */
#define NAMES_FROM (UINT64_C(1) << 63)
#define NAMES_MAX (UINT32_C(1) << 30)

static bool is_name(const struct jepsen_names *n, const struct jepsen_name *name, const char *text,
                    size_t length)
{
    return name->length == length && memcmp(n->bytes + name->offset, text, length) == 0;
}

static bool more_slots(struct jepsen_names *n, struct sim_scratch *scratch)
{
    if (n->count < n->slot_count / 2) {
        return true;
    }
    const uint32_t larger = n->slot_count ? n->slot_count * 2 : 64;
    uint32_t *fresh =
        n->count < NAMES_MAX ? sim_scratch_alloc(scratch, larger, sizeof *fresh) : NULL;
    if (!fresh) {
        return false;
    }
    for (uint32_t i = 0; i < n->count; i++) {
        const struct jepsen_name *name = &n->names[i];
        uint32_t slot =
            (uint32_t)sim_hash_bytes(n->bytes + name->offset, name->length) & (larger - 1);
        while (fresh[slot]) {
            slot = (slot + 1) & (larger - 1);
        }
        fresh[slot] = i + 1;
    }
    sim_scratch_release(scratch, n->slots, n->slot_count, sizeof *n->slots);
    n->slots = fresh;
    n->slot_count = larger;
    return true;
}

/* Names are as written: with their colon or quotes, so that :x and "x" are two. */
static bool intern(struct jepsen_names *n, struct sim_scratch *scratch, const char *text,
                   size_t length, uint64_t *number)
{
    if (!more_slots(n, scratch)) {
        return false;
    }
    uint32_t slot = (uint32_t)sim_hash_bytes(text, length) & (n->slot_count - 1);
    while (n->slots[slot]) {
        const uint32_t name = n->slots[slot] - 1;
        if (is_name(n, &n->names[name], text, length)) {
            *number = NAMES_FROM + name;
            return true;
        }
        slot = (slot + 1) & (n->slot_count - 1);
    }
    if (!sim_scratch_grow(scratch, &n->names, &n->capacity, (size_t)n->count + 1,
                          sizeof *n->names)) {
        return false;
    }
    n->names[n->count] = (struct jepsen_name){(uint32_t)(text - n->bytes), (uint32_t)length};
    *number = NAMES_FROM + n->count++;
    n->slots[slot] = n->count;
    return true;
}

bool jepsen_is_named(enum edn_token token)
{
    switch (token) {
    case EDN_INT:
    case EDN_NUMBER:
    case EDN_STRING:
    case EDN_KEYWORD:
    case EDN_SYMBOL:
    case EDN_CHAR:
        return true;
    default:
        return false;
    }
}

bool jepsen_name_number(struct jepsen_names *names, struct sim_scratch *scratch,
                        const struct edn *edn, uint64_t *number)
{
    *number = 0; /* Also when it is not read: the compiler cannot see that nobody looks then. */
    /* The smallest integers are the numbers of names; as far as there are any, they are names too,
     * by their digits. */
    if (edn->token == EDN_INT && edn->integer >= INT64_MIN + (int64_t)NAMES_MAX) {
        *number = (uint64_t)edn->integer;
        return true;
    }
    const uint32_t around = edn->token == EDN_STRING ? 2 : edn->token == EDN_KEYWORD;
    return intern(names, scratch, edn->text - (around > 0), edn->length + around, number);
}

void jepsen_name_show(const struct jepsen_names *n, uint64_t number, char *text, size_t size_bytes)
{
    if (number >= NAMES_FROM && number - NAMES_FROM < n->count) {
        const struct jepsen_name *name = &n->names[number - NAMES_FROM];
        const int shown = name->length > 40 ? 40 : (int)name->length;
        (void)snprintf(text, size_bytes, "%.*s", shown, n->bytes + name->offset);
    } else {
        (void)snprintf(text, size_bytes, "%" PRId64, (int64_t)number);
    }
}

void jepsen_names_release(struct jepsen_names *names)
{
    free(names->names);
    free(names->slots);
    *names = (struct jepsen_names){0};
}
