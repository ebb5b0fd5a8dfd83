#include "sim/trace.h"

void sim_trace_init(struct sim_trace *trace, struct sim_arena *arena, const struct sim_sink *sink)
{
    *trace = (struct sim_trace){.hash = UINT64_C(0x6a09e667f3bcc908), .arena = arena, .sink = sink};
}

void sim_trace_checkpoint(struct sim_trace *trace)
{
    if (!sim_arena_grow(trace->arena, &trace->checkpoints, &trace->checkpoint_capacity,
                        trace->checkpoint_count + 1, sizeof *trace->checkpoints)) {
        trace->full = true;
        return;
    }
    trace->checkpoints[trace->checkpoint_count++] = trace->hash;
}

static const char *const record_kind_names[SIM_REC_KIND_COUNT] = {
    [SIM_REC_BOOT] = "boot",       [SIM_REC_CRASH] = "crash",         [SIM_REC_PAUSE] = "pause",
    [SIM_REC_RESUME] = "resume",   [SIM_REC_LEAVE] = "leave",         [SIM_REC_SEND] = "send",
    [SIM_REC_DELIVER] = "deliver", [SIM_REC_DROP] = "drop",           [SIM_REC_TIMER] = "timer",
    [SIM_REC_WRITE] = "write",     [SIM_REC_SYNC] = "sync",           [SIM_REC_SYNCED] = "synced",
    [SIM_REC_INVOKE] = "invoke",   [SIM_REC_ATTEMPT] = "attempt",     [SIM_REC_RETURN] = "return",
    [SIM_REC_FACT] = "fact",       [SIM_REC_FAULT] = "fault",         [SIM_REC_CLOCK] = "clock",
    [SIM_REC_SETTING] = "setting", [SIM_REC_VIOLATION] = "violation",
};

static const char *const drop_names[SIM_DROP_COUNT] = {
    [SIM_DROP_CUT] = "cut",         [SIM_DROP_DOWN] = "down",       [SIM_DROP_QUEUE] = "queue",
    [SIM_DROP_MTU] = "mtu",         [SIM_DROP_ADDRESS] = "address", [SIM_DROP_REFUSED] = "refused",
    [SIM_DROP_BACKLOG] = "backlog",
};

const char *sim_record_kind_name(uint32_t kind)
{
    return kind < SIM_REC_KIND_COUNT ? record_kind_names[kind] : "?";
}

const char *sim_drop_name(uint32_t drop)
{
    return drop < SIM_DROP_COUNT ? drop_names[drop] : "?";
}
