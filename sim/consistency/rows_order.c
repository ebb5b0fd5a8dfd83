#include "sim/consistency/rows_internal.h"

#include <string.h>

/* A row's return, to be put where time says. */
struct ending {
    uint64_t at_ns;
    size_t row;
};

struct session {
    size_t row; /* What it has open, plus 1; 0: nothing. */
};

struct builder {
    const struct sim_history_row *rows;
    struct sim_rows_order *order;
    struct ending *endings; /* Of rows that have begun. */
    size_t ending_count;
    struct session *sessions; /* By client. */
};

static bool is_earlier(struct ending a, struct ending b)
{
    return a.at_ns != b.at_ns ? a.at_ns < b.at_ns : a.row < b.row;
}

/* endings[] is a heap, the earliest first. */
static void heap_push(struct builder *b, struct ending ending)
{
    size_t at = b->ending_count++;
    for (; at > 0 && is_earlier(ending, b->endings[(at - 1) / 2]); at = (at - 1) / 2) {
        b->endings[at] = b->endings[(at - 1) / 2];
    }
    b->endings[at] = ending;
}

static size_t heap_pop(struct builder *b)
{
    const size_t row = b->endings[0].row;
    const struct ending last = b->endings[--b->ending_count];
    size_t at = 0;
    for (size_t child = 1; child < b->ending_count; child = 2 * at + 1) {
        child +=
            child + 1 < b->ending_count && is_earlier(b->endings[child + 1], b->endings[child]);
        if (!is_earlier(b->endings[child], last)) {
            break;
        }
        b->endings[at] = b->endings[child];
        at = child;
    }
    b->endings[at] = last;
    return row;
}

static void put(struct builder *b, size_t row, bool ended)
{
    b->order->events[b->order->count++] = (uint64_t)row * 2 + ended;
}

/* The row ends, if it is still open: its session may have gone on already. */
static void end(struct builder *b, size_t row)
{
    struct session *session = &b->sessions[b->rows[row].operation.client];
    if (session->row == row + 1) {
        session->row = 0;
        put(b, row, true);
    }
}

static void begin(struct builder *b, size_t row)
{
    struct session *session = &b->sessions[b->rows[row].operation.client];
    if (session->row > 0) {
        end(b, session->row - 1);
    }
    session->row = row + 1;
    put(b, row, false);
}

/* Rows are in the order in which they began: every return goes before the first row that began
 * later than it, and no earlier than that. */
static void build(struct builder *b, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        while (b->ending_count > 0 && b->endings[0].at_ns < b->rows[i].invoke_ns) {
            end(b, heap_pop(b));
        }
        begin(b, i);
        if (b->rows[i].return_ns != SIM_NEVER) {
            heap_push(b, (struct ending){b->rows[i].return_ns, i});
        }
    }
    while (b->ending_count > 0) {
        end(b, heap_pop(b));
    }
}

enum sim_status sim_rows_order(struct sim_scratch *scratch, const struct sim_history_row *rows,
                               size_t count, struct sim_rows_order *order)
{
    *order = (struct sim_rows_order){0};
    for (size_t i = 0; i < count; i++) {
        const uint32_t client = rows[i].operation.client;
        order->sessions = client >= order->sessions ? (size_t)client + 1 : order->sessions;
    }
    if (count >= UINT32_MAX / 2) {
        return SIM_ENOMEM;
    }
    order->capacity = 2 * count;
    order->events = sim_scratch_alloc(scratch, order->capacity, sizeof *order->events);
    struct builder b = {.rows = rows, .order = order};
    b.endings = sim_scratch_alloc(scratch, count, sizeof *b.endings);
    b.sessions = sim_scratch_alloc(scratch, order->sessions, sizeof *b.sessions);
    const bool fine = order->events && b.endings && b.sessions;
    if (fine) {
        build(&b, count);
    }
    sim_scratch_release(scratch, b.endings, count, sizeof *b.endings);
    sim_scratch_release(scratch, b.sessions, order->sessions, sizeof *b.sessions);
    return fine ? SIM_OK : SIM_ENOMEM;
}

void sim_rows_order_release(struct sim_scratch *scratch, struct sim_rows_order *order)
{
    sim_scratch_release(scratch, order->events, order->capacity, sizeof *order->events);
    *order = (struct sim_rows_order){0};
}
