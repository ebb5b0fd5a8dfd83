/* The library's state machine: the replicated key-value store. */
#include "nodes/libraft/libraft_internal.h"

static struct libraft_node *node_of(const struct raft_fsm *fsm)
{
    return fsm->data;
}

/* Entries up to `last` that the state machine has not been given: configurations, barriers. */
static void report_own(struct libraft_node *node, raft_index last)
{
    while (node->reported < last) {
        const struct raft_entry *entry = libraft_entry_at(&node->raft, ++node->reported);
        if (entry) {
            sim_applied(node->env, node->reported, entry->term, libraft_entry_digest(entry), NULL,
                        false);
        }
    }
}

void libraft_fsm_report(struct libraft_node *node)
{
    if (node->restored) {
        node->restored = false;
        node->reported = node->raft.last_applied; /* All of it is in the snapshot. */
    }
    report_own(node, node->raft.last_applied);
}

/* The library does not say which entry it applies; it is the one after the last. */
static int fsm_apply(struct raft_fsm *fsm, const struct raft_buffer *buf, void **result)
{
    struct libraft_node *node = node_of(fsm);
    const raft_index index = raft_last_applied(&node->raft) + 1;
    const struct raft_entry *entry = libraft_entry_at(&node->raft, index);
    libraft_fsm_report(node);
    node->reported = index;
    struct sim_operation operation;
    if (!entry || buf->len != SIM_OPERATION_BYTES) {
        return RAFT_MALFORMED;
    }
    sim_operation_decode(&operation, buf->base);
    bool took_effect;
    node->answer = kv_apply(&node->kv, node->env, &operation, &node->value, &took_effect);
    sim_applied(node->env, index, entry->term, libraft_entry_digest(entry), &operation,
                took_effect);
    *result = NULL; /* The answer is in the node. */
    return 0;
}

static int fsm_snapshot(struct raft_fsm *fsm, struct raft_buffer *bufs[], unsigned *count)
{
    struct libraft_node *node = node_of(fsm);
    const size_t size_bytes = kv_encoded_bytes(&node->kv);
    *bufs = raft_malloc(sizeof **bufs);
    void *bytes = raft_malloc(size_bytes);
    if (!*bufs || !bytes) {
        raft_free(*bufs);
        raft_free(bytes);
        return RAFT_NOMEM;
    }
    kv_encode(&node->kv, bytes);
    (*bufs)[0] = (struct raft_buffer){.base = bytes, .len = size_bytes};
    *count = 1;
    return 0;
}

static int fsm_restore(struct raft_fsm *fsm, struct raft_buffer *buf)
{
    struct libraft_node *node = node_of(fsm);
    const enum sim_status status = kv_decode(&node->kv, node->env, buf->base, buf->len);
    if (status != SIM_OK) {
        return status == SIM_ENOMEM ? RAFT_NOMEM : RAFT_MALFORMED;
    }
    raft_free(buf->base); /* Ours on success. */
    node->restored = true;
    return 0;
}

void libraft_fsm_init(struct libraft_node *node)
{
    kv_init(&node->kv);
    node->fsm = (struct raft_fsm){
        .version = 1,
        .data = node,
        .apply = fsm_apply,
        .snapshot = fsm_snapshot,
        .restore = fsm_restore,
    };
}
