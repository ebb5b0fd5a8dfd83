/* One event is one step: it goes to the part of the protocol that it concerns, which changes the
 * state, writes, sends, and notes in `due` which answers wait for the disk. The end of the step is
 * the same for all: it writes the hard state, sends what no longer has to wait, and starts a sync
 * if one is needed and none is under way. */
#include "nodes/raft/step.h"

#include "nodes/raft/append.h"
#include "nodes/raft/boot.h"
#include "nodes/raft/client.h"
#include "nodes/raft/election.h"
#include "nodes/raft/install.h"
#include "nodes/raft/membership.h"
#include "nodes/raft/message.h"
#include "nodes/raft/read.h"
#include "nodes/raft/reconfigure.h"
#include "nodes/raft/replication.h"
#include "nodes/raft/snapshot.h"
#include "nodes/raft/storage.h"
#include "nodes/raft/transfer.h"

/* ---- What an event begins ------------------------------------------------------------------ */

static void on_message(struct raft *r, struct sim_env *env, const struct sim_event *event)
{
    if (raft_place(r, event->from) == r->member_count || event->from == r->self) {
        return;
    }
    switch (event->message_kind) {
    case RAFT_APPEND_ENTRIES:
        raft_on_append(r, env, event);
        break;
    case RAFT_APPEND_ENTRIES_REPLY:
        raft_on_append_reply(r, env, event);
        break;
    case RAFT_PRE_VOTE:
    case RAFT_REQUEST_VOTE:
        raft_on_vote_request(r, env, event);
        break;
    case RAFT_PRE_VOTE_REPLY:
    case RAFT_REQUEST_VOTE_REPLY:
        raft_on_vote_reply(r, env, event);
        break;
    case RAFT_TIMEOUT_NOW:
        raft_on_timeout_now(r, env, event);
        break;
    case RAFT_INSTALL_SNAPSHOT:
        raft_on_install_snapshot(r, env, event);
        break;
    case RAFT_INSTALL_SNAPSHOT_REPLY:
        raft_on_install_reply(r, env, event);
        break;
    case RAFT_HEARTBEAT:
        raft_on_heartbeat(r, env, event);
        break;
    case RAFT_HEARTBEAT_REPLY:
        raft_on_heartbeat_reply(r, env, event);
        break;
    default:
        break;
    }
}

static void on_heartbeat_timer(struct raft *r, struct sim_env *env)
{
    if (r->role == SIM_ROLE_LEADER) {
        raft_watch_disk(r, env);
        raft_on_heartbeat_timer(r, env);
    }
    if (r->role == SIM_ROLE_LEADER && r->config.read_mode != RAFT_READ_LOG) {
        raft_reads_heartbeat(r, env);
    }
}

static void on_timer(struct raft *r, struct sim_env *env, uint32_t timer)
{
    switch (timer) {
    case RAFT_TIMER_ELECTION:
        raft_on_election_timer(r, env);
        break;
    case RAFT_TIMER_HEARTBEAT:
        on_heartbeat_timer(r, env);
        break;
    case RAFT_TIMER_TRANSFER:
        raft_on_transfer_timer(r, env);
        break;
    case RAFT_TIMER_BATCH:
        if (r->role == SIM_ROLE_LEADER) {
            raft_batch_end(r, env);
        }
        break;
    default:
        break;
    }
}

static void on_command(struct raft *r, struct sim_env *env, const struct sim_event *event)
{
    if (event->command == RAFT_COMMAND_TRANSFER) {
        raft_transfer_start(r, env, event->from);
    } else if (event->command == RAFT_COMMAND_CAMPAIGN && r->role != SIM_ROLE_LEADER &&
               !raft_snapshot_installing(r) && raft_may_campaign(r) && !raft_has_promised(r, env)) {
        raft_campaign(r, env);
    } else if (event->command >= RAFT_COMMAND_ADD_SERVER) {
        raft_on_membership_command(r, env, event);
    }
}

/* ---- What a sync, and every step, ends with ------------------------------------------------ */

static void send_due(struct raft *r, struct sim_env *env)
{
    if (r->due & RAFT_DUE_VOTE) {
        r->due &= ~(uint32_t)RAFT_DUE_VOTE;
        const struct raft_message reply = {.flags = RAFT_FLAG_GRANTED, .term = r->term};
        raft_send(env, r->vote, RAFT_REQUEST_VOTE_REPLY, &reply);
    }
    if ((r->due & (RAFT_DUE_ANSWER | RAFT_DUE_ACK)) && r->leader != SIM_NOBODY) {
        raft_acknowledge(r, env);
    }
    if (r->due & RAFT_DUE_CAMPAIGN) {
        r->due &= ~(uint32_t)RAFT_DUE_CAMPAIGN;
        raft_solicit_votes(r, env);
    }
}

static void settle(struct raft *r, struct sim_env *env)
{
    if (SIM_UNLIKELY(r->membership.busy) && r->role == SIM_ROLE_LEADER) {
        raft_membership_step(r, env);
    }
    if (SIM_UNLIKELY(r->reads.count > 0) && r->role == SIM_ROLE_LEADER) {
        raft_reads_answer(r, env);
    }
    raft_hard_save(r, env);
    const bool too_early = raft_has_bug(r, RAFT_R35) && r->due == RAFT_DUE_CAMPAIGN;
    if (r->due && (r->hard_durable == r->hard_version || too_early)) {
        send_due(r, env);
    }
    if (SIM_UNLIKELY(r->applied >= r->snapshot.due)) {
        raft_snapshot_take(r, env);
    }
    if (r->dirty && !r->syncing && !r->halted) {
        r->dirty = false;
        r->syncing = true;
        r->sync_last = r->log.last;
        r->sync_hard = r->hard_written;
        r->sync_snapshot = r->snapshot.written;
        r->sync_began_ns = r->config.slow_disk_ns > 0 ? sim_monotonic_ns(env) : SIM_NEVER;
        sim_disk_sync(env, ++r->sync_token);
    }
}

static void on_synced(struct raft *r, struct sim_env *env, const struct sim_event *event)
{
    if (!r->syncing || event->token != r->sync_token) {
        return;
    }
    raft_watch_disk(r, env);
    r->syncing = false;
    if (event->status != SIM_OK) {
        raft_halt(r, env);
        return;
    }
    if (r->sync_last > r->log.durable) {
        r->log.durable = r->sync_last;
    }
    r->hard_durable = r->sync_hard;
    if (SIM_UNLIKELY(r->sync_snapshot != 0)) {
        raft_snapshot_durable(r, env);
    }
    if (r->role == SIM_ROLE_LEADER) {
        raft_stay_on_disk(r, env);
        raft_advance_commit(r, env);
        if (SIM_UNLIKELY(r->config.write_before_send)) {
            raft_replicate(r, env);
        }
    }
}

/* ---- The step ------------------------------------------------------------------------------ */

void raft_step(struct raft *r, struct sim_env *env, const struct sim_event *event)
{
    if (SIM_UNLIKELY(r->halted)) {
        return;
    }
    switch ((enum sim_event_kind)event->kind) {
    case SIM_EVENT_BOOT:
        raft_boot(r, env);
        break;
    case SIM_EVENT_MESSAGE:
        on_message(r, env, event);
        break;
    case SIM_EVENT_TIMER:
        on_timer(r, env, event->timer);
        break;
    case SIM_EVENT_SYNCED:
        on_synced(r, env, event);
        break;
    case SIM_EVENT_OPERATION:
        raft_on_operation(r, env, event->operation);
        break;
    case SIM_EVENT_RESUME:
        break; /* Timers that are over fire by themselves. */
    case SIM_EVENT_CONFIGURE:
        raft_configure(r, env);
        break;
    case SIM_EVENT_COMMAND:
        on_command(r, env, event);
        break;
    }
    settle(r, env);
}
