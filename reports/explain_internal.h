/* Shared by the files of `explain`: explain.c finds causes, explain_words.c tells them. */
#ifndef REPORTS_EXPLAIN_INTERNAL_H
#define REPORTS_EXPLAIN_INTERNAL_H

#include "reports/explain.h"
#include "reports/join.h"

#define EXPLAIN_NONE JOIN_NONE

struct explain_record {
    struct sim_record record;
    size_t previous; /* On the same node, EXPLAIN_NONE if it is the first. */
    size_t cause;    /* A delivery's or drop's send; EXPLAIN_NONE if there is none. */
    size_t trigger;  /* An effect's delivery, timer, ... that the node was handling. */
    bool changes;    /* A trigger that changed a fact or the disk. */
    bool kept;       /* Part of the cone that matters. */
    bool told;       /* A fact that has a place in a sentence, and */
    uint64_t was;    /* what it was when it was last told. */
};

struct explain {
    const struct sim_plan *plan;
    struct sim_sink sink;
    struct explain_record *records;
    size_t count;
    size_t capacity;
    size_t *last;    /* By node: its latest record. */
    size_t *trigger; /* By node: what it is handling. */
    bool out_of_memory;
    bool violated; /* The last record is the violation. */
    struct explain_line *lines;
    size_t line_count;
};

/* Has the fact names for its values, as a role has? */
bool explain_is_named(const struct sim_fact *fact);
/* Is it worth a sentence of its own? */
bool explain_is_milestone(const struct explain *explain, const struct explain_record *r);
void explain_tell(const struct explain *explain, size_t at, struct explain_line *line);
/* A fact of the cone that is worth telling, not overtaken by a later value. */
bool explain_is_fact_told(const struct explain *explain, size_t at);
/* Is it told, and not within the sentence of an earlier record? */
bool explain_starts_line(const struct explain *explain, size_t at);
/* Add a record to the line of the one told before it, of which it says the same of another node;
 * false if it needs its own. */
bool explain_join(const struct explain *explain, size_t before, size_t at,
                  struct explain_line *line);
/* Deliveries of the kind of `trigger` to its node since the node's facts last changed. */
bool explain_gathers(const struct explain *explain, size_t fact, size_t delivery);

#endif
