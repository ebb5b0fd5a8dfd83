/* The knobs of links and hosts, written. */
#include "scenarios/format/write_internal.h"

/* ---- Links --------------------------------------------------------------------------------- */

static bool sets(const struct sim_link_change *change, enum sim_link_field field)
{
    return change->fields >> field & 1;
}

static void write_delay(struct write *w, cJSON *object, const struct sim_link_change *change)
{
    const struct sim_link_knobs *k = &change->knobs;
    const bool base = sets(change, SIM_LINK_USE_BASE);
    if (sets(change, SIM_LINK_LATENCY)) {
        if (!base) {
            write_fail(w, "a latency that leaves open whether it is the whole delay");
        }
        write_dist(object, "latency", UNITS_DURATION, &k->latency);
    }
    if (base && (k->use_base || !sets(change, SIM_LINK_LATENCY))) {
        write_bool(object, "base", k->use_base);
    }
    if (sets(change, SIM_LINK_JITTER)) {
        write_dist(object, "jitter", UNITS_SHARE, &k->jitter);
    }
}

static void write_chances(cJSON *object, const struct sim_link_change *change)
{
    static const struct sim_dist held_back = {.kind = SIM_DIST_EXPONENTIAL, .a = 10 * SIM_MS};
    const struct sim_link_knobs *k = &change->knobs;
    if (sets(change, SIM_LINK_LOSS)) {
        write_quantity(object, "loss", UNITS_SHARE, k->loss_ppm);
    }
    if (sets(change, SIM_LINK_BURST)) {
        cJSON *burst = write_object(object, "burst");
        write_quantity(burst, "enter", UNITS_SHARE, k->burst_enter_ppm);
        write_quantity(burst, "leave", UNITS_SHARE, k->burst_leave_ppm);
        write_quantity(burst, "loss", UNITS_SHARE, k->burst_loss_ppm);
    }
    if (sets(change, SIM_LINK_DUPLICATE)) {
        write_quantity(object, "duplicate", UNITS_SHARE, k->duplicate_ppm);
    }
    if (sets(change, SIM_LINK_REORDER)) {
        write_quantity(object, "reorder", UNITS_SHARE, k->reorder_ppm);
        if (!write_dist_equal(&k->reorder_delay, &held_back)) {
            write_dist(object, "reorder_delay", UNITS_DURATION, &k->reorder_delay);
        }
    }
    if (sets(change, SIM_LINK_CORRUPT)) {
        write_quantity(object, "corrupt", UNITS_SHARE, k->corrupt_ppm);
    }
}

static void write_capacity(cJSON *object, const struct sim_link_change *change)
{
    static const char *const transports[] = {"kind", "datagram", "stream"};
    const struct sim_link_knobs *k = &change->knobs;
    if (sets(change, SIM_LINK_RATE)) {
        write_quantity(object, "rate", UNITS_RATE, k->bytes_per_second);
    }
    if (sets(change, SIM_LINK_QUEUE)) {
        write_quantity(object, "queue", UNITS_SIZE, k->queue_bytes);
        if (k->queue_policy == SIM_QUEUE_RED) {
            write_text(object, "queue_policy", "red");
        }
    }
    if (sets(change, SIM_LINK_MTU)) {
        write_quantity(object, "mtu", UNITS_SIZE, k->mtu_bytes);
    }
    if (sets(change, SIM_LINK_TRANSPORT)) {
        write_text(object, "transport", transports[k->transport]);
    }
    if (sets(change, SIM_LINK_PRICE)) {
        write_quantity(object, "price", UNITS_PRICE, k->price_nano_per_gb);
    }
}

static void write_security(cJSON *object, const struct sim_link_change *change)
{
    const struct sim_link_knobs *k = &change->knobs;
    if (sets(change, SIM_LINK_AUTHENTICATED)) {
        write_bool(object, "authenticated", k->authenticated);
    }
    if (sets(change, SIM_LINK_ADVERSARY)) {
        const struct {
            const char *key;
            uint32_t ppm;
        } chances[] = {
            {"tamper", k->tamper_ppm}, {"forge", k->forge_ppm}, {"replay", k->replay_ppm}};
        write_bool(object, "eavesdrop", k->eavesdrop);
        for (size_t i = 0; i < sizeof chances / sizeof *chances; i++) {
            if (chances[i].ppm) {
                write_quantity(object, chances[i].key, UNITS_SHARE, chances[i].ppm);
            }
        }
    }
}

void write_link_knobs(struct write *w, cJSON *object, const struct sim_link_change *change)
{
    write_delay(w, object, change);
    write_chances(object, change);
    write_capacity(object, change);
    write_security(object, change);
}

/* ---- Disks --------------------------------------------------------------------------------- */

void write_disk_knobs(cJSON *object, const struct sim_disk_change *change)
{
    const struct sim_disk_knobs *k = &change->knobs;
    const struct {
        const char *key;
        enum sim_disk_field field;
        uint32_t ppm;
    } chances[] = {
        {"sync_error", SIM_DISK_SYNC_ERROR, k->sync_error_ppm},
        {"write_error", SIM_DISK_WRITE_ERROR, k->write_error_ppm},
        {"lie", SIM_DISK_LIE, k->lie_ppm},
        {"survive", SIM_DISK_SURVIVE, k->survive_ppm},
        {"torn", SIM_DISK_TORN, k->torn_ppm},
        {"corrupt", SIM_DISK_CORRUPT, k->corrupt_ppm},
    };
    if (change->fields >> SIM_DISK_LATENCY & 1) {
        write_dist(object, "sync", UNITS_DURATION, &k->sync_latency);
    }
    if (change->fields >> SIM_DISK_RATE & 1) {
        write_quantity(object, "rate", UNITS_RATE, k->bytes_per_second);
    }
    if (change->fields >> SIM_DISK_CAPACITY & 1) {
        write_quantity(object, "capacity", UNITS_SIZE, k->capacity_bytes);
    }
    for (size_t i = 0; i < sizeof chances / sizeof *chances; i++) {
        if (change->fields >> chances[i].field & 1) {
            write_quantity(object, chances[i].key, UNITS_SHARE, chances[i].ppm);
        }
    }
    if ((change->fields >> SIM_DISK_SURVIVE & 1) && k->survive_any) {
        write_bool(object, "survive_any", true);
    }
}

/* ---- Hosts --------------------------------------------------------------------------------- */

/* A host's object is made only if something differs. */
static cJSON *part(cJSON *host, const char *key)
{
    cJSON *object = cJSON_GetObjectItemCaseSensitive(host, key);
    return object ? object : write_object(host, key);
}

static void write_cpu(cJSON *host, const struct sim_cpu_knobs *cpu)
{
    if (cpu->message_ns) {
        write_quantity(part(host, "cpu"), "message", UNITS_DURATION, cpu->message_ns);
    }
    if (cpu->byte_ps) {
        write_quantity(part(host, "cpu"), "byte", UNITS_SMALL, cpu->byte_ps);
    }
    if (cpu->send_ns) {
        write_quantity(part(host, "cpu"), "send", UNITS_DURATION, cpu->send_ns);
    }
    if (cpu->speed_ppm != SIM_PPM) {
        write_quantity(part(host, "cpu"), "speed", UNITS_SHARE, cpu->speed_ppm);
    }
    if (cpu->backlog_messages) {
        write_count(part(host, "cpu"), "backlog", cpu->backlog_messages);
    }
}

static void write_clock(cJSON *host, const struct sim_clock_knobs *clock)
{
    if (clock->offset_ns) {
        write_signed(part(host, "clock"), "offset", UNITS_DURATION, clock->offset_ns);
    }
    if (clock->drift_ppb) {
        write_signed(part(host, "clock"), "drift", UNITS_DRIFT, clock->drift_ppb);
    }
    if (clock->sync_interval_ns == 0) {
        return;
    }
    cJSON *sync = part(part(host, "clock"), "sync");
    write_quantity(sync, "every", UNITS_DURATION, clock->sync_interval_ns);
    write_dist(sync, "error", UNITS_DURATION, &clock->sync_error);
    write_quantity(sync, "bound", UNITS_DURATION, clock->error_bound_ns);
    write_quantity(sync, "assumed_drift", UNITS_DRIFT, clock->assumed_drift_ppb);
    write_bool(sync, "smear", clock->smear);
}

static void write_disk(cJSON *host, const struct sim_disk_knobs *disk)
{
    struct sim_host_knobs standard;
    sim_host_knobs_init(&standard);
    const struct sim_disk_knobs *s = &standard.disk;
    struct sim_disk_change change = {.knobs = *disk};
    change.fields |= (uint32_t)!write_dist_equal(&disk->sync_latency, &s->sync_latency)
                     << SIM_DISK_LATENCY;
    change.fields |= (uint32_t)(disk->bytes_per_second != 0) << SIM_DISK_RATE;
    change.fields |= (uint32_t)(disk->capacity_bytes != 0) << SIM_DISK_CAPACITY;
    change.fields |= (uint32_t)(disk->sync_error_ppm != 0) << SIM_DISK_SYNC_ERROR;
    change.fields |= (uint32_t)(disk->write_error_ppm != 0) << SIM_DISK_WRITE_ERROR;
    change.fields |= (uint32_t)(disk->lie_ppm != 0) << SIM_DISK_LIE;
    change.fields |= (uint32_t)(disk->survive_ppm != 0 || disk->survive_any) << SIM_DISK_SURVIVE;
    change.fields |= (uint32_t)(disk->torn_ppm != 0) << SIM_DISK_TORN;
    change.fields |= (uint32_t)(disk->corrupt_ppm != 0) << SIM_DISK_CORRUPT;
    if (change.fields) {
        write_disk_knobs(part(host, "disk"), &change);
    }
}

void write_host(cJSON *object, const struct sim_host_knobs *host)
{
    cJSON *json = write_object(object, "host");
    write_cpu(json, &host->cpu);
    write_clock(json, &host->clock);
    write_disk(json, &host->disk);
    if (host->egress_bytes_per_second) {
        write_quantity(part(json, "egress"), "rate", UNITS_RATE, host->egress_bytes_per_second);
    }
    if (host->egress_queue_bytes) {
        write_quantity(part(json, "egress"), "queue", UNITS_SIZE, host->egress_queue_bytes);
    }
    if (host->dns_ttl_ns) {
        write_quantity(json, "dns_ttl", UNITS_DURATION, host->dns_ttl_ns);
    }
    write_drop_empty(object, "host");
}
