/* Which properties are watched, and the verdict that each must have. */
#include "scenarios/format/load.h"

#define SETTLE_NS (10 * SIM_S) /* For what comes after healing, where a scenario does not say. */

static bool find_check(struct load *l, const struct json_at *at, bool at_key, const char *name,
                       uint32_t *check)
{
    struct suggestion suggestion = {.word = name};
    for (uint32_t i = 0; i < SIM_CHECK_COUNT; i++) {
        if (strcmp(sim_check_infos[i].name, name) == 0) {
            *check = i;
            return true;
        }
        suggest_consider(&suggestion, sim_check_infos[i].name);
    }
    if (at_key && suggestion.nearest) {
        load_error_key(l, at,
                       "there is no check \"%.60s\"; did you mean \"%s\"? See `fallacy list "
                       "checks`",
                       name, suggestion.nearest);
    } else if (at_key) {
        load_error_key(l, at, "there is no check \"%.60s\"; see `fallacy list checks`", name);
    } else {
        load_unknown(l, at, "check", &suggestion, "see `fallacy list checks`");
    }
    return false;
}

static void load_one(struct load *l, const struct json_at *at)
{
    const char *name;
    uint32_t check = 0;
    if (!load_text(l, at, &name)) {
        return;
    }
    if (strcmp(name, "all") == 0) {
        l->plan->checks |= SIM_CHECKS_ALL;
        return;
    }
    if (!find_check(l, at, false, name, &check)) {
        return;
    }
    if (l->plan->checks >> check & 1) {
        load_error(l, at, "the check \"%s\" is in the list already", name);
    }
    l->plan->checks |= UINT64_C(1) << check;
}

/* "all", or an array of names, which may be one of them. */
static void load_enabled(struct load *l, const struct json_at *at)
{
    if (cJSON_IsString(at->json) && strcmp(at->json->valuestring, "all") == 0) {
        l->plan->checks = SIM_CHECKS_ALL;
        return;
    }
    if (!cJSON_IsArray(at->json)) {
        load_expected(l, at, "\"all\" or an array of checks; see `fallacy list checks`");
        return;
    }
    uint32_t index = 0;
    for (const cJSON *json = at->json->child; json; json = json->next) {
        const struct json_at element = json_element(at, json, index++);
        load_one(l, &element);
    }
}

static bool load_verdict(struct load *l, const struct json_at *at, uint32_t *verdict)
{
    static const char *names[SIM_VERDICT_COUNT + 2];
    for (uint32_t i = 0; i < SIM_VERDICT_COUNT; i++) {
        names[i] = sim_verdict_name(i);
    }
    names[SIM_VERDICT_COUNT] = "sometimes";
    uint32_t choice = 0;
    if (!load_choice(l, at, "verdict", names, &choice)) {
        return false;
    }
    *verdict = choice == SIM_VERDICT_COUNT ? SCENARIO_SOMETIMES : choice;
    return true;
}

static void load_expectations(struct load *l, const struct json_at *at, bool checks_are_listed)
{
    if (!cJSON_IsObject(at->json)) {
        load_expected(l, at, "an object such as {\"election_safety\": \"holds\"}");
        return;
    }
    for (const cJSON *json = at->json->child; json; json = json->next) {
        const struct json_at member = {.json = json, .parent = at, .key = json->string};
        uint32_t check = 0;
        if (!find_check(l, &member, true, json->string, &check)) {
            continue;
        }
        if (checks_are_listed && !(l->plan->checks >> check & 1)) {
            load_error_key(l, &member,
                           "the check \"%s\" is not among \"checks\", so it has no "
                           "verdict",
                           json->string);
        }
        l->plan->checks |= UINT64_C(1) << check;
        load_verdict(l, &member, &l->scenario->expect[check]);
    }
}

void load_checks(struct load *l, const struct json_at *root)
{
    const struct json_at checks = json_member(root, "checks");
    const struct json_at expect = json_member(root, "expect");
    const struct json_at settle = json_member(root, "settle");
    if (checks.json) {
        load_enabled(l, &checks);
    }
    if (expect.json) {
        load_expectations(l, &expect, checks.json != NULL);
    }
    if (!checks.json && !expect.json) {
        l->plan->checks = SIM_CHECKS_ALL & ~SIM_CHECKS_SETTLE;
    }
    if (settle.json) {
        load_quantity(l, &settle, UNITS_DURATION, &l->plan->settle_ns);
    } else if (l->plan->checks & SIM_CHECKS_SETTLE) {
        l->plan->settle_ns = SETTLE_NS;
    }
    if (settle.json && l->plan->settle_ns == 0 && (l->plan->checks & SIM_CHECKS_SETTLE)) {
        load_error(l, &settle, "the check %s needs time: more than 0s",
                   l->plan->checks >> SIM_CHECK_LIVENESS & 1 ? "liveness" : "convergence");
    }
}
