/* The inside of the writer, shared by the write*.c files and by nobody else:
 *
 *     write.c          the whole, zones, checks         write_nodes.c    groups, settings
 *     write_value.c    quantities, selections           write_clients.c  workloads, scripts
 *     write_knobs.c    links, hosts, disks, clocks      write_faults.c   faults, swarm, fates
 *     write_text.c     JSON as people lay it out
 */
#ifndef SCENARIOS_WRITE_INTERNAL_H
#define SCENARIOS_WRITE_INTERNAL_H

#include <cjson/cJSON.h>

#include "scenarios/format/units.h"
#include "scenarios/format/write.h"

struct write {
    const struct sim_plan *plan;
    uint32_t server_count;
    const char *problem; /* The first; NULL so far. */
};

/* The format cannot say something. */
void write_fail(struct write *w, const char *problem);

/* ---- write_value.c: each adds a member `key`, or an element ---------------------------------
 *
 * Without memory nothing is added, and the parent's type gets this bit: then there will be no text.
 * Adding to what could not be added does nothing. */
#define WRITE_INCOMPLETE (1 << 16) /* cJSON's own flags are all below. */

cJSON *write_object(cJSON *parent, const char *key);
cJSON *write_array(cJSON *parent, const char *key);
cJSON *write_element(cJSON *array); /* An object. */
void write_string(cJSON *array, const char *text);
void write_drop_empty(cJSON *parent, const char *key); /* Take an object without members away. */

void write_text(cJSON *object, const char *key, const char *text);
void write_count(cJSON *object, const char *key, uint64_t count); /* Below 2^53. */
void write_integer(cJSON *object, const char *key, int64_t integer);
void write_bool(cJSON *object, const char *key, bool value);
void write_quantity(cJSON *object, const char *key, enum units_class class, uint64_t value);
void write_signed(cJSON *object, const char *key, enum units_class class, int64_t value);
void write_range(cJSON *object, const char *key, enum units_class class, uint64_t low,
                 uint64_t high);
void write_dist(cJSON *object, const char *key, enum units_class class,
                const struct sim_dist *dist);
bool write_dist_equal(const struct sim_dist *a, const struct sim_dist *b);
void write_selection(struct write *w, cJSON *object, const char *key,
                     const struct sim_selection *selection);
/* An array of two selections. */
void write_sides(struct write *w, cJSON *object, const char *key, const struct sim_selection *one,
                 const struct sim_selection *other);
/* "between", or "from" and "to"; nothing for everybody both ways. */
void write_ends(struct write *w, cJSON *object, const struct sim_selection *from,
                const struct sim_selection *to, bool one_way);
bool write_is_everybody(const struct sim_selection *selection);
/* A kind whose nodes the selection may hold; NULL if there are none. */
const struct sim_node_kind *write_kind_of(const struct write *w,
                                          const struct sim_selection *selection);

/* ---- write_knobs.c ------------------------------------------------------------------------- */

void write_link_knobs(struct write *w, cJSON *object, const struct sim_link_change *change);
void write_disk_knobs(cJSON *object, const struct sim_disk_change *change);
/* What differs from a standard host; nothing if nothing does. */
void write_host(cJSON *object, const struct sim_host_knobs *host);

/* ---- write_nodes.c, write_clients.c, write_faults.c ---------------------------------------- */

void write_setting(cJSON *object, const struct sim_setting *setting, struct sim_value value);
/* Members are named by number, and have everything but their zones in common. */
void write_check_members(struct write *w, const char *name, uint32_t first, uint32_t count);
/* "zone", or "zones" to be taken in turn: the shortest list that does. */
void write_member_zones(const struct write *w, cJSON *object, uint32_t first, uint32_t count);
void write_nodes(struct write *w, cJSON *root);
void write_clients(struct write *w, cJSON *root);
void write_faults(struct write *w, cJSON *root);
void write_swarm(struct write *w, cJSON *root);
void write_fates(struct write *w, cJSON *root);

/* ---- write_text.c -------------------------------------------------------------------------- */

/* The tree as text: what fits into a line is one. To be freed; NULL if out of memory. */
char *write_print(const cJSON *tree);

#endif
