/* The writer is the loader's inverse: what it writes of a plan loads as the same plan. */
#include "nodes/registry.h"
#include "scenarios/format/write.h"
#include "tests/scenarios.h"

/* Write, load again, compare; and what is written a second time is the same text. */
static void expect_same(const char *file)
{
    struct scenario first;
    struct scenario second;
    must_load(&first, file, NULL, 0);
    const struct scenario_words words = {first.title, first.why, first.lesson, first.source};
    const char *problem = NULL;
    char *text = scenario_write(&first.plan, &words, first.expect, &problem);
    cr_assert_not_null(text, "%s: %s", file, problem);
    must_parse(&second, text);
    size_t size;
    size_t size_again;
    uint8_t *bytes = plan_bytes(&first.plan, &size);
    uint8_t *again = plan_bytes(&second.plan, &size_again);
    cr_expect(size == size_again && memcmp(bytes, again, size) == 0, "%s: another plan:\n%s", file,
              text);
    cr_expect_eq(memcmp(first.expect, second.expect, sizeof first.expect), 0, "%s", file);
    char *text_again = scenario_write(&second.plan, &words, second.expect, &problem);
    cr_expect_str_eq(text_again, text, "%s", file);
    free(text_again);
    free(bytes);
    free(again);
    free(text);
    scenario_release(&first);
    scenario_release(&second);
}

/* Every scenario of the catalogue is a plan that the format can say. */
Test(write, is_the_inverse_of_loading_for_the_catalogue, .timeout = 60)
{
    FILE *golden = fopen("tests/golden/hashes.txt", "r");
    cr_assert(golden, "tests run in the project's folder");
    char line[400];
    size_t count = 0;
    while (fgets(line, sizeof line, golden)) {
        char *end = strchr(line, ' ');
        if (!end || strncmp(line, "scenarios/", 10) != 0) {
            continue; /* The golden hash of the selftest. */
        }
        *end = '\0';
        if (strstr(line, "libraft/") && !node_registry_find("libraft")) {
            continue;
        }
        expect_same(line);
        count++;
    }
    fclose(golden);
    cr_expect_gt(count, 10);
}

/* So is a scenario with every key there is. */
Test(write, is_the_inverse_of_loading_for_every_key)
{
    expect_same("tests/fuzz/every_key.json");
}

/* What the format cannot say is told, not written as something else. */
Test(write, tells_what_the_format_cannot_say)
{
    struct scenario s;
    must_load(&s, "scenarios/raft/leader_isolated_then_healed.json", NULL, 0);
    const struct scenario_words words = {s.title, s.why, NULL, NULL};
    const char *problem = NULL;
    s.plan.nodes[1].bugs = 1;
    cr_expect_null(scenario_write(&s.plan, &words, s.expect, &problem));
    cr_expect_not_null(strstr(problem, "different settings"));
    scenario_release(&s);
}
