/* The knobs of links and hosts. */
#include "scenarios/format/load.h"

#define MTU_MIN 64 /* Nothing smaller carries even a header. */
#define DRIFT_PPB_MAX 500000000

static bool has(const struct json_at *object, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(object->json, key) != NULL;
}

static bool has_any(const struct json_at *object, const char *const *keys)
{
    for (; *keys; keys++) {
        if (cJSON_GetObjectItemCaseSensitive(object->json, *keys)) {
            return true;
        }
    }
    return false;
}

static void load_flag(struct load *l, const struct json_at *object, const char *key, uint32_t *flag)
{
    bool value = *flag != 0;
    if (load_key_bool(l, object, key, &value)) {
        *flag = value;
    }
}

/* ---- Links ------------------------------------------------------------------------------- */

static void set_field(struct sim_link_change *change, enum sim_link_field field)
{
    change->fields |= UINT32_C(1) << field;
}

/* A latency is the whole delay unless the scenario also asks for the zones' base. */
static void load_delay(struct load *l, const struct json_at *at, struct sim_link_change *change)
{
    struct sim_link_knobs *k = &change->knobs;
    load_key_distribution(l, at, "latency", UNITS_DURATION, &k->latency);
    load_key_distribution(l, at, "jitter", UNITS_SHARE, &k->jitter);
    if (has(at, "latency")) {
        set_field(change, SIM_LINK_LATENCY);
        k->use_base = 0;
    }
    load_flag(l, at, "base", &k->use_base);
    if (has(at, "latency") || has(at, "base")) {
        set_field(change, SIM_LINK_USE_BASE);
    }
    if (has(at, "jitter")) {
        set_field(change, SIM_LINK_JITTER);
    }
}

static void load_burst(struct load *l, const struct json_at *object, struct sim_link_change *change)
{
    const struct json_at at = json_member(object, "burst");
    struct json_at member;
    if (!at.json || !load_object(l, &at, LOAD_BURST)) {
        return;
    }
    set_field(change, SIM_LINK_BURST);
    if (load_required(l, &at, "enter", &member)) {
        load_probability(l, &member, &change->knobs.burst_enter_ppm);
    }
    if (load_required(l, &at, "leave", &member)) {
        load_probability(l, &member, &change->knobs.burst_leave_ppm);
    }
    change->knobs.burst_loss_ppm = SIM_PPM; /* Gilbert's bad state loses everything. */
    load_key_probability(l, &at, "loss", &change->knobs.burst_loss_ppm);
}

static void load_chances(struct load *l, const struct json_at *at, struct sim_link_change *change)
{
    struct sim_link_knobs *k = &change->knobs;
    const struct {
        const char *key;
        enum sim_link_field field;
        uint32_t *ppm;
    } chances[] = {
        {"loss", SIM_LINK_LOSS, &k->loss_ppm},
        {"duplicate", SIM_LINK_DUPLICATE, &k->duplicate_ppm},
        {"reorder", SIM_LINK_REORDER, &k->reorder_ppm},
        {"corrupt", SIM_LINK_CORRUPT, &k->corrupt_ppm},
    };
    for (size_t i = 0; i < sizeof chances / sizeof chances[0]; i++) {
        if (has(at, chances[i].key)) {
            load_key_probability(l, at, chances[i].key, chances[i].ppm);
            set_field(change, chances[i].field);
        }
    }
    /* Held back by 10 ms on average unless the scenario says otherwise: long enough for the
     * following messages of a busy link to overtake. */
    k->reorder_delay = (struct sim_dist){.kind = SIM_DIST_EXPONENTIAL, .a = 10 * SIM_MS};
    load_key_distribution(l, at, "reorder_delay", UNITS_DURATION, &k->reorder_delay);
    const struct json_at delay = json_member(at, "reorder_delay");
    if (delay.json && !has(at, "reorder")) {
        load_error_key(l, &delay, "\"reorder_delay\" does nothing without \"reorder\"");
    }
    load_burst(l, at, change);
}

static void load_capacity(struct load *l, const struct json_at *at, struct sim_link_change *change)
{
    static const char *const policies[] = {"tail", "red", NULL};
    static const char *const transports[] = {"kind", "datagram", "stream", NULL};
    static const char *const queue_keys[] = {"queue", "queue_policy", NULL};
    struct sim_link_knobs *k = &change->knobs;
    if (has(at, "rate")) {
        load_key_quantity(l, at, "rate", UNITS_RATE, &k->bytes_per_second);
        set_field(change, SIM_LINK_RATE);
    }
    load_key_quantity(l, at, "queue", UNITS_SIZE, &k->queue_bytes);
    const struct json_at policy = json_member(at, "queue_policy");
    if (policy.json) {
        load_choice(l, &policy, "queue policy", policies, &k->queue_policy);
    }
    if (has_any(at, queue_keys)) {
        set_field(change, SIM_LINK_QUEUE);
    }
    const struct json_at mtu = json_member(at, "mtu");
    uint64_t mtu_bytes = 0;
    if (mtu.json && load_quantity(l, &mtu, UNITS_SIZE, &mtu_bytes)) {
        if (mtu_bytes != 0 && (mtu_bytes < MTU_MIN || mtu_bytes > UINT32_MAX)) {
            load_error(l, &mtu, "an MTU is at least %dB and below 4GiB, or 0B for none", MTU_MIN);
        }
        k->mtu_bytes = (uint32_t)mtu_bytes;
        set_field(change, SIM_LINK_MTU);
    }
    const struct json_at transport = json_member(at, "transport");
    if (transport.json && load_choice(l, &transport, "transport", transports, &k->transport)) {
        set_field(change, SIM_LINK_TRANSPORT);
    }
    if (has(at, "price")) {
        load_key_quantity(l, at, "price", UNITS_PRICE, &k->price_nano_per_gb);
        set_field(change, SIM_LINK_PRICE);
    }
}

static void load_security(struct load *l, const struct json_at *at, struct sim_link_change *change)
{
    static const char *const keys[] = {"eavesdrop", "tamper", "forge", "replay", NULL};
    struct sim_link_knobs *k = &change->knobs;
    if (has(at, "authenticated")) {
        load_flag(l, at, "authenticated", &k->authenticated);
        set_field(change, SIM_LINK_AUTHENTICATED);
    }
    load_flag(l, at, "eavesdrop", &k->eavesdrop);
    load_key_probability(l, at, "tamper", &k->tamper_ppm);
    load_key_probability(l, at, "forge", &k->forge_ppm);
    load_key_probability(l, at, "replay", &k->replay_ppm);
    if (has_any(at, keys)) {
        set_field(change, SIM_LINK_ADVERSARY);
    }
}

void load_link_knobs(struct load *l, const struct json_at *at, struct sim_link_change *change)
{
    change->fields = 0;
    sim_link_knobs_init(&change->knobs);
    load_delay(l, at, change);
    load_chances(l, at, change);
    load_capacity(l, at, change);
    load_security(l, at, change);
}

bool load_ends(struct load *l, const struct json_at *at, unsigned flags, struct sim_selection *from,
               struct sim_selection *to, bool *one_way)
{
    const struct json_at between = json_member(at, "between");
    const struct json_at from_at = json_member(at, "from");
    const struct json_at to_at = json_member(at, "to");
    *one_way = false;
    if (between.json) {
        if (from_at.json || to_at.json) {
            load_error(l, at,
                       "\"between\" is for both directions, \"from\" and \"to\" for one: "
                       "not all of them");
            return false;
        }
        if (!cJSON_IsArray(between.json) || cJSON_GetArraySize(between.json) != 2) {
            load_expected(l, &between, "two selections, such as [\"n1\", \"zone:a\"]");
            return false;
        }
        const struct json_at first = json_element(&between, between.json->child, 0);
        const struct json_at second = json_element(&between, between.json->child->next, 1);
        const bool good = load_selection(l, &first, flags, from);
        return load_selection(l, &second, flags, to) && good;
    }
    load_select_everybody(from);
    load_select_everybody(to);
    *one_way = from_at.json || to_at.json;
    const bool good = load_key_selection(l, at, "from", flags, false, from);
    return load_key_selection(l, at, "to", flags, false, to) && good;
}

/* ---- Disks ------------------------------------------------------------------------------- */

void load_disk_knobs(struct load *l, const struct json_at *at, struct sim_disk_change *change)
{
    static const char *const survive_keys[] = {"survive", "survive_any", NULL};
    struct sim_disk_knobs *k = &change->knobs;
    const struct {
        const char *key;
        enum sim_disk_field field;
        uint32_t *ppm;
    } chances[] = {
        {"sync_error", SIM_DISK_SYNC_ERROR, &k->sync_error_ppm},
        {"write_error", SIM_DISK_WRITE_ERROR, &k->write_error_ppm},
        {"lie", SIM_DISK_LIE, &k->lie_ppm},
        {"torn", SIM_DISK_TORN, &k->torn_ppm},
        {"corrupt", SIM_DISK_CORRUPT, &k->corrupt_ppm},
    };
    for (size_t i = 0; i < sizeof chances / sizeof chances[0]; i++) {
        if (has(at, chances[i].key)) {
            load_key_probability(l, at, chances[i].key, chances[i].ppm);
            change->fields |= UINT32_C(1) << chances[i].field;
        }
    }
    if (has(at, "sync")) {
        load_key_distribution(l, at, "sync", UNITS_DURATION, &k->sync_latency);
        change->fields |= UINT32_C(1) << SIM_DISK_LATENCY;
    }
    if (has(at, "rate")) {
        load_key_quantity(l, at, "rate", UNITS_RATE, &k->bytes_per_second);
        change->fields |= UINT32_C(1) << SIM_DISK_RATE;
    }
    if (has(at, "capacity")) {
        load_key_quantity(l, at, "capacity", UNITS_SIZE, &k->capacity_bytes);
        change->fields |= UINT32_C(1) << SIM_DISK_CAPACITY;
    }
    load_key_probability(l, at, "survive", &k->survive_ppm);
    load_key_bool(l, at, "survive_any", &k->survive_any);
    if (has_any(at, survive_keys)) {
        change->fields |= UINT32_C(1) << SIM_DISK_SURVIVE;
    }
}

/* ---- Hosts ------------------------------------------------------------------------------- */

static void load_cpu(struct load *l, const struct json_at *object, struct sim_cpu_knobs *cpu)
{
    const struct json_at at = json_member(object, "cpu");
    if (!at.json || !load_object(l, &at, LOAD_CPU)) {
        return;
    }
    load_key_quantity(l, &at, "message", UNITS_DURATION, &cpu->message_ns);
    load_key_quantity(l, &at, "byte", UNITS_SMALL, &cpu->byte_ps);
    load_key_quantity(l, &at, "send", UNITS_DURATION, &cpu->send_ns);
    const struct json_at speed = json_member(&at, "speed");
    uint64_t ppm = cpu->speed_ppm;
    if (speed.json && load_quantity(l, &speed, UNITS_SHARE, &ppm)) {
        if (ppm == 0 || ppm > 1000 * SIM_PPM) {
            load_error(l, &speed, "a cpu's speed is above 0%% and at most 100000%%");
        } else {
            cpu->speed_ppm = (uint32_t)ppm;
        }
    }
    uint64_t backlog = cpu->backlog_messages;
    load_key_count(l, &at, "backlog", 0, 1000000, &backlog);
    cpu->backlog_messages = (uint32_t)backlog;
}

bool load_drift(struct load *l, const struct json_at *at, int64_t *drift_ppb)
{
    int64_t ppb = 0;
    if (!load_signed(l, at, UNITS_DRIFT, &ppb)) {
        return false;
    }
    if (ppb < -DRIFT_PPB_MAX || ppb > DRIFT_PPB_MAX) {
        load_error(l, at, "a drift is at most 50%% either way");
        return false;
    }
    *drift_ppb = ppb;
    return true;
}

static void load_sync(struct load *l, const struct json_at *object, struct sim_clock_knobs *clock)
{
    const struct json_at at = json_member(object, "sync");
    struct json_at every;
    if (!at.json || !load_object(l, &at, LOAD_CLOCK_SYNC)) {
        return;
    }
    if (load_required(l, &at, "every", &every) &&
        load_quantity(l, &every, UNITS_DURATION, &clock->sync_interval_ns) &&
        clock->sync_interval_ns == 0) {
        load_error(l, &every,
                   "must be more than 0s; leave \"sync\" out for a clock that is never "
                   "synchronised");
    }
    load_key_distribution(l, &at, "error", UNITS_DURATION, &clock->sync_error);
    load_key_quantity(l, &at, "bound", UNITS_DURATION, &clock->error_bound_ns);
    const struct json_at assumed = json_member(&at, "assumed_drift");
    int64_t ppb = 0;
    if (assumed.json && load_drift(l, &assumed, &ppb)) {
        if (ppb < 0) {
            load_error(l, &assumed, "an assumed drift cannot be negative: it is a bound");
        } else {
            clock->assumed_drift_ppb = (uint32_t)ppb;
        }
    }
    load_key_bool(l, &at, "smear", &clock->smear);
}

static void load_clock(struct load *l, const struct json_at *object, struct sim_clock_knobs *clock)
{
    const struct json_at at = json_member(object, "clock");
    if (!at.json || !load_object(l, &at, LOAD_CLOCK)) {
        return;
    }
    const struct json_at offset = json_member(&at, "offset");
    if (offset.json) {
        load_signed(l, &offset, UNITS_DURATION, &clock->offset_ns);
    }
    const struct json_at drift = json_member(&at, "drift");
    int64_t ppb = clock->drift_ppb;
    if (drift.json && load_drift(l, &drift, &ppb)) {
        clock->drift_ppb = (int32_t)ppb;
    }
    load_sync(l, &at, clock);
}

void load_host_knobs(struct load *l, const struct json_at *at, struct sim_host_knobs *host)
{
    if (!load_object(l, at, LOAD_HOST)) {
        return;
    }
    load_cpu(l, at, &host->cpu);
    load_clock(l, at, &host->clock);
    const struct json_at disk = json_member(at, "disk");
    if (disk.json && load_object(l, &disk, LOAD_DISK)) {
        struct sim_disk_change change = {.knobs = host->disk};
        load_disk_knobs(l, &disk, &change);
        host->disk = change.knobs;
    }
    const struct json_at egress = json_member(at, "egress");
    if (egress.json && load_object(l, &egress, LOAD_EGRESS)) {
        load_key_quantity(l, &egress, "rate", UNITS_RATE, &host->egress_bytes_per_second);
        load_key_quantity(l, &egress, "queue", UNITS_SIZE, &host->egress_queue_bytes);
    }
    load_key_quantity(l, at, "dns_ttl", UNITS_DURATION, &host->dns_ttl_ns);
}
