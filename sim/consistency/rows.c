#include "sim/consistency/rows.h"

#include <stdio.h>
#include <stdlib.h>

#include "sim/consistency/rows_internal.h"
#include "sim/consistency/staleness.h"
#include "sim/consistency/versions_behind.h"

/* What the history has open of a row. A transaction has several. */
struct opened {
    uint32_t places[SIM_TXN_PARTS_MAX];
    uint32_t parts[SIM_TXN_PARTS_MAX]; /* Which of the row's parts they are. */
    uint32_t count;
};

struct builder {
    struct sim_history *history;
    enum sim_object object;
    const struct sim_history_row *rows;
    struct opened *opened; /* By row. */
    uint64_t *processes;   /* By client: what the history calls its session for now. */
    uint64_t next_process; /* For parts of transactions, and for sessions after an unknown end. */
    bool no_memory;
};

static bool is_of(enum sim_object object, uint32_t function)
{
    const bool list = function == SIM_READ_LIST || function == SIM_APPEND;
    return list == (object == SIM_OBJECT_LIST);
}

/* A value that the run calls 0 is absent. */
static uint32_t value_of(struct builder *b, uint64_t value)
{
    const uint32_t number =
        value == 0 ? SIM_VALUE_NIL : sim_history_integer(b->history, (int64_t)value);
    b->no_memory |= number == SIM_HISTORY_NOTHING;
    return number;
}

static uint32_t key_of(struct builder *b, uint64_t key)
{
    const uint32_t number = sim_history_integer(b->history, (int64_t)key);
    b->no_memory |= number == SIM_HISTORY_NOTHING;
    return number;
}

/* Compared, and a server said that it held another value. */
static bool missed(const struct sim_history_row *row)
{
    return row->operation.function == SIM_CAS && row->outcome == SIM_OUTCOME_FAIL &&
           row->server != SIM_NOBODY;
}

static uint8_t action_of(const struct sim_history_row *row, uint32_t function)
{
    switch (function) {
    case SIM_READ:
    case SIM_READ_LIST:
        return SIM_ACTION_READ;
    case SIM_WRITE:
        return SIM_ACTION_WRITE;
    case SIM_CAS:
        return missed(row) ? SIM_ACTION_CAS_MISSED : SIM_ACTION_CAS;
    default:
        return SIM_ACTION_APPEND;
    }
}

/* What a part read, as the history numbers it. */
static uint32_t result_of(struct builder *b, const struct sim_history_row *row, uint32_t part)
{
    uint32_t count;
    const uint64_t *words = sim_history_read(row, part, &count);
    if (!words) {
        return SIM_VALUE_UNKNOWN;
    }
    if (b->object == SIM_OBJECT_REGISTER) {
        return value_of(b, *words);
    }
    uint32_t *items = sim_scratch_alloc(&b->history->scratch, count, sizeof *items);
    uint32_t list = SIM_HISTORY_NOTHING;
    if (items) {
        for (uint32_t i = 0; i < count; i++) {
            items[i] = value_of(b, words[i]);
        }
        list = b->no_memory ? SIM_HISTORY_NOTHING : sim_history_list(b->history, items, count);
    }
    sim_scratch_release(&b->history->scratch, items, count, sizeof *items);
    b->no_memory |= list == SIM_HISTORY_NOTHING;
    return list;
}

static void end(struct builder *b, size_t at)
{
    struct opened *opened = &b->opened[at];
    const struct sim_history_row *row = &b->rows[at];
    for (uint32_t i = 0; i < opened->count && !b->no_memory; i++) {
        const bool told = missed(row) || row->outcome == SIM_OUTCOME_OK;
        const uint32_t result = told ? result_of(b, row, opened->parts[i]) : SIM_VALUE_UNKNOWN;
        struct sim_history_operation *o = &b->history->operations[opened->places[i]];
        o->return_line = o->invoke_line;
        sim_history_return(b->history, opened->places[i],
                           missed(row) ? SIM_OUTCOME_OK : (enum sim_outcome)row->outcome, result);
        o->return_ns = row->return_ns;
    }
    if (row->outcome == SIM_OUTCOME_INFO) {
        b->processes[row->operation.client] = b->next_process++;
    }
}

static void begin(struct builder *b, size_t at)
{
    const struct sim_history_row *row = &b->rows[at];
    struct opened *opened = &b->opened[at];
    struct sim_part part;
    for (uint32_t i = 0; sim_operation_part(&row->operation, i, &part); i++) {
        if (!is_of(b->object, part.function)) {
            continue;
        }
        const uint64_t name =
            opened->count == 0 ? b->processes[row->operation.client] : b->next_process++;
        struct sim_history_operation o = {
            .process = sim_history_process(b->history, name),
            .key = key_of(b, part.key),
            .value = sim_function_reads(part.function) ? SIM_VALUE_NIL : value_of(b, part.value),
            .expected = part.function == SIM_CAS ? value_of(b, row->operation.expected) : 0,
            .action = action_of(row, part.function),
            .invoke_line = (uint32_t)at + 1,
            .invoke_ns = row->invoke_ns,
        };
        const bool good = !b->no_memory && o.process != SIM_HISTORY_NOTHING;
        const uint32_t place = good ? sim_history_invoke(b->history, &o) : SIM_HISTORY_NOTHING;
        if (place == SIM_HISTORY_NOTHING) {
            b->no_memory = true;
            return;
        }
        opened->places[opened->count] = place;
        opened->parts[opened->count++] = i;
    }
}

enum sim_status sim_history_from_rows(struct sim_history *history, enum sim_object object,
                                      const struct sim_rows *given)
{
    const struct sim_history_row *rows = given->rows;
    const size_t count = given->count;
    assert(object == SIM_OBJECT_REGISTER || object == SIM_OBJECT_LIST);
    struct sim_scratch *scratch = &history->scratch;
    struct builder b = {.history = history, .object = object, .rows = rows};
    struct sim_rows_order order;
    history->object = object;
    b.no_memory = sim_rows_order(scratch, rows, count, &order) != SIM_OK;
    b.next_process = order.sessions;
    b.opened = sim_scratch_alloc(scratch, count, sizeof *b.opened);
    b.processes = sim_scratch_alloc(scratch, order.sessions, sizeof *b.processes);
    b.no_memory |= !b.opened || !b.processes;
    for (size_t client = 0; client < order.sessions && !b.no_memory; client++) {
        b.processes[client] = client;
    }
    for (size_t i = 0; i < order.count && !b.no_memory; i++) {
        const size_t at = (size_t)(order.events[i] / 2);
        if (order.events[i] % 2 == 0) {
            begin(&b, at);
        } else {
            end(&b, at);
        }
    }
    sim_scratch_release(scratch, b.opened, count, sizeof *b.opened);
    sim_scratch_release(scratch, b.processes, order.sessions, sizeof *b.processes);
    sim_rows_order_release(scratch, &order);
    return b.no_memory ? SIM_ENOMEM : SIM_OK;
}

/* ---- In words ------------------------------------------------------------------------------- */

static const char *name_of(const void *context, const struct sim_history_operation *operation)
{
    const struct sim_rows *rows = context;
    return rows->name(rows->context, rows->rows[operation->invoke_line - 1].operation.client);
}

/* The operations of the witness, the last one last. */
static void add_witness(const struct sim_history *history,
                        const struct sim_consistency_result *from, const struct sim_rows *rows,
                        char detail[SIM_DETAIL_MAX])
{
    bool fits = true;
    for (uint32_t i = 0; fits && i < from->witness_count; i++) {
        const struct sim_history_operation *o = &history->operations[from->witness[i]];
        char text[160];
        (void)sim_history_show(history, from->witness[i], text, sizeof text);
        fits = sim_rows_say(&rows->rows[o->invoke_line - 1], text, from->witness_count - i, detail);
    }
}

/* ---- The verdict ----------------------------------------------------------------------------- */

static void take_over(const struct sim_history *history, const struct sim_rows *rows,
                      struct sim_consistency_result *from, struct sim_rows_result *to)
{
    to->steps += from->steps;
    const bool worse = from->verdict == SIM_VIOLATED ||
                       (from->verdict == SIM_UNKNOWN && to->verdict != SIM_VIOLATED);
    if (!worse || to->verdict == SIM_VIOLATED) {
        return;
    }
    to->verdict = from->verdict;
    (void)snprintf(to->detail, sizeof to->detail, "%s", from->detail);
    add_witness(history, from, rows, to->detail);
    to->at_ns = 0;
    for (uint32_t i = 0; i < from->witness_count; i++) {
        const struct sim_history_operation *o = &history->operations[from->witness[i]];
        from->witness[i] = o->invoke_line - 1;
        if (o->return_ns != SIM_NEVER && o->return_ns > to->at_ns) {
            to->at_ns = o->return_ns;
        }
    }
    to->witness = from->witness;
    to->witness_count = from->witness_count;
    from->witness = NULL;
}

static void check_object(const struct sim_model *model, enum sim_object object,
                         const struct sim_rows *rows, const struct sim_budget *budget,
                         struct sim_rows_result *result)
{
    struct sim_history history;
    struct sim_consistency_result found = {
        .verdict = SIM_UNKNOWN, .detail = "the history fills the memory that a check may take"};
    enum sim_status status = sim_history_init(&history, budget->memory_bytes);
    if (status == SIM_OK) {
        history.name = rows->name ? name_of : NULL;
        history.name_context = rows;
        status = sim_history_from_rows(&history, object, rows);
    }
    if (status == SIM_OK) {
        for (size_t i = 0; i < history.count; i++) {
            const struct sim_history_operation *o = &history.operations[i];
            result->exercised += o->outcome == SIM_OUTCOME_OK &&
                                 (o->action == SIM_ACTION_READ || o->action == SIM_ACTION_CAS ||
                                  o->action == SIM_ACTION_CAS_MISSED);
        }
        model->check(&history, budget, &found);
        if (found.verdict == SIM_VIOLATED && model->number == SIM_CHECK_LINEARIZABLE) {
            sim_tell_staleness(&history, budget, &found);
            sim_tell_versions_behind(&history, &found);
        }
    }
    take_over(&history, rows, &found, result);
    sim_consistency_result_release(&found);
    sim_history_release(&history);
}

void sim_check_rows(const struct sim_model *model, const struct sim_rows *rows,
                    const struct sim_budget *budget, struct sim_rows_result *result)
{
    static const enum sim_object objects[] = {SIM_OBJECT_REGISTER, SIM_OBJECT_LIST};
    *result = (struct sim_rows_result){.verdict = SIM_HOLDS};
    if (model->transactions) {
        sim_rows_judge_txns(model->isolation, rows, budget, result);
    }
    const uint64_t exercised = result->exercised; /* The same reads. */
    result->exercised = 0;
    for (size_t i = 0; i < sizeof objects / sizeof objects[0]; i++) {
        if (sim_model_judges(model, objects[i]) && result->verdict != SIM_VIOLATED) {
            check_object(model, objects[i], rows, budget, result);
        }
    }
    result->exercised = exercised > result->exercised ? exercised : result->exercised;
    if (result->verdict == SIM_HOLDS && result->exercised == 0) {
        result->verdict = SIM_VACUOUS;
    }
}

void sim_rows_result_release(struct sim_rows_result *result)
{
    free(result->witness);
    result->witness = NULL;
    result->witness_count = 0;
}
