/* What the parts of the session guarantees of lists share: guarantees_lists.c judges,
 * guarantees_lists_session.c knows what one session did and saw, guarantees_lists_follow.c what
 * followed from that across sessions. */
#ifndef SIM_CONSISTENCY_GUARANTEES_LISTS_INTERNAL_H
#define SIM_CONSISTENCY_GUARANTEES_LISTS_INTERNAL_H

#include "sim/consistency/guarantees.h"

struct sim_guarantee_lists {
    struct sim_guarantees *g;
    const struct sim_sessions *s;
    bool *known;          /* By read: it is known who appended all that it shows. */
    uint32_t *shown_by;   /* By append: the last read marked that shows it, plus 1. */
    uint32_t *next;       /* By append: the element known to stand behind it, plus 1. */
    uint32_t *last_write; /* By node: the one before it of its session and key, plus 1; 0: none; */
    uint32_t *last_read;
    uint32_t *own_count; /* and how many appends there are. */
};

/* The elements that a read saw. */
struct sim_shown {
    const uint32_t *items; /* Borrowed from the history. */
    size_t count;
    uint32_t key;
};

static inline bool sim_guarantee_is_read(const struct sim_guarantee_lists *l, uint32_t node)
{
    return sim_session_operation(l->s, node)->action == SIM_ACTION_READ;
}

static inline struct sim_shown sim_shown_by(const struct sim_guarantee_lists *l, uint32_t read)
{
    const struct sim_history *h = l->s->history;
    const uint32_t list = sim_session_operation(l->s, read)->result;
    return (struct sim_shown){h->items + h->list_starts[list],
                              h->list_starts[list + 1] - h->list_starts[list],
                              l->s->nodes[read].key};
}

/* Who appended the i-th of them; or SIM_SOURCE_NOWHERE or SIM_SOURCE_UNKNOWN. */
static inline uint32_t sim_shown_append(const struct sim_guarantee_lists *l,
                                        const struct sim_shown *shown, size_t i)
{
    return sim_sessions_writer(l->s, shown->key, shown->items[i]);
}

/* Does the read that was marked last show it? */
static inline bool sim_guarantee_shows(const struct sim_guarantee_lists *l, uint32_t read,
                                       uint32_t append)
{
    return l->shown_by[append] == read + 1;
}

/* Sets the trial's answer, shown at `node` and blamed on all three; answers false. */
bool sim_guarantee_violated(struct sim_guarantee_lists *lists, const char *why, uint32_t node,
                            uint32_t a, uint32_t b);

/* ---- guarantees_lists_session.c -------------------------------------------------------------- */

/* Fills last_write, last_read and own_count. False without memory. */
bool sim_guarantee_find_previous(struct sim_guarantee_lists *lists);
/* Of the read that was marked last: read your writes, monotonic reads, monotonic writes. False: the
 * trial has its answer. */
bool sim_guarantee_shows_own_writes(struct sim_guarantee_lists *lists, uint32_t read);
bool sim_guarantee_shows_what_was_seen(struct sim_guarantee_lists *lists, uint32_t read);
bool sim_guarantee_shows_writes_before(struct sim_guarantee_lists *lists, uint32_t read);
/* Adds the order of versions: that a session's writes have versions in its order, whatever their
 * keys, or that they are newer than what it had read (writes follow reads). False without memory.
 */
bool sim_guarantee_order_sessions(struct sim_guarantee_lists *lists);

/* ---- guarantees_lists_follow.c --------------------------------------------------------------- */

/* Writes follow reads, all but the order of versions. False: the trial has its answer, or there is
 * no memory. */
bool sim_guarantee_writes_follow_reads(struct sim_guarantee_lists *lists);

#endif
