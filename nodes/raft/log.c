/* The log: entries in memory, and a record of 64 bytes on disk for each, at its index.
 *
 *     0       8                   12               16            56
 *     | term  | term - prev term  | not yet durable | operation  | seal |
 *
 * The distance to the previous entry's term makes the records a chain: a truncation that a
 * crash lost while later writes survived leaves old entries behind new ones, and they do not
 * fit. The second distance, from the index to the last one that was durable when the record
 * was written, is a witness: what it says was durable once must still be there. */
#include "nodes/raft/log.h"

#include "nodes/raft/membership.h"
#include "nodes/raft/storage.h"

#define RECORD_BYTES 64

static uint32_t saturate32(uint64_t value)
{
    return value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

/* ---- Entries ---------------------------------------------------------------------------- */

struct raft_entry raft_entry_of(uint64_t term, const struct sim_operation *operation)
{
    uint8_t bytes[RAFT_OPERATION_BYTES];
    sim_operation_encode(operation, bytes);
    return (struct raft_entry){
        .term = term, .digest = sim_hash_bytes(bytes, sizeof bytes), .operation = *operation};
}

bool raft_decode_operation(struct sim_operation *operation,
                           const uint8_t bytes[RAFT_OPERATION_BYTES])
{
    sim_operation_decode(operation, bytes);
    return operation->function < SIM_FUNCTION_COUNT || operation->function == RAFT_NO_OP ||
           operation->function == RAFT_CONFIGURATION;
}

/* ---- Memory ----------------------------------------------------------------------------- */

static bool reserve_chunk(struct raft_log *log, struct sim_env *env)
{
    if (log->chunk_count == log->chunk_capacity) {
        const uint32_t capacity = log->chunk_capacity ? 2 * log->chunk_capacity : 16;
        struct raft_entry **chunks = sim_alloc(env, capacity * sizeof *chunks);
        if (!chunks) {
            return false;
        }
        for (uint32_t i = 0; i < log->chunk_count; i++) {
            chunks[i] = log->chunks[i];
        }
        sim_release(env, log->chunks);
        log->chunks = chunks;
        log->chunk_capacity = capacity;
    }
    struct raft_entry *chunk = sim_alloc_cold(env, RAFT_CHUNK_ENTRIES * sizeof *chunk);
    if (!chunk) {
        return false;
    }
    log->chunks[log->chunk_count++] = chunk;
    return true;
}

static bool push(struct raft_log *log, struct sim_env *env, const struct raft_entry *entry)
{
    const uint64_t chunk = log->last / RAFT_CHUNK_ENTRIES - log->chunk_base;
    if (chunk == log->chunk_count && !reserve_chunk(log, env)) {
        return false;
    }
    struct raft_entry *added = &log->chunks[chunk][log->last % RAFT_CHUNK_ENTRIES];
    sim_will_write(env, added, sizeof *added);
    *added = *entry;
    log->last++;
    return true;
}

/* Release the chunks that hold only entries before `first`. */
static void drop_front(struct raft_log *log, struct sim_env *env, uint64_t first)
{
    const uint64_t wanted = (first - 1) / RAFT_CHUNK_ENTRIES - log->chunk_base;
    const uint32_t gone = wanted < log->chunk_count ? (uint32_t)wanted : log->chunk_count;
    for (uint32_t i = 0; i < gone; i++) {
        sim_release(env, log->chunks[i]);
    }
    for (uint32_t i = gone; i < log->chunk_count; i++) {
        log->chunks[i - gone] = log->chunks[i];
    }
    log->chunk_count -= gone;
    log->chunk_base += wanted;
}

/* ---- Disk ------------------------------------------------------------------------------- */

/* Where the record of an entry goes. */
static uint64_t position_of(const struct raft *r, const struct sim_env *env, uint64_t index)
{
    const uint64_t end = sim_disk_end(env, RAFT_FILE_LOG);
    const bool appends = raft_has_bug(r, RAFT_R36) || raft_has_bug(r, RAFT_R46);
    return appends && end != 0 ? end : index;
}

/* The disk has refused the last entry. */
static bool write_failed(struct raft *r, struct sim_env *env)
{
    if (raft_has_bug(r, RAFT_R36)) {
        return true;
    }
    r->log.last--; /* Memory must not hold what the disk refused. */
    if (!raft_has_bug(r, RAFT_R37) || r->role != SIM_ROLE_LEADER) {
        raft_halt(r, env);
    }
    return false;
}

bool raft_log_append(struct raft *r, struct sim_env *env, const struct raft_entry *entry)
{
    const uint64_t index = r->log.last + 1;
    const uint64_t prev_term = raft_last_term(r);
    raft_hard_save(r, env);
    if (r->halted || !push(&r->log, env, entry)) {
        return false;
    }
    uint8_t record[RECORD_BYTES];
    sim_put64(record, entry->term);
    sim_put32(record + 8, saturate32(entry->term - prev_term));
    sim_put32(record + 12, saturate32(index - 1 - r->log.durable));
    sim_operation_encode(&entry->operation, record + 16);
    const uint64_t position = position_of(r, env, index);
    raft_record_seal(record, RECORD_BYTES, position);
    const struct sim_label label = {entry->term, entry->digest};
    r->dirty = true;
    if (sim_disk_write(env, RAFT_FILE_LOG, position, record, RECORD_BYTES, label) != SIM_OK &&
        !write_failed(r, env)) {
        return false;
    }
    return SIM_LIKELY(entry->operation.function != RAFT_CONFIGURATION) ||
           raft_membership_appended(r, env, entry, index);
}

void raft_log_truncate(struct raft *r, struct sim_env *env, uint64_t from)
{
    assert(from >= r->log.first);
    if (from > r->log.last) {
        return;
    }
    sim_disk_truncate(env, RAFT_FILE_LOG, from);
    r->log.last = from - 1;
    /* A sync under way still covers the old entries only: what takes their places is not
     * durable when it ends. */
    r->log.durable = r->log.durable < from ? r->log.durable : from - 1;
    r->sync_last = r->sync_last < from ? r->sync_last : from - 1;
    r->verified = r->verified < from ? r->verified : from - 1;
    r->dirty = true;
    raft_membership_truncated(r, env, from);
}

void raft_log_discard(struct raft *r, struct sim_env *env, uint64_t first)
{
    assert(first <= r->snapshot.durable + 1);
    assert(first <= r->log.last + 1);
    if (first <= r->log.first) {
        return;
    }
    const uint64_t before_term = raft_term_at(r, first - 1);
    sim_disk_discard(env, RAFT_FILE_LOG, first);
    drop_front(&r->log, env, first);
    r->log.first = first;
    r->log.before_term = before_term;
    r->dirty = true;
}

void raft_log_restart(struct raft *r, struct sim_env *env, uint64_t index, uint64_t term)
{
    assert(index == r->snapshot.durable);
    raft_log_truncate(r, env, r->log.first);
    sim_disk_discard(env, RAFT_FILE_LOG, index + 1);
    drop_front(&r->log, env, index + 1);
    r->log.first = index + 1;
    r->log.before_term = term;
    r->log.last = index;
    r->log.durable = index;
    r->sync_last = r->sync_last < index ? r->sync_last : index;
    r->dirty = true;
}

/* ---- Recovery --------------------------------------------------------------------------- */

struct found {
    struct raft_entry entry;
    uint32_t term_distance;
    uint64_t durable; /* What was durable when it was written. */
};

static enum raft_record read_record(struct sim_env *env, uint64_t index, struct found *found)
{
    uint32_t size_bytes = 0;
    const uint8_t *record = sim_disk_read(env, RAFT_FILE_LOG, index, &size_bytes);
    const enum raft_record state = raft_record_check(record, size_bytes, RECORD_BYTES, index);
    if (state != RAFT_RECORD_GOOD) {
        return state;
    }
    found->entry.term = sim_get64(record);
    found->entry.digest = sim_hash_bytes(record + 16, RAFT_OPERATION_BYTES);
    found->term_distance = sim_get32(record + 8);
    const uint64_t not_durable = sim_get32(record + 12);
    found->durable = not_durable < index ? index - 1 - not_durable : 0;
    return raft_decode_operation(&found->entry.operation, record + 16) ? RAFT_RECORD_GOOD
                                                                       : RAFT_RECORD_ROTTEN;
}

/* The highest index that some record from `from` on knows to have been durable. */
static uint64_t durable_witness(struct sim_env *env, uint64_t from, uint64_t end)
{
    uint64_t durable = 0;
    for (uint64_t index = from; index < end; index++) {
        struct found found;
        if (read_record(env, index, &found) == RAFT_RECORD_GOOD && found.durable > durable) {
            durable = found.durable;
        }
    }
    return durable;
}

static bool take(struct raft *r, struct sim_env *env, uint64_t index,
                 const struct raft_entry *entry)
{
    return raft_entry_is_valid(r, entry) && push(&r->log, env, entry) &&
           (entry->operation.function != RAFT_CONFIGURATION ||
            raft_membership_appended(r, env, entry, index));
}

/* Where records end to be good there are three cases. A record that is lost or torn was a
 * write that a crash cut short: no sync covered it, so neither it nor what came after it was
 * acknowledged, and the log is cut there. The same goes for a record that is whole but does
 * not continue its predecessor. But one that has rotted, or is lost although a later one
 * knows that it was durable, may be all that is left of a committed entry: to cut the log
 * there and to vote with the shorter one can lose it for everybody (Alagappan et al.,
 * "Protocol-Aware Recovery for Consensus-Based Storage", FAST '18). That recovery asks other
 * nodes for the entry; ours stops. */
static bool read_records(struct raft *r, struct sim_env *env, uint64_t *index, uint64_t end)
{
    for (; *index < end; (*index)++) {
        struct found found = {0};
        const enum raft_record state = read_record(env, *index, &found);
        if (state == RAFT_RECORD_LOST && durable_witness(env, *index + 1, end) < *index) {
            break;
        }
        if (state != RAFT_RECORD_GOOD) {
            return false;
        }
        if (found.term_distance != saturate32(found.entry.term - raft_last_term(r))) {
            break;
        }
        if (!take(r, env, *index, &found.entry)) {
            return false;
        }
    }
    return true;
}

/* What the snapshot covers is not read but discarded: the crash came before that was done. The
 * first record after it tells by its distance whether the log goes on from the snapshot or is
 * another, which the snapshot was to replace. */
bool raft_log_recover(struct raft *r, struct sim_env *env)
{
    const uint64_t begin = sim_disk_begin(env, RAFT_FILE_LOG);
    const uint64_t end = sim_disk_end(env, RAFT_FILE_LOG);
    uint64_t index = r->snapshot.index + 1;
    r->log.first = index;
    r->log.before_term = r->snapshot.term;
    r->log.last = r->log.durable = r->snapshot.index;
    r->log.chunk_base = r->snapshot.index / RAFT_CHUNK_ENTRIES;
    if (begin > index) {
        return false; /* Something was discarded, and the snapshot over it is gone. */
    }
    if (raft_has_bug(r, RAFT_R46) && begin > 0) {
        index = begin;
    }
    if (!read_records(r, env, &index, end)) {
        return false;
    }
    if (index < end) {
        sim_disk_truncate(env, RAFT_FILE_LOG, index);
        r->dirty = true;
    }
    if (r->snapshot.index > 0 && begin < r->log.first) {
        sim_disk_discard(env, RAFT_FILE_LOG, r->log.first);
        r->dirty = true;
    }
    r->log.durable = r->log.last;
    return true;
}
