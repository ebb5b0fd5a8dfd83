/* The inside of the loader, shared by the load*.c files and by nobody else. Each section of a
 * scenario has a file; all of them go on after an error, so that every error is reported.
 *
 *     load.c           the whole, its texts and sizes     load_nodes.c    groups and settings
 *     load_keys.c      the keys of every object           load_clients.c  workloads
 *     load_script.c    their operations one by one        load_faults.c   faults, conditions
 *     load_value.c     single values and their errors     load_swarm.c    random faults, fates
 *     load_set.c       values set from outside
 *     load_select.c    selectors                          load_checks.c   checks, verdicts
 *     load_knobs.c     links, hosts, disks, clocks        load_topology.c zones, link rules
 *     load_action.c    what a fault does                  distribution.c  distributions
 */
#ifndef SCENARIOS_LOAD_H
#define SCENARIOS_LOAD_H

#include "scenarios/format/json.h"
#include "scenarios/format/scenario.h"
#include "scenarios/format/suggest.h"
#include "scenarios/format/units.h"

#define LOAD_ERRORS_MAX 100

struct load {
    struct scenario *scenario;
    struct sim_plan *plan; /* The scenario's. */
    const char *text;
    size_t size_bytes;
    const char *const *sets; /* "PATH=VALUE" */
    size_t set_count;
    uint32_t server_count; /* Nodes before the first client. */
    bool groups_are_known; /* Else a name that is not found is no error of its own. */
    bool out_of_memory;
    struct sim_host_knobs host; /* The topology's defaults. */
};

/* ---- load_keys.c ------------------------------------------------------------------------- */

/* Every kind of object of the format; scenarios/schema.json has a definition for each. */
enum load_object {
    LOAD_SCENARIO,
    LOAD_TOPOLOGY,
    LOAD_LINK,
    LOAD_BURST,
    LOAD_HOST,
    LOAD_CPU,
    LOAD_CLOCK,
    LOAD_CLOCK_SYNC,
    LOAD_DISK,
    LOAD_EGRESS,
    LOAD_NODES,
    LOAD_CLIENTS,
    LOAD_OPERATIONS,
    LOAD_TRANSACTIONS,
    LOAD_STEP,
    LOAD_STEP_READ,
    LOAD_STEP_WRITE,
    LOAD_STEP_CAS,
    LOAD_STEP_PART,
    LOAD_FAULT,
    LOAD_CONDITION,
    LOAD_SLOW,
    LOAD_PARTITION,
    LOAD_LINK_FAULT,
    LOAD_ADVERSARY,
    LOAD_DISK_FAULT,
    LOAD_CLOCK_FAULT,
    LOAD_MOVE,
    LOAD_ADMIN,
    LOAD_FIREWALL,
    LOAD_COMMAND,
    LOAD_SCALE,
    LOAD_SWARM,
    LOAD_FATE,
    LOAD_DISTRIBUTION,
    LOAD_LOGNORMAL,
    LOAD_PARETO,
    LOAD_MIXTURE_PART,
    LOAD_OBJECT_COUNT
};

struct load_object_info {
    const char *name;        /* Of its definition in the schema. */
    const char *const *keys; /* NULL-terminated. */
};
extern const struct load_object_info load_objects[LOAD_OBJECT_COUNT];

/* ---- load_value.c ------------------------------------------------------------------------ */

/* Report an error at a value; load_error_key(): at its key. Never fails. */
__attribute__((format(printf, 3, 4))) void load_error(struct load *l, const struct json_at *at,
                                                      const char *format, ...);
__attribute__((format(printf, 3, 4))) void load_error_key(struct load *l, const struct json_at *at,
                                                          const char *format, ...);
/* An error that is at no place of the text. */
void load_error_nowhere(struct load *l, const char *path, const char *message);

/* "expected a duration such as "250ms", found the number 5" */
void load_expected(struct load *l, const struct json_at *at, const char *expected);
/* "there is no node kind "rafd"; did you mean "raft"?", else "; see `fallacy list nodes`". */
void load_unknown(struct load *l, const struct json_at *at, const char *what,
                  const struct suggestion *suggestion, const char *otherwise);

/* All that follow answer false after reporting an error, and leave the value as it was. Those
 * for a key answer true without changing the value if the key is absent. */

/* An object with known keys only; false if it is not an object at all. */
bool load_object(struct load *l, const struct json_at *at, enum load_object object);
/* An array of at most `limit` elements. */
bool load_array(struct load *l, const struct json_at *at, uint32_t limit);
/* The member `key`, which must be there; an error at the object if it is not. */
bool load_required(struct load *l, const struct json_at *object, const char *key,
                   struct json_at *member);

bool load_text(struct load *l, const struct json_at *at, const char **text); /* Borrowed. */
bool load_quantity(struct load *l, const struct json_at *at, enum units_class class,
                   uint64_t *value);
bool load_signed(struct load *l, const struct json_at *at, enum units_class class, int64_t *value);
bool load_probability(struct load *l, const struct json_at *at, uint32_t *ppm); /* At most 1. */
bool load_count(struct load *l, const struct json_at *at, uint64_t minimum, uint64_t maximum,
                uint64_t *value);
bool load_bool(struct load *l, const struct json_at *at, bool *value);
/* A word of a NULL-terminated list; its number. */
bool load_choice(struct load *l, const struct json_at *at, const char *what,
                 const char *const *choices, uint32_t *value);
/* A name for a thing: a letter, then letters, digits, '_', '-' or '.', short enough. */
bool load_name(struct load *l, const struct json_at *at, size_t length_max, const char **name);

bool load_key_quantity(struct load *l, const struct json_at *object, const char *key,
                       enum units_class class, uint64_t *value);
bool load_key_probability(struct load *l, const struct json_at *object, const char *key,
                          uint32_t *ppm);
bool load_key_count(struct load *l, const struct json_at *object, const char *key, uint64_t minimum,
                    uint64_t maximum, uint64_t *value);
bool load_key_bool(struct load *l, const struct json_at *object, const char *key, bool *value);

/* A new zeroed element at the end of a plan's array, whose count is at `count`; NULL (with an
 * error at `at`) if there are `limit` already or memory is out. `array_pointer` is the address
 * of the plan's pointer. */
void *load_append(struct load *l, const struct json_at *at, void *array_pointer, uint32_t *count,
                  uint32_t limit, size_t element_bytes);

/* ---- distribution.c ---------------------------------------------------------------------- */

/* The unit of the values is the class's: UNITS_DURATION, UNITS_SHARE (where jitter tables may
 * be named), UNITS_DRIFT. */
bool load_distribution(struct load *l, const struct json_at *at, enum units_class class,
                       struct sim_dist *dist);
bool load_key_distribution(struct load *l, const struct json_at *object, const char *key,
                           enum units_class class, struct sim_dist *dist);

/* ---- load_set.c -------------------------------------------------------------------------- */

/* Replace or add the values that `sets` name. */
void load_apply_sets(struct load *l, cJSON *tree);
/* The set that an error at this path comes from; NULL if it comes from the text. */
const char *load_set_of(const struct load *l, const char *path, bool in_text);

/* ---- load_select.c ----------------------------------------------------------------------- */

enum load_select_flag {
    LOAD_STATIC = 1,  /* Nothing that depends on the run. */
    LOAD_SERVERS = 2, /* No clients. */
};
/* A selector or an array of them. */
bool load_selection(struct load *l, const struct json_at *at, unsigned flags,
                    struct sim_selection *selection);
bool load_key_selection(struct load *l, const struct json_at *object, const char *key,
                        unsigned flags, bool required, struct sim_selection *selection);
/* One node or client by name. */
bool load_node_name(struct load *l, const struct json_at *at, uint32_t *node);
/* Is this word a selector of its own ("leader"), so that nobody may be named so? */
bool load_is_reserved(const char *word);
/* Every node and every client. */
void load_select_everybody(struct sim_selection *selection);
/* Could the selection hold this node, some time? */
bool load_may_hold(const struct load *l, const struct sim_selection *selection, uint32_t node);

/* ---- load_knobs.c, load_topology.c ------------------------------------------------------- */

/* The knobs among the keys of a link object; others are not looked at. */
void load_link_knobs(struct load *l, const struct json_at *at, struct sim_link_change *change);
void load_host_knobs(struct load *l, const struct json_at *at, struct sim_host_knobs *host);
void load_disk_knobs(struct load *l, const struct json_at *at, struct sim_disk_change *change);
/* A drift, which is at most half as fast or slow again. */
bool load_drift(struct load *l, const struct json_at *at, int64_t *drift_ppb);
/* "between": [a, b], or "from" and "to". */
bool load_ends(struct load *l, const struct json_at *at, unsigned flags, struct sim_selection *from,
               struct sim_selection *to, bool *one_way);

void load_topology(struct load *l, const struct json_at *root); /* Zones, hosts; first. */
void load_links(struct load *l, const struct json_at *root);    /* After nodes and clients. */
/* The zones of a group of nodes or clients: "zone", "zones" or the only one. */
struct load_zones {
    uint32_t count;
    uint32_t zones[SIM_ZONES_MAX];
};
void load_zones(struct load *l, const struct json_at *at, struct load_zones *zones);
bool load_zone(struct load *l, const struct json_at *at, uint32_t *zone);

/* ---- load_nodes.c, load_clients.c -------------------------------------------------------- */

void load_nodes(struct load *l, const struct json_at *root);
void load_clients(struct load *l, const struct json_at *root);
/* The script of a workload whose sessions are in the plan already. */
void load_script(struct load *l, const struct json_at *at, uint32_t workload);
/* All scripts are loaded: put their steps in the order of their times. */
void load_script_order(struct load *l);
/* The value of a setting of a kind, for `config` and for administrators. */
bool load_setting(struct load *l, const struct json_at *at, const struct sim_setting *setting,
                  struct sim_value *value);
/* The number of a setting of a kind; an error at the key if there is none. */
bool load_setting_name(struct load *l, const struct json_at *at, const struct sim_node_kind *kind,
                       uint32_t *setting);
bool load_group(struct load *l, const struct json_at *at, uint32_t *group);
/* The name of a group or of clients, not taken yet. */
bool load_new_name(struct load *l, const struct json_at *at, uint64_t count, const char **name);
bool load_add_node(struct load *l, const struct json_at *at, const char *name, uint64_t number,
                   uint64_t count, const struct sim_plan_node *node);

/* ---- load_faults.c, load_action.c, load_swarm.c, load_checks.c ------------------------------ */

void load_administrators(struct load *l, const struct json_at *root);
void load_faults(struct load *l, const struct json_at *root);
/* The keys that say what a fault does, in the order of messages; NULL-terminated. */
extern const char *const load_actions[];
/* Fill in what the action `key` of the fault at `at` does. May add faults like `fault` to the
 * plan (an administrator who changes several settings); the last is left to the caller. */
bool load_action(struct load *l, const struct json_at *at, const char *key,
                 struct sim_fault *fault);
/* The number of something that the nodes of a selection have by this name. */
enum load_feature { LOAD_FACT, LOAD_COMMAND_NAME };
bool load_feature(struct load *l, const struct json_at *at, const struct sim_selection *nodes,
                  enum load_feature feature, const struct sim_node_kind **kind, uint32_t *index);

void load_swarm(struct load *l, const struct json_at *root);
void load_fates(struct load *l, const struct json_at *root);
void load_checks(struct load *l, const struct json_at *root);

#endif
