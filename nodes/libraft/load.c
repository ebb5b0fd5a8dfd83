#include "nodes/libraft/storage.h"

#include <stdio.h>

void libraft_address(uint32_t number, char address[LIBRAFT_ADDRESS_MAX])
{
    snprintf(address, LIBRAFT_ADDRESS_MAX, "%u", number);
}

/* ---- Records in two copies ---------------------------------------------------------------- */

static bool is_whole_at(const struct libraft_node *node, enum libraft_file file, uint64_t position)
{
    uint32_t size_bytes = 0;
    const uint8_t *bytes = sim_disk_read(node->env, file, position, &size_bytes);
    return libraft_record_is_whole(file, bytes, size_bytes);
}

/* The bytes of the first whole copy; NULL if there is none. */
static const uint8_t *read_copy(const struct libraft_node *node, enum libraft_file file,
                                uint32_t *size_bytes)
{
    const uint64_t position = is_whole_at(node, file, 0) ? 0 : LIBRAFT_SPARE;
    return is_whole_at(node, file, position) ? sim_disk_read(node->env, file, position, size_bytes)
                                             : NULL;
}

/* Neither copy is whole, though both were written once. A first record torn at a crash has no
 * copy yet, and nothing had followed from it. */
static bool is_rotten(const struct libraft_node *node, enum libraft_file file)
{
    uint32_t size_bytes;
    return !read_copy(node, file, &size_bytes) &&
           sim_disk_read(node->env, file, LIBRAFT_SPARE, NULL);
}

/* Make position 0 whole again, so that the next change can tear the spare. */
static int repair(struct libraft_node *node, enum libraft_file file, struct sim_label label)
{
    if (sim_disk_begin(node->env, file) > 0) {
        /* Only the spare of a first record that was never synced. */
        sim_disk_truncate(node->env, file, sim_disk_begin(node->env, file));
        node->written++;
        return 0;
    }
    uint32_t size_bytes;
    const uint8_t *spare = read_copy(node, file, &size_bytes);
    if (!spare || is_whole_at(node, file, 0)) {
        return 0;
    }
    uint8_t *bytes = libraft_scratch(node, size_bytes);
    if (!bytes) {
        return RAFT_NOMEM;
    }
    memcpy(bytes, spare, size_bytes);
    node->written++;
    return sim_disk_write(node->env, file, 0, bytes, size_bytes, label) == SIM_OK ? 0 : RAFT_IOERR;
}

bool libraft_is_pristine(const struct libraft_node *node)
{
    uint32_t size_bytes;
    return sim_disk_end(node->env, LIBRAFT_LOG) == sim_disk_begin(node->env, LIBRAFT_LOG) &&
           !read_copy(node, LIBRAFT_HARD, &size_bytes) &&
           !read_copy(node, LIBRAFT_SNAPSHOT, &size_bytes) && !is_rotten(node, LIBRAFT_HARD) &&
           !is_rotten(node, LIBRAFT_SNAPSHOT);
}

int libraft_load_snapshot(struct libraft_node *node, struct raft_snapshot **snapshot)
{
    uint32_t size_bytes;
    const uint8_t *bytes = read_copy(node, LIBRAFT_SNAPSHOT, &size_bytes);
    *snapshot = NULL;
    if (!bytes) {
        return is_rotten(node, LIBRAFT_SNAPSHOT) ? RAFT_CORRUPT : 0;
    }
    struct raft_snapshot *loaded = raft_calloc(1, sizeof *loaded);
    if (!loaded || !libraft_snapshot_decode(loaded, bytes, size_bytes)) {
        raft_free(loaded);
        return RAFT_NOMEM;
    }
    *snapshot = loaded;
    return 0;
}

static int load_hard(struct libraft_node *node, raft_term *term, raft_id *vote)
{
    uint32_t size_bytes;
    const uint8_t *bytes = read_copy(node, LIBRAFT_HARD, &size_bytes);
    if (!bytes || !libraft_hard_decode(term, vote, bytes, size_bytes)) {
        return is_rotten(node, LIBRAFT_HARD) ? RAFT_CORRUPT : 0;
    }
    return repair(node, LIBRAFT_HARD, libraft_hard_label(node, *term, *vote));
}

/* ---- The log ------------------------------------------------------------------------------ */

static bool read_entry(struct libraft_node *node, uint64_t index, struct raft_entry *entry)
{
    uint32_t size_bytes;
    const uint8_t *bytes = sim_disk_read(node->env, LIBRAFT_LOG, index, &size_bytes);
    return bytes && libraft_entry_decode(entry, bytes, size_bytes);
}

/* Cut the log at the first record that is not there: behind a hole nothing was ever synced,
 * and a last record may be torn. A bad record before good ones has rotted: RAFT_CORRUPT. */
static int cut_tail(struct libraft_node *node, uint64_t *end)
{
    struct raft_entry entry;
    *end = sim_disk_end(node->env, LIBRAFT_LOG);
    for (uint64_t i = sim_disk_begin(node->env, LIBRAFT_LOG); i < *end; i++) {
        if (read_entry(node, i, &entry)) {
            continue;
        }
        if (i + 1 < *end && sim_disk_read(node->env, LIBRAFT_LOG, i, NULL)) {
            return RAFT_CORRUPT;
        }
        sim_disk_truncate(node->env, LIBRAFT_LOG, i);
        node->written++;
        *end = i;
    }
    return 0;
}

/* A crash between a snapshot from a leader and the end of the log that it replaces leaves
 * both: a log that does not go through the snapshot's last entry must go. */
static void drop_replaced_log(struct libraft_node *node, const struct raft_snapshot *snapshot,
                              uint64_t *begin, uint64_t *end)
{
    struct raft_entry entry = {0};
    const bool through =
        snapshot->index + 1 == *begin ||
        (snapshot->index >= *begin && snapshot->index < *end &&
         read_entry(node, snapshot->index, &entry) && entry.term == snapshot->term);
    if (!through) {
        sim_disk_truncate(node->env, LIBRAFT_LOG, *begin);
        sim_disk_discard(node->env, LIBRAFT_LOG, snapshot->index + 1);
        node->written++;
        *begin = *end = snapshot->index + 1;
    }
}

/* The entries, and their bytes in one batch, as the library wants them. */
static int read_entries(struct libraft_node *node, uint64_t begin, uint64_t end,
                        struct raft_entry **entries)
{
    size_t batch_bytes = 0;
    for (uint64_t i = begin; i < end; i++) {
        struct raft_entry entry;
        batch_bytes += read_entry(node, i, &entry) ? entry.buf.len : 0;
    }
    *entries = raft_malloc((size_t)(end - begin) * sizeof **entries);
    uint8_t *batch = raft_malloc(batch_bytes);
    if (!*entries || !batch) {
        raft_free(*entries);
        raft_free(batch);
        return RAFT_NOMEM;
    }
    for (uint64_t i = begin; i < end; i++) {
        struct raft_entry *entry = &(*entries)[i - begin];
        const bool read = read_entry(node, i, entry);
        assert(read);
        memcpy(batch, entry->buf.base, entry->buf.len);
        entry->buf.base = batch;
        batch += entry->buf.len;
    }
    for (uint64_t i = begin; i < end; i++) {
        (*entries)[i - begin].batch = (*entries)[0].buf.base;
    }
    return 0;
}

static int load_log(struct libraft_node *node, const struct raft_snapshot *snapshot,
                    raft_index *start, struct raft_entry **entries, size_t *count)
{
    uint64_t begin = sim_disk_begin(node->env, LIBRAFT_LOG);
    uint64_t end;
    const int status = cut_tail(node, &end);
    if (status != 0) {
        return status;
    }
    if (snapshot) {
        drop_replaced_log(node, snapshot, &begin, &end);
    } else if (begin == end) {
        begin = end = 1;
    } else if (begin != 1) {
        return RAFT_CORRUPT; /* What was before was dropped for a snapshot that is gone. */
    }
    *start = begin;
    *count = (size_t)(end - begin);
    return end > begin ? read_entries(node, begin, end, entries) : 0;
}

int libraft_load(struct libraft_node *node, raft_term *term, raft_id *vote,
                 struct raft_snapshot **snapshot, raft_index *start, struct raft_entry **entries,
                 size_t *count)
{
    *term = 0;
    *vote = 0;
    *start = 1;
    *entries = NULL;
    *count = 0;
    *snapshot = NULL;
    int status = load_hard(node, term, vote);
    if (status == 0) {
        status = libraft_load_snapshot(node, snapshot);
    }
    if (status == 0 && *snapshot) {
        const struct sim_label label = {(*snapshot)->index, (*snapshot)->term};
        status = repair(node, LIBRAFT_SNAPSHOT, label);
    }
    return status != 0 ? status : load_log(node, *snapshot, start, entries, count);
}
