/* States as numbers: equal states have equal ones. Strings, lists and stacks are nodes of a tree of
 * prefixes, sets, queues and sums interned arrays. */
#include "sim/consistency/machine_internal.h"

#define STATES_MAX (UINT32_MAX - 16)

/* ---- The tree of prefixes -------------------------------------------------------------------- */

static uint64_t node_hash(uint32_t parent, uint32_t symbol)
{
    return sim_mix64((uint64_t)parent << 32 | symbol);
}

static bool nodes_rehash(struct sim_machine *m)
{
    const size_t wanted = m->node_slot_count ? 2 * m->node_slot_count : 64;
    uint32_t *slots = sim_scratch_alloc(m->scratch, wanted, sizeof *slots);
    if (!slots) {
        return false;
    }
    for (size_t i = 0; i < m->node_slot_count; i++) {
        const uint32_t node = m->node_slots[i];
        if (node) {
            size_t slot = (size_t)node_hash(m->nodes[node].parent, m->nodes[node].symbol);
            for (slot &= wanted - 1; slots[slot]; slot = (slot + 1) & (wanted - 1)) {
            }
            slots[slot] = node;
        }
    }
    sim_scratch_release(m->scratch, m->node_slots, m->node_slot_count, sizeof *m->node_slots);
    m->node_slots = slots;
    m->node_slot_count = wanted;
    return true;
}

static uint32_t node_new(struct sim_machine *m, uint32_t parent, uint32_t symbol)
{
    if (m->node_count >= STATES_MAX || !sim_scratch_grow(m->scratch, &m->nodes, &m->node_capacity,
                                                         m->node_count + 1, sizeof *m->nodes)) {
        return SIM_STATE_NO_MEMORY;
    }
    m->nodes[m->node_count] = (struct sim_tree_node){.parent = parent, .symbol = symbol};
    return (uint32_t)m->node_count++;
}

/* Most nodes have one child, which is found without the table. */
uint32_t sim_machine_child(struct sim_machine *m, uint32_t parent, uint32_t symbol)
{
    if (parent == SIM_STATE_UNSEEN) {
        return parent;
    }
    const uint32_t first = m->nodes[parent].first_child;
    if (first && m->nodes[first].symbol == symbol) {
        return first;
    }
    if (!first) {
        if (m->frozen) {
            return SIM_STATE_UNSEEN;
        }
        const uint32_t node = node_new(m, parent, symbol);
        if (node != SIM_STATE_NO_MEMORY) {
            m->nodes[parent].first_child = node;
        }
        return node;
    }
    if (!m->frozen && 2 * m->node_slots_used >= m->node_slot_count && !nodes_rehash(m)) {
        return SIM_STATE_NO_MEMORY;
    }
    const size_t mask = m->node_slot_count - 1;
    size_t slot = (size_t)node_hash(parent, symbol) & mask;
    for (; m->node_slots_used > 0 && m->node_slots[slot]; slot = (slot + 1) & mask) {
        const struct sim_tree_node *n = &m->nodes[m->node_slots[slot]];
        if (n->parent == parent && n->symbol == symbol) {
            return m->node_slots[slot];
        }
    }
    if (m->frozen) {
        return SIM_STATE_UNSEEN;
    }
    const uint32_t node = node_new(m, parent, symbol);
    if (node != SIM_STATE_NO_MEMORY) {
        m->node_slots[slot] = node;
        m->node_slots_used++;
    }
    return node;
}

/* Parents are older than children. */
void sim_machine_freeze(struct sim_machine *m)
{
    for (size_t i = 0; i < m->node_count; i++) {
        m->nodes[i].leave = 1; /* Until the last loop, how many nodes there are from here down. */
    }
    for (size_t i = m->node_count - 1; i > 0; i--) {
        m->nodes[m->nodes[i].parent].leave += m->nodes[i].leave;
    }
    /* At first enter is a node's own number, which is where its first child begins, less one; each
     * child moves it on by its size. */
    m->nodes[0].enter = 0;
    for (size_t i = 1; i < m->node_count; i++) {
        struct sim_tree_node *parent = &m->nodes[m->nodes[i].parent];
        const uint32_t size = m->nodes[i].leave;
        m->nodes[i].enter = parent->enter + 1;
        parent->enter += size;
    }
    /* The last child has moved it to the last node below: the end of the range. */
    for (size_t i = 0; i < m->node_count; i++) {
        struct sim_tree_node *node = &m->nodes[i];
        const uint32_t size = node->leave;
        node->leave = node->enter + 1;
        node->enter = node->leave - size;
    }
    m->frozen = true;
}

uint32_t sim_machine_append_text(struct sim_machine *m, uint32_t node, uint32_t value)
{
    const struct sim_history_value *v = &m->history->values[value];
    if (v->type == SIM_VALUE_IS_INTEGER) { /* A string that is not one: a letter of its own. */
        return sim_machine_child(m, node, 256 + value);
    }
    const char *text = v->size_bytes > 0 ? m->history->bytes + v->bits : "";
    for (uint32_t i = 0; i < v->size_bytes && node < SIM_STATE_UNSEEN; i++) {
        node = sim_machine_child(m, node, (uint8_t)text[i]);
    }
    return node;
}

/* ---- Interned arrays ------------------------------------------------------------------------- */

static uint64_t words_hash(const uint32_t *words, size_t count)
{
    uint64_t h = count;
    for (size_t i = 0; i < count; i++) {
        h = (h ^ words[i]) * UINT64_C(0xff51afd7ed558ccd);
        h ^= h >> 32;
    }
    return h;
}

static bool tuples_rehash(struct sim_machine *m)
{
    const size_t wanted = m->tuple_slot_count ? 2 * m->tuple_slot_count : 64;
    uint32_t *slots = sim_scratch_alloc(m->scratch, wanted, sizeof *slots);
    if (!slots) {
        return false;
    }
    for (size_t i = 0; i < m->tuple_count; i++) {
        const size_t start = m->tuple_starts[i];
        size_t slot = (size_t)words_hash(m->words + start, m->tuple_starts[i + 1] - start);
        for (slot &= wanted - 1; slots[slot]; slot = (slot + 1) & (wanted - 1)) {
        }
        slots[slot] = (uint32_t)i + 1;
    }
    sim_scratch_release(m->scratch, m->tuple_slots, m->tuple_slot_count, sizeof *m->tuple_slots);
    m->tuple_slots = slots;
    m->tuple_slot_count = wanted;
    return true;
}

uint32_t sim_machine_tuple(struct sim_machine *m, const uint32_t *words, size_t count)
{
    if (2 * m->tuple_count >= m->tuple_slot_count && !tuples_rehash(m)) {
        return SIM_STATE_NO_MEMORY;
    }
    const size_t mask = m->tuple_slot_count - 1;
    size_t slot = (size_t)words_hash(words, count) & mask;
    for (; m->tuple_slots[slot]; slot = (slot + 1) & mask) {
        const uint32_t number = m->tuple_slots[slot] - 1;
        const size_t start = m->tuple_starts[number];
        if (m->tuple_starts[number + 1] - start == count &&
            (count == 0 || memcmp(m->words + start, words, count * sizeof *words) == 0)) {
            return number;
        }
    }
    if (m->tuple_count >= STATES_MAX ||
        !sim_scratch_grow(m->scratch, &m->words, &m->word_capacity, m->word_count + count,
                          sizeof *m->words) ||
        !sim_scratch_grow(m->scratch, &m->tuple_starts, &m->tuple_capacity, m->tuple_count + 2,
                          sizeof *m->tuple_starts)) {
        return SIM_STATE_NO_MEMORY;
    }
    if (count > 0) {
        memcpy(m->words + m->word_count, words, count * sizeof *words);
    }
    m->word_count += count;
    m->tuple_starts[m->tuple_count + 1] = m->word_count;
    m->tuple_slots[slot] = (uint32_t)m->tuple_count + 1;
    return (uint32_t)m->tuple_count++;
}

uint32_t sim_machine_tuple_u64(struct sim_machine *m, uint64_t number)
{
    return sim_machine_tuple(m, (uint32_t[]){(uint32_t)number, (uint32_t)(number >> 32)}, 2);
}

size_t sim_machine_lower_bound(const uint32_t *items, size_t count, uint32_t value)
{
    size_t low = 0;
    while (low < count) {
        const size_t middle = low + (count - low) / 2;
        if (items[middle] < value) {
            low = middle + 1;
        } else {
            count = middle;
        }
    }
    return low;
}

bool sim_machine_has(const struct sim_machine *m, uint32_t state, uint32_t value)
{
    const uint32_t *items = m->words + m->tuple_starts[state];
    const size_t count = m->tuple_starts[state + 1] - m->tuple_starts[state];
    const size_t at = sim_machine_lower_bound(items, count, value);
    return at < count && items[at] == value;
}
