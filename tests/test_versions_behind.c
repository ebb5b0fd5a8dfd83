/* How many versions reads are behind, against trying every order of small histories. */
#include <criterion/criterion.h>
#include <inttypes.h>

#include "histories.h"
#include "sim/consistency/versions_behind.h"

enum { SEEDS = 3000, OPERATIONS_MAX = 8 };

struct order {
    const struct sim_history *history;
    uint32_t done;                   /* Bit set of places. */
    uint32_t values[OPERATIONS_MAX]; /* Written so far, the last at the end. */
    uint32_t count;
};

static bool took_place(const struct sim_history_operation *o)
{
    return o->outcome == SIM_OUTCOME_OK && o->returned != SIM_POSITION_NEVER;
}

/* Is the value one of the k last written? What nobody in the order wrote is left to other checks.
 */
static bool is_recent(const struct order *order, uint32_t value, uint32_t k)
{
    for (uint32_t i = order->count; i > 0; i--) {
        if (order->values[i - 1] == value) {
            return order->count - i < k;
        }
    }
    return true;
}

/* Is there an order of all operations that returned, keeping to real time, in which each read
 * finds one of the k last values? Operations of unknown outcome may be left out. */
static bool is_atomic(struct order order, uint32_t k)
{
    const struct sim_history *h = order.history;
    bool left = false;
    for (uint32_t i = 0; i < h->count; i++) {
        const struct sim_history_operation *o = &h->operations[i];
        bool may = !(order.done >> i & 1) && o->outcome != SIM_OUTCOME_FAIL;
        left = left || (may && took_place(o));
        for (uint32_t j = 0; may && j < h->count; j++) {
            const struct sim_history_operation *other = &h->operations[j];
            may = (order.done >> j & 1) || !took_place(other) || other->returned > o->invoked;
        }
        if (!may || (o->action == SIM_ACTION_READ && o->outcome == SIM_OUTCOME_OK &&
                     !is_recent(&order, o->result, k))) {
            continue;
        }
        struct order next = order;
        next.done |= 1U << i;
        if (o->action == SIM_ACTION_WRITE) {
            next.values[next.count++] = o->value;
        }
        if (is_atomic(next, k)) {
            return true;
        }
    }
    return !left;
}

static uint32_t most_behind(const struct sim_history *history)
{
    uint32_t most = 0;
    for (uint32_t i = 0; i < history->count; i++) {
        const uint32_t behind = sim_versions_behind(history, i);
        most = behind > most ? behind : most;
    }
    return most;
}

TestSuite(versions_behind, .timeout = 120);

/* Whoever says that a read is n versions behind says that no order is n-atomic. */
Test(versions_behind, is_never_more_than_any_order_allows)
{
    uint32_t behind_seeds = 0, far_seeds = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct sim_history h;
        const struct random_history options = {.object = SIM_OBJECT_REGISTER,
                                               .operations = 5 + (uint32_t)(seed % 3),
                                               .processes = 1 + (uint32_t)(seed / 3 % 3),
                                               .keys = 1,
                                               .values = 0,
                                               .lie_percent = 40,
                                               .lost_percent = 10};
        random_history(&h, &options, seed);
        bool compares = false;
        for (uint32_t i = 0; i < h.count; i++) {
            compares = compares || h.operations[i].action == SIM_ACTION_CAS ||
                       h.operations[i].action == SIM_ACTION_CAS_MISSED;
        }
        const uint32_t behind = most_behind(&h);
        if (behind > 0 && !compares) {
            behind_seeds++;
            far_seeds += behind > 1;
            cr_assert_not(is_atomic((struct order){.history = &h}, behind),
                          "seed %" PRIu64 ": not %" PRIu32 " behind:%s", seed, behind,
                          history_text(&h));
        }
        sim_history_release(&h);
    }
    cr_expect_gt(behind_seeds, SEEDS / 50, "%" PRIu32, behind_seeds);
    cr_expect_gt(far_seeds, 5, "%" PRIu32, far_seeds);
}

/* Of one process, the number is what anybody would count. */
Test(versions_behind, counts_the_writes_since)
{
    struct sim_history h;
    history_begin(&h, SIM_OBJECT_REGISTER);
    static struct sim_history_operation operations[4];
    for (uint32_t i = 0; i < 4; i++) {
        operations[i] = (struct sim_history_operation){.key = SIM_VALUE_NIL,
                                                       .action = SIM_ACTION_WRITE,
                                                       .outcome = SIM_OUTCOME_OK,
                                                       .value = 10 + i,
                                                       .invoked = 2 * i,
                                                       .returned = 2 * i + 1};
    }
    operations[3].action = SIM_ACTION_READ;
    struct sim_history given = h;
    given.operations = operations;
    given.count = 4;
    for (uint32_t i = 0; i < 3; i++) {
        operations[3].result = 10 + i;
        cr_expect_eq(sim_versions_behind(&given, 3), 2 - i, "read of write %" PRIu32, i);
    }
    operations[3].result = 10;
    operations[1].outcome = SIM_OUTCOME_INFO; /* Perhaps it never was. */
    cr_expect_eq(sim_versions_behind(&given, 3), 1);
    operations[2].value = 10; /* Perhaps it is this one that was read. */
    cr_expect_eq(sim_versions_behind(&given, 3), 0);
    sim_history_release(&h);
}
