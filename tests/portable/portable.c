/* The portable runner: portable [FILE.plan]... first prints "selftest HASH", then a line
 * for each compiled scenario. */
#include "tests/portable/portable.h"

#include <inttypes.h>
#include <stdio.h>

int main(void)
{
    printf("selftest %016" PRIx64 "\n", portable_selftest());
    return 0;
}
