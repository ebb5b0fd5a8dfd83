#include "sim/consistency/rows_internal.h"

#include "sim/sort.h"

/* A row's return. */
struct ending {
    uint64_t event;
    size_t row;
};

struct session {
    size_t row; /* What it has open, plus 1; 0: nothing. */
};

struct builder {
    const struct sim_history_row *rows;
    struct sim_rows_order *order;
    struct session *sessions; /* By client. */
};

static int compare_endings(const void *left, const void *right)
{
    const struct ending *a = left;
    const struct ending *b = right;
    return a->event < b->event ? -1 : a->event > b->event;
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

/* Every return goes between the rows that began before and after it. */
static void build(struct builder *b, size_t count, struct ending *endings)
{
    size_t ending_count = 0;
    for (size_t i = 0; i < count; i++) {
        assert(i == 0 || b->rows[i - 1].invoke_event < b->rows[i].invoke_event);
        if (b->rows[i].return_event > 0) {
            endings[ending_count++] = (struct ending){b->rows[i].return_event, i};
        }
    }
    sim_sort(endings, ending_count, sizeof *endings, compare_endings);
    size_t next = 0;
    for (size_t i = 0; i < count; i++) {
        for (; next < ending_count && endings[next].event < b->rows[i].invoke_event; next++) {
            end(b, endings[next].row);
        }
        begin(b, i);
    }
    for (; next < ending_count; next++) {
        end(b, endings[next].row);
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
    struct ending *endings = sim_scratch_alloc(scratch, count, sizeof *endings);
    b.sessions = sim_scratch_alloc(scratch, order->sessions, sizeof *b.sessions);
    const bool fine = order->events && endings && b.sessions;
    if (fine) {
        build(&b, count, endings);
    }
    sim_scratch_release(scratch, endings, count, sizeof *endings);
    sim_scratch_release(scratch, b.sessions, order->sessions, sizeof *b.sessions);
    return fine ? SIM_OK : SIM_ENOMEM;
}

void sim_rows_order_release(struct sim_scratch *scratch, struct sim_rows_order *order)
{
    sim_scratch_release(scratch, order->events, order->capacity, sizeof *order->events);
    *order = (struct sim_rows_order){0};
}
