/* The program as a user meets it, in a folder of the test's own: a suite begins with make_folder()
 * and ends with remove_folder(). */
#ifndef TESTS_COMMAND_LINE_H
#define TESTS_COMMAND_LINE_H

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/own_folder.h"

static char output[1 << 16]; /* stdout and stderr of the last command. */

/* Run "fallacy ARGUMENTS", where $D is a folder of this test's own; its exit code. */
static int fallacy(const char *arguments)
{
    char command[1024];
    const char *program = getenv("FALLACY");
    cr_assert(program, "meson test says where the program is");
    (void)snprintf(command, sizeof command, "D=%s; '%s' %s 2>&1", folder, program, arguments);
    FILE *pipe = popen(command, "r");
    cr_assert(pipe);
    const size_t got = fread(output, 1, sizeof output - 1, pipe);
    output[got] = '\0';
    while (fgetc(pipe) != EOF) { /* The rest, or the program would meet a closed pipe. */
    }
    const int status = pclose(pipe);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* A command in which $D is that folder and $FALLACY the program; its exit code. */
static inline int shell_exit(const char *command)
{
    char text[1200];
    (void)snprintf(text, sizeof text, "D=%s; %s", folder, command);
    const int status = system(text);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static inline void shell(const char *command)
{
    cr_assert_eq(shell_exit(command), 0, "%s", command);
}

static inline bool exists(const char *name)
{
    char path[128];
    struct stat unused;
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return stat(path, &unused) == 0;
}

#define EXPECT_SAYS(words) cr_expect(strstr(output, words), "expected '%s' in:\n%s", words, output)

/* EXPECT_EXIT(2, "rum", "did you mean"): "fallacy rum" exits with 2 and says these words, of which
 * there may be more, or none. */
#define EXPECT_EXIT(code, ...)                                                                     \
    do {                                                                                           \
        const char *const arguments_and_words[] = {__VA_ARGS__, NULL};                             \
        const char *const *word = arguments_and_words;                                             \
        const int exit_code = fallacy(*word);                                                      \
        cr_expect_eq(exit_code, code, "fallacy %s exits with %d:\n%s", *word, exit_code, output);  \
        while (*++word) {                                                                          \
            EXPECT_SAYS(*word);                                                                    \
        }                                                                                          \
    } while (0)

#endif
