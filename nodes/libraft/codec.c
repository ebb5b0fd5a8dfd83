/* Messages and disk records as little-endian bytes. Every block ends in a hash of what is
 * before it: the library itself checks nothing of what it is given, as a TCP connection and
 * its own checksummed files would. */
#include "nodes/libraft/libraft_internal.h"

#define SUM_BYTES 8

/* ---- Writing and reading ----------------------------------------------------------------- */

static uint8_t *put(uint8_t *at, uint64_t value)
{
    sim_put64(at, value);
    return at + 8;
}

static uint8_t *put_block(uint8_t *at, const void *data, size_t size_bytes)
{
    at = put(at, size_bytes);
    if (size_bytes > 0) {
        memcpy(at, data, size_bytes);
    }
    return at + size_bytes;
}

static void seal(uint8_t *bytes, uint8_t *at, uint64_t salt)
{
    sim_put64(at, sim_mix64(sim_hash_bytes(bytes, (size_t)(at - bytes)) + salt));
}

struct reader {
    const uint8_t *at;
    size_t left;
    bool bad; /* Asked for more than there was; everything read since is zero. */
};

/* A reader of all but the checksum, bad from the start if that does not match. */
static struct reader reader_open(const uint8_t *bytes, size_t size_bytes, uint64_t salt)
{
    if (!bytes || size_bytes < SUM_BYTES) {
        return (struct reader){.bad = true};
    }
    const size_t left = size_bytes - SUM_BYTES;
    const uint64_t sum = sim_mix64(sim_hash_bytes(bytes, left) + salt);
    return (struct reader){.at = bytes, .left = left, .bad = sum != sim_get64(bytes + left)};
}

static uint64_t get(struct reader *r)
{
    if (r->bad || r->left < 8) {
        r->bad = true;
        return 0;
    }
    const uint64_t value = sim_get64(r->at);
    r->at += 8;
    r->left -= 8;
    return value;
}

static const uint8_t *get_block(struct reader *r, size_t *size_bytes)
{
    const uint64_t size = get(r);
    if (r->bad || size > r->left) {
        r->bad = true;
        *size_bytes = 0;
        return NULL;
    }
    const uint8_t *block = r->at;
    *size_bytes = (size_t)size;
    r->at += size;
    r->left -= (size_t)size;
    return block;
}

static bool reader_done(const struct reader *r)
{
    return !r->bad && r->left == 0;
}

/* A copy in the library's memory, with room for a NUL. */
static void *copy_of(const uint8_t *bytes, size_t size_bytes)
{
    uint8_t *copy = raft_malloc(size_bytes + 1);
    if (copy && size_bytes > 0) {
        memcpy(copy, bytes, size_bytes);
    }
    return copy;
}

/* ---- Configurations ---------------------------------------------------------------------- */

static size_t configuration_bytes(const struct raft_configuration *c)
{
    size_t size_bytes = 8;
    for (unsigned i = 0; i < c->n; i++) {
        size_bytes += 24 + strlen(c->servers[i].address);
    }
    return size_bytes;
}

static uint8_t *configuration_put(uint8_t *at, const struct raft_configuration *c)
{
    at = put(at, c->n);
    for (unsigned i = 0; i < c->n; i++) {
        const struct raft_server *server = &c->servers[i];
        at = put(at, server->id);
        at = put(at, (uint64_t)server->role);
        at = put_block(at, server->address, strlen(server->address));
    }
    return at;
}

/* On an error the reader is bad; the configuration must be closed either way. */
static void configuration_get(struct reader *r, struct raft_configuration *c)
{
    raft_configuration_init(c);
    const uint64_t count = get(r);
    for (uint64_t i = 0; i < count && !r->bad; i++) {
        const uint64_t id = get(r);
        const uint64_t role = get(r);
        size_t length;
        const uint8_t *text = get_block(r, &length);
        char address[LIBRAFT_ADDRESS_MAX] = "";
        if (r->bad || length >= sizeof address || role > RAFT_SPARE || id == 0) {
            r->bad = true;
            return;
        }
        memcpy(address, text, length);
        r->bad = raft_configuration_add(c, id, address, (int)role) != 0;
    }
}

/* ---- Messages ---------------------------------------------------------------------------- */

static size_t append_bytes(const struct raft_append_entries *m)
{
    size_t size_bytes = 5 * 8;
    for (unsigned i = 0; i < m->n_entries; i++) {
        size_bytes += 24 + m->entries[i].buf.len;
    }
    return size_bytes;
}

static uint8_t *append_put(uint8_t *at, const struct raft_append_entries *m)
{
    at = put(at, m->term);
    at = put(at, m->prev_log_index);
    at = put(at, m->prev_log_term);
    at = put(at, m->leader_commit);
    at = put(at, m->n_entries);
    for (unsigned i = 0; i < m->n_entries; i++) {
        const struct raft_entry *entry = &m->entries[i];
        at = put(at, entry->term);
        at = put(at, entry->type);
        at = put_block(at, entry->buf.base, entry->buf.len);
    }
    return at;
}

/* The entries and one batch that holds all their bytes, as the library wants them. */
static bool append_get_entries(struct reader *r, struct raft_append_entries *m)
{
    const size_t batch_bytes = r->left;
    m->entries = raft_malloc(m->n_entries * sizeof *m->entries);
    uint8_t *batch = raft_malloc(batch_bytes);
    uint8_t *next = batch;
    for (unsigned i = 0; i < m->n_entries && m->entries && batch; i++) {
        struct raft_entry *entry = &m->entries[i];
        entry->term = get(r);
        entry->type = (unsigned short)get(r);
        const uint8_t *data = get_block(r, &entry->buf.len);
        if (r->bad) {
            break;
        }
        memcpy(next, data, entry->buf.len);
        entry->buf.base = next;
        entry->batch = batch;
        next += entry->buf.len;
    }
    if (m->entries && batch && reader_done(r)) {
        return true;
    }
    raft_free(m->entries);
    raft_free(batch);
    return false;
}

static bool append_get(struct reader *r, struct raft_append_entries *m)
{
    m->term = get(r);
    m->prev_log_index = get(r);
    m->prev_log_term = get(r);
    m->leader_commit = get(r);
    const uint64_t count = get(r);
    if (r->bad || count > r->left / 24) {
        return false;
    }
    m->n_entries = (unsigned)count;
    m->entries = NULL;
    return count > 0 ? append_get_entries(r, m) : reader_done(r);
}

static uint8_t *install_put(uint8_t *at, const struct raft_install_snapshot *m)
{
    at = put(at, m->term);
    at = put(at, m->last_index);
    at = put(at, m->last_term);
    at = put(at, m->conf_index);
    at = configuration_put(at, &m->conf);
    return put_block(at, m->data.base, m->data.len);
}

static bool install_get(struct reader *r, struct raft_install_snapshot *m)
{
    m->term = get(r);
    m->last_index = get(r);
    m->last_term = get(r);
    m->conf_index = get(r);
    configuration_get(r, &m->conf);
    const uint8_t *data = get_block(r, &m->data.len);
    m->data.base = reader_done(r) ? copy_of(data, m->data.len) : NULL;
    if (!m->data.base) {
        raft_configuration_close(&m->conf);
        return false;
    }
    return true;
}

static uint8_t *vote_put(uint8_t *at, const struct raft_request_vote *m)
{
    at = put(at, m->term);
    at = put(at, m->candidate_id);
    at = put(at, m->last_log_index);
    at = put(at, m->last_log_term);
    return put(at, (uint64_t)m->disrupt_leader | (uint64_t)m->pre_vote << 1);
}

static bool vote_get(struct reader *r, struct raft_request_vote *m)
{
    m->term = get(r);
    m->candidate_id = get(r);
    m->last_log_index = get(r);
    m->last_log_term = get(r);
    const uint64_t flags = get(r);
    m->disrupt_leader = flags & 1;
    m->pre_vote = flags >> 1 & 1;
    return reader_done(r);
}

size_t libraft_message_bytes(const struct raft_message *message)
{
    switch (message->type) {
    case RAFT_IO_APPEND_ENTRIES:
        return append_bytes(&message->append_entries) + SUM_BYTES;
    case RAFT_IO_INSTALL_SNAPSHOT:
        return 5 * 8 + configuration_bytes(&message->install_snapshot.conf) +
               message->install_snapshot.data.len + SUM_BYTES;
    case RAFT_IO_REQUEST_VOTE:
        return 5 * 8 + SUM_BYTES;
    default:
        return 3 * 8 + SUM_BYTES;
    }
}

void libraft_message_encode(const struct raft_message *message, uint8_t *bytes)
{
    uint8_t *at = bytes;
    switch (message->type) {
    case RAFT_IO_APPEND_ENTRIES:
        at = append_put(at, &message->append_entries);
        break;
    case RAFT_IO_APPEND_ENTRIES_RESULT:
        at = put(at, message->append_entries_result.term);
        at = put(at, message->append_entries_result.rejected);
        at = put(at, message->append_entries_result.last_log_index);
        break;
    case RAFT_IO_REQUEST_VOTE:
        at = vote_put(at, &message->request_vote);
        break;
    case RAFT_IO_REQUEST_VOTE_RESULT:
        at = put(at, message->request_vote_result.term);
        at = put(at, message->request_vote_result.vote_granted);
        at = put(at, (uint64_t)message->request_vote_result.pre_vote);
        break;
    case RAFT_IO_INSTALL_SNAPSHOT:
        at = install_put(at, &message->install_snapshot);
        break;
    case RAFT_IO_TIMEOUT_NOW:
        at = put(at, message->timeout_now.term);
        at = put(at, message->timeout_now.last_log_index);
        at = put(at, message->timeout_now.last_log_term);
        break;
    default:
        assert(!"a message type of another version of libraft");
    }
    seal(bytes, at, message->type);
}

bool libraft_message_decode(struct raft_message *message, uint32_t kind, const uint8_t *bytes,
                            size_t size_bytes)
{
    memset(message, 0, sizeof *message);
    message->type = (unsigned short)(kind + 1);
    struct reader r = reader_open(bytes, size_bytes, message->type);
    if (r.bad) {
        return false;
    }
    switch (message->type) {
    case RAFT_IO_APPEND_ENTRIES:
        return append_get(&r, &message->append_entries);
    case RAFT_IO_APPEND_ENTRIES_RESULT:
        message->append_entries_result.term = get(&r);
        message->append_entries_result.rejected = get(&r);
        message->append_entries_result.last_log_index = get(&r);
        break;
    case RAFT_IO_REQUEST_VOTE:
        return vote_get(&r, &message->request_vote);
    case RAFT_IO_REQUEST_VOTE_RESULT:
        message->request_vote_result.term = get(&r);
        message->request_vote_result.vote_granted = get(&r) != 0;
        message->request_vote_result.pre_vote = (raft_tribool)get(&r);
        break;
    case RAFT_IO_INSTALL_SNAPSHOT:
        return install_get(&r, &message->install_snapshot);
    case RAFT_IO_TIMEOUT_NOW:
        message->timeout_now.term = get(&r);
        message->timeout_now.last_log_index = get(&r);
        message->timeout_now.last_log_term = get(&r);
        break;
    default:
        return false;
    }
    return reader_done(&r);
}

/* ---- Disk records ------------------------------------------------------------------------ */

/* A record in the wrong file is as bad as a torn one; beyond the types of messages. */
#define SALT(file) (100u + (file))

bool libraft_record_is_whole(enum libraft_file file, const uint8_t *bytes, size_t size_bytes)
{
    return !reader_open(bytes, size_bytes, SALT(file)).bad;
}

size_t libraft_entry_bytes(const struct raft_entry *entry)
{
    return 3 * 8 + entry->buf.len + SUM_BYTES;
}

void libraft_entry_encode(const struct raft_entry *entry, uint8_t *bytes)
{
    uint8_t *at = put(bytes, entry->term);
    at = put(at, entry->type);
    at = put_block(at, entry->buf.base, entry->buf.len);
    seal(bytes, at, SALT(LIBRAFT_LOG));
}

bool libraft_entry_decode(struct raft_entry *entry, const uint8_t *bytes, size_t size_bytes)
{
    struct reader r = reader_open(bytes, size_bytes, SALT(LIBRAFT_LOG));
    entry->term = get(&r);
    entry->type = (unsigned short)get(&r);
    const uint8_t *data = get_block(&r, &entry->buf.len);
    entry->buf.base = (void *)(uintptr_t)data; /* Borrowed, and only read. */
    entry->batch = NULL;
    return reader_done(&r);
}

static size_t data_bytes(const struct raft_snapshot *snapshot)
{
    size_t size_bytes = 0;
    for (unsigned i = 0; i < snapshot->n_bufs; i++) {
        size_bytes += snapshot->bufs[i].len;
    }
    return size_bytes;
}

size_t libraft_snapshot_bytes(const struct raft_snapshot *snapshot)
{
    return 4 * 8 + configuration_bytes(&snapshot->configuration) + data_bytes(snapshot) + SUM_BYTES;
}

void libraft_snapshot_encode(const struct raft_snapshot *snapshot, uint8_t *bytes)
{
    uint8_t *at = put(bytes, snapshot->index);
    at = put(at, snapshot->term);
    at = put(at, snapshot->configuration_index);
    at = configuration_put(at, &snapshot->configuration);
    at = put(at, data_bytes(snapshot));
    for (unsigned i = 0; i < snapshot->n_bufs; i++) {
        memcpy(at, snapshot->bufs[i].base, snapshot->bufs[i].len);
        at += snapshot->bufs[i].len;
    }
    seal(bytes, at, SALT(LIBRAFT_SNAPSHOT));
}

bool libraft_snapshot_decode(struct raft_snapshot *snapshot, const uint8_t *bytes,
                             size_t size_bytes)
{
    struct reader r = reader_open(bytes, size_bytes, SALT(LIBRAFT_SNAPSHOT));
    snapshot->index = get(&r);
    snapshot->term = get(&r);
    snapshot->configuration_index = get(&r);
    configuration_get(&r, &snapshot->configuration);
    size_t length;
    const uint8_t *data = get_block(&r, &length);
    snapshot->n_bufs = 1;
    snapshot->bufs = reader_done(&r) ? raft_malloc(sizeof *snapshot->bufs) : NULL;
    if (snapshot->bufs) {
        snapshot->bufs[0].len = length;
        snapshot->bufs[0].base = copy_of(data, length);
    }
    if (!snapshot->bufs || !snapshot->bufs[0].base) {
        raft_free(snapshot->bufs);
        raft_configuration_close(&snapshot->configuration);
        return false;
    }
    return true;
}

void libraft_hard_encode(raft_term term, raft_id vote, uint8_t bytes[LIBRAFT_HARD_BYTES])
{
    uint8_t *at = put(bytes, term);
    at = put(at, vote);
    seal(bytes, at, SALT(LIBRAFT_HARD));
}

bool libraft_hard_decode(raft_term *term, raft_id *vote, const uint8_t *bytes, size_t size_bytes)
{
    struct reader r = reader_open(bytes, size_bytes, SALT(LIBRAFT_HARD));
    *term = get(&r);
    *vote = get(&r);
    return reader_done(&r);
}

uint64_t libraft_entry_digest(const struct raft_entry *entry)
{
    return sim_mix64(sim_hash_bytes(entry->buf.base, entry->buf.len) + entry->type);
}
