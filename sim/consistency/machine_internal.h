/* What the parts of the machine share: machine.c says what operations do, machine_states.c which
 * number a state has. All answer SIM_STATE_NO_MEMORY if there is none. */
#ifndef SIM_CONSISTENCY_MACHINE_INTERNAL_H
#define SIM_CONSISTENCY_MACHINE_INTERNAL_H

#include "sim/consistency/machine.h"

/* The node below `parent` with `symbol`: made if it is new, or SIM_STATE_UNSEEN if the tree is
 * frozen. */
uint32_t sim_machine_child(struct sim_machine *machine, uint32_t parent, uint32_t symbol);
/* The node for a string with the text of a value appended to it. */
uint32_t sim_machine_append_text(struct sim_machine *machine, uint32_t node, uint32_t value);
/* Make no more nodes, and number them so that what is below one is a range. */
void sim_machine_freeze(struct sim_machine *machine);

/* The number of an array; `words` must not point into the machine's own words. */
uint32_t sim_machine_tuple(struct sim_machine *machine, const uint32_t *words, size_t count);
uint32_t sim_machine_tuple_u64(struct sim_machine *machine, uint64_t number);
/* Where in an ascending array `value` is or belongs. */
size_t sim_machine_lower_bound(const uint32_t *items, size_t count, uint32_t value);

#endif
