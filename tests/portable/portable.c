/* The portable runner: portable [FILE.plan]... prints a line for each compiled scenario;
 * without a file it prints "selftest" and the hash of the simulator's arithmetic. */
#include "tests/portable/portable.h"

#include <inttypes.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    if (argc < 2) {
        printf("selftest %016" PRIx64 "\n", portable_selftest());
        return 0;
    }
    bool good = true;
    for (int i = 1; i < argc; i++) {
        good = portable_run_plan(argv[i]) && good;
    }
    return good ? 0 : 1;
}
