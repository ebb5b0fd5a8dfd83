/* Echo: a node that calls the others in turn, and answers those who call it.
 *
 * Read it top to bottom to learn how to write a node: a state, the names people will see,
 * one function that gets every event, and the table at the end that ties them together. */
#include "nodes/echo/echo.h"

/* All that a node knows. It starts zeroed, and a crash takes it away: what must survive goes
 * to the disk (sim_disk_write, sim_disk_sync). No globals: many nodes share this code. */
struct echo {
    uint64_t calls;   /* Sent so far; also the content of the next call. */
    uint64_t answers; /* Received. */
};

enum message { CALL, ANSWER };
static const char *const message_names[] = {"call", "answer", NULL};

enum fact { FACT_ANSWERS };
static const struct sim_fact facts[] = {{.name = "answers"}};

enum setting { INTERVAL };
static const struct sim_setting settings[] = {
    {.name = "interval",
     .type = SIM_SETTING_DURATION,
     .standard = {10 * SIM_MS, 10 * SIM_MS},
     .minimum = 0,
     .maximum = INT64_MAX,
     .summary = "time between two calls; 0 answers and never calls"},
};

/* Call the next node of the group, and wake up for the one after. */
static void call_next(struct echo *echo, struct sim_env *env)
{
    const uint32_t others = sim_group_size(env) - 1;
    if (others > 0 && sim_setting(env, INTERVAL) > 0) {
        const uint32_t place = (uint32_t)(echo->calls % others);
        const uint32_t peer = sim_group_member(env, place);
        uint8_t bytes[8]; /* Bytes, never a struct: the same on every machine. */
        sim_put64(bytes, echo->calls++);
        sim_send(env, peer == sim_self(env) ? sim_group_member(env, others) : peer, CALL, bytes,
                 sizeof bytes);
        sim_timer_set(env, 0, (uint64_t)sim_setting(env, INTERVAL));
    }
}

static void echo_event(void *state, struct sim_env *env, const struct sim_event *event)
{
    struct echo *echo = state;
    switch (event->kind) {
    case SIM_EVENT_BOOT:
    case SIM_EVENT_TIMER:
        call_next(echo, env);
        break;
    case SIM_EVENT_MESSAGE:
        if (event->message_kind == CALL) {
            sim_send(env, event->from, ANSWER, event->data, event->size_bytes);
        } else {
            sim_publish(env, FACT_ANSWERS, (int64_t)++echo->answers);
        }
        break;
    case SIM_EVENT_OPERATION: /* A client: it gets back what it wrote. */
        sim_reply(env, event->operation->client, event->operation->sequence, SIM_ANSWER_OK,
                  event->operation->value);
        break;
    }
}

const struct sim_node_kind echo_kind = {
    .name = "echo",
    .summary = "Calls the others in turn and answers those who call: the example to copy.",
    .state_bytes = sizeof(struct echo),
    .event = echo_event,
    .message_names = message_names,
    .settings = settings,
    .setting_count = sizeof settings / sizeof *settings,
    .facts = facts,
    .fact_count = sizeof facts / sizeof *facts,
};
