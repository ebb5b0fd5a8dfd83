/* The inside of the clients, shared by the files that make them up and by nobody else:
 *
 *     client.c            sessions and their streams of chance, made and asked about
 *     client_loop.c       when an operation is due, and which one it is
 *     client_operation.c  an open operation: attempts, answers, its end in the history
 *     client_outage.c     the longest time in which no write was acknowledged
 *
 * A session has one operation open at a time, over the same network as everybody else. What it
 * saw is the history.
 *
 *     idle --begin--> waiting --answer--> idle            (closed loop: after a pause)
 *                        |  \--NOT_LEADER, REFUSED, time-out--> backing off --> waiting
 *                        \--attempts used up--> idle, outcome info or fail
 */
#ifndef SIM_CLIENT_INTERNAL_H
#define SIM_CLIENT_INTERNAL_H

#include "sim/world_internal.h"

/* What a pending event of a session stands for. */
enum sim_client_event { SIM_CLIENT_BEGIN, SIM_CLIENT_TIMEOUT, SIM_CLIENT_RETRY };

struct sim_client {
    struct sim_rng rng;
    uint32_t workload;
    uint32_t server;     /* Place in the target group. */
    uint32_t turn;       /* The place tried last without a hint; hints do not move it. */
    bool open;           /* An operation is. */
    bool waiting;        /* An attempt is under way, at `server`; else backing off. */
    bool in_doubt;       /* Some attempt timed out: it may have taken place. */
    bool stopped;        /* A closed loop that has come to its end. */
    uint32_t generation; /* Of its pending event: an older one is void. */
    size_t row;          /* Of the open operation in the history. */
    uint64_t sequence;
    uint32_t step;      /* Scripted: place in the plan's script of its next operation. */
    uint32_t next_idle; /* Node number, in the workload's list of idle sessions. */
};

struct sim_workload_state {
    struct sim_rng rng;
    uint64_t begun;   /* Operations; in an open loop also those that wait for a session. */
    bool running;     /* Open loop: the event of the next due time is pending. */
    uint32_t idle;    /* First idle session of an open loop; SIM_NOBODY if none. */
    uint64_t *due_ns; /* Operations that wait for an idle session: a ring. */
    size_t due_capacity;
    size_t due_first;
    size_t due_count;
    uint64_t *known;   /* By key - 1: the last value seen, which CAS expects. */
    uint64_t *wall_ns; /* By key - 1: the last write's time on its server's wall clock. */
    uint64_t *appends; /* By key - 1: appended so far; NULL without lists. */
};

static inline struct sim_client *sim_client_of(struct sim_world *world, uint32_t node)
{
    return &world->clients[node - world->server_count];
}

static inline const struct sim_workload *sim_client_workload(const struct sim_world *world,
                                                             const struct sim_client *client)
{
    return &world->plan->workloads[client->workload];
}

/* The row of a client's operation, to be written: rows are cold. */
static inline struct sim_history_row *sim_client_row(struct sim_world *world,
                                                     const struct sim_client *client)
{
    struct sim_history_row *row = &world->history[client->row];
    sim_arena_will_write(world->arena, row, sizeof *row);
    return row;
}

/* The session's next event, in place of the one that is pending. */
static inline void sim_client_later(struct sim_world *world, uint32_t node, uint64_t delay_ns,
                                    enum sim_client_event what)
{
    const uint32_t generation = ++sim_client_of(world, node)->generation;
    sim_world_push(world, sim_add_sat(world->now_ns, delay_ns), SIM_PEND_CLIENT, node, what,
                   generation);
}

/* ---- client_loop.c ----------------------------------------------------------------------- */

/* Whether a workload begins operations by chance now. */
bool sim_client_may_begin(const struct sim_world *world, uint32_t workload);
/* Schedule what the sessions of a workload do first. */
void sim_client_loop_start(struct sim_world *world, uint32_t workload);
/* Progress is demanded: the loops that had stopped go on. */
void sim_client_loops_resume(struct sim_world *world);
/* A session's next operation is due. */
void sim_client_due(struct sim_world *world, uint32_t node);
/* A session's operation has ended: schedule or begin its next one. */
void sim_client_become_idle(struct sim_world *world, uint32_t node);

/* ---- client_operation.c ------------------------------------------------------------------ */

/* Send the request of the open operation to the session's server, with a time-out. */
void sim_client_attempt(struct sim_world *world, uint32_t node);
/* No answer has come in time. */
void sim_client_timed_out(struct sim_world *world, uint32_t node);

/* ---- client_outage.c --------------------------------------------------------------------- */

/* Before time begins. */
void sim_client_outage_init(struct sim_world *world);
/* A session of a script has begun a write. */
void sim_client_outage_begun(struct sim_world *world);
/* A write was acknowledged, */
void sim_client_outage_acked(struct sim_world *world, const struct sim_history_row *row);
/* or a script's came to nothing. */
void sim_client_outage_failed(struct sim_world *world);
/* Progress is demanded, or the run is over. */
void sim_client_outage_settle(struct sim_world *world);
void sim_client_outage_finish(struct sim_world *world);

#endif
