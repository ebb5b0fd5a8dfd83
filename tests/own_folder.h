/* A folder of a test's own, for one file of a program. */
#ifndef TESTS_OWN_FOLDER_H
#define TESTS_OWN_FOLDER_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static char folder[64];

static inline void make_folder(void)
{
    (void)snprintf(folder, sizeof folder, P_tmpdir "/fallacy-test-XXXXXX");
    cr_assert(mkdtemp(folder));
}

/* With all that is in it. */
static inline void remove_folder(void)
{
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf %s", folder);
    cr_expect_eq(system(command), 0);
}

#endif
