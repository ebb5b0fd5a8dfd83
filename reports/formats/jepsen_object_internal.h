/* What the two readings of Jepsen's histories of objects share: jepsen_survey.c sees what the
 * object is, jepsen_object.c reads the operations. */
#ifndef REPORTS_FORMATS_JEPSEN_OBJECT_INTERNAL_H
#define REPORTS_FORMATS_JEPSEN_OBJECT_INTERNAL_H

#include "reports/formats/jepsen_event.h"
#include "reports/formats/jepsen_object.h"

/* The value of an :invoke. */
enum { JEPSEN_TAKES_NOTHING, JEPSEN_TAKES_VALUE, JEPSEN_TAKES_PAIR };

struct jepsen_function {
    const char *name;
    uint8_t action; /* enum sim_action */
    uint8_t takes;  /* JEPSEN_TAKES_.. */
    bool of_kv;     /* A word that only key-value stores have. */
};

/* The one whose name the keyword is; NULL if there is none. */
const struct jepsen_function *jepsen_function_of(const struct edn *keyword);

/* Sees what the object is, if that is SIM_OBJECT_COUNT, which it stays if that cannot be told, and
 * whether values come with a key. Goes only as far as needed. Problems are not told: they come up
 * again. */
void jepsen_survey(const char *bytes, size_t size_bytes, uint32_t *object, bool *pairs);

static inline bool jepsen_is_sequence(const struct edn *edn)
{
    return edn->token == EDN_VECTOR || edn->token == EDN_LIST;
}

static inline bool jepsen_is_collection(const struct edn *edn)
{
    return edn->token >= EDN_VECTOR;
}

#endif
