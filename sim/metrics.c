/* What was measured: counters kept by the parts of the world, and latencies in a histogram
 * whose buckets grow with the value, so that a quantile is right within 1.6 %. */
#include "sim/world_internal.h"

#define SUB_BITS 6 /* 64 buckets a doubling. */
#define SUB_COUNT (1u << SUB_BITS)

/* Values below 128 have a bucket each; above, the top seven bits choose it. */
static size_t bucket_of(uint64_t value)
{
    if (value < 2 * SUB_COUNT) {
        return (size_t)value;
    }
    const unsigned shift = 63u - (unsigned)__builtin_clzll(value) - SUB_BITS;
    return (size_t)shift * SUB_COUNT + (size_t)(value >> shift);
}

/* The largest value of a bucket. */
static uint64_t bucket_top(size_t bucket)
{
    if (bucket < 2 * SUB_COUNT) {
        return bucket;
    }
    const unsigned shift = (unsigned)(bucket / SUB_COUNT) - 1;
    const uint64_t top_bits = bucket % SUB_COUNT + SUB_COUNT;
    return ((top_bits + 1) << shift) - 1;
}

void sim_histogram_add(struct sim_histogram *histogram, uint64_t value)
{
    histogram->counts[bucket_of(value)]++;
    histogram->total++;
    if (value > histogram->max) {
        histogram->max = value;
    }
}

uint64_t sim_histogram_quantile(const struct sim_histogram *histogram, uint32_t ppm)
{
    /* The smallest value such that at least this share is not above it: rounded up. */
    const uint64_t wanted =
        histogram->total - sim_muldiv64(histogram->total, SIM_PPM - ppm, SIM_PPM);
    uint64_t seen = 0;
    for (size_t i = 0; i < sizeof histogram->counts / sizeof *histogram->counts; i++) {
        seen += histogram->counts[i];
        if (seen > 0 && seen >= wanted) {
            const uint64_t top = bucket_top(i);
            return top < histogram->max ? top : histogram->max;
        }
    }
    return histogram->max;
}

/* The facts "term" and "commit", by name, whatever their place in the kind's table. */
static void highest_facts(const struct sim_world *world, struct sim_metrics *metrics)
{
    for (uint32_t id = 0; id < world->server_count; id++) {
        const struct sim_env *env = &world->nodes[id];
        for (uint32_t f = 0; f < env->kind->fact_count; f++) {
            const uint64_t value = env->facts[f] > 0 ? (uint64_t)env->facts[f] : 0;
            uint64_t *highest = strcmp(env->kind->facts[f].name, "term") == 0 ? &metrics->term_max
                                : strcmp(env->kind->facts[f].name, "commit") == 0
                                    ? &metrics->commit_max
                                    : NULL;
            if (highest && value > *highest) {
                *highest = value;
            }
        }
    }
}

void sim_world_metrics(const struct sim_world *world, struct sim_metrics *metrics)
{
    *metrics = world->metrics;
    highest_facts(world, metrics);
    metrics->latency_p50_ns = sim_histogram_quantile(&world->latency, 500000);
    metrics->latency_p90_ns = sim_histogram_quantile(&world->latency, 900000);
    metrics->latency_p99_ns = sim_histogram_quantile(&world->latency, 990000);
    metrics->latency_p999_ns = sim_histogram_quantile(&world->latency, 999000);
    metrics->latency_max_ns = world->latency.max;
    metrics->memory_bytes = sim_arena_used_bytes(world->arena);
}

#define METRIC(field, words)                                                                       \
    {                                                                                              \
#field, words, offsetof(struct sim_metrics, field)                                         \
    }
#define DROPPED(reason, words)                                                                     \
    {                                                                                              \
        "messages_dropped_" #reason, words,                                                        \
            offsetof(struct sim_metrics, messages_dropped) + sizeof(uint64_t) * (reason##_index)   \
    }
enum {
    cut_index = SIM_DROP_CUT,
    down_index = SIM_DROP_DOWN,
    queue_index = SIM_DROP_QUEUE,
    mtu_index = SIM_DROP_MTU,
    address_index = SIM_DROP_ADDRESS,
    refused_index = SIM_DROP_REFUSED,
    backlog_index = SIM_DROP_BACKLOG,
};

const struct sim_metric_info sim_metric_infos[] = {
    METRIC(operations, "operations that clients began"),
    METRIC(operations_ok, "operations that were answered"),
    METRIC(operations_failed, "operations that definitely did not take place"),
    METRIC(operations_info, "operations given up: nobody knows whether they took place"),
    METRIC(attempts, "requests sent, retries included"),
    METRIC(latency_p50_ns, "half of the answered operations took at most this long"),
    METRIC(latency_p90_ns, "nine tenths took at most this long"),
    METRIC(latency_p99_ns, "99 % took at most this long"),
    METRIC(latency_p999_ns, "99.9 % took at most this long"),
    METRIC(latency_max_ns, "the slowest answered operation"),
    METRIC(longest_gap_ns, "longest time without an acknowledged write"),
    METRIC(leader_changes, "times that a node became leader"),
    METRIC(term_max, "highest term at the end"),
    METRIC(commit_max, "highest commit index at the end"),
    METRIC(messages_sent, "messages sent"),
    METRIC(messages_delivered, "messages that reached their node"),
    METRIC(messages_lost, "datagrams that chance took"),
    METRIC(messages_duplicated, "datagrams that arrived twice"),
    METRIC(messages_reordered, "datagrams held back so that others could overtake"),
    METRIC(messages_corrupted, "messages with a flipped bit"),
    METRIC(messages_retransmitted, "messages that a stream had to send again"),
    DROPPED(cut, "messages that met a partition or a firewall"),
    DROPPED(down, "messages to a host that was down or a stream that was reset"),
    DROPPED(queue, "messages that found a queue for bandwidth full"),
    DROPPED(mtu, "messages larger than the path carries"),
    DROPPED(address, "messages sent to an address that had moved"),
    DROPPED(refused, "messages that authentication refused"),
    DROPPED(backlog, "messages that found a host's backlog full"),
    METRIC(forged_sent, "messages that an adversary changed, made up or replayed"),
    METRIC(forged_accepted, "of those, messages that a node was given"),
    METRIC(bytes_sent, "bytes of messages sent"),
    METRIC(bytes_eavesdropped, "bytes that an adversary read"),
    METRIC(cost_nano_dollars, "price of the traffic, billionths of a dollar"),
    METRIC(cpu_busy_ns, "cpu time of all hosts together"),
    METRIC(queue_delay_max_ns, "longest wait for bandwidth"),
    METRIC(cpu_delay_max_ns, "longest wait for a cpu"),
    METRIC(disk_syncs, "disk synchronisations"),
    METRIC(disk_errors, "disk requests that failed"),
    METRIC(crashes, "hosts that crashed"),
    METRIC(settings_changed, "settings and firewall rules that administrators changed"),
    METRIC(settings_overruled, "of those, what another administrator had set otherwise"),
    METRIC(clock_inversions, "writes of a register whose wall-clock order is not their true order"),
    METRIC(clock_error_max_ns, "largest distance of a wall clock from true time"),
    METRIC(memory_bytes, "memory of the world"),
};
const size_t sim_metric_count = sizeof sim_metric_infos / sizeof *sim_metric_infos;
