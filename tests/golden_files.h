/* Histories that other tools have judged. They are no part of the source tree: a folder
 * `histories` beside it, or what FALLACY_HISTORIES names. Tests without it are skipped. */
#ifndef TESTS_GOLDEN_FILES_H
#define TESTS_GOLDEN_FILES_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* All of a file, with a zero at the end, from malloc; NULL if it cannot be read. */
static inline char *golden_file(const char *folder, const char *name, size_t *size_bytes)
{
    const char *root = getenv("FALLACY_HISTORIES");
    char path[1000];
    (void)snprintf(path, sizeof path, "%s/%s/%s", root ? root : "../shared/histories", folder,
                   name);
    FILE *file = fopen(path, "rb");
    char *bytes = NULL;
    size_t size = 0;
    if (file && fseek(file, 0, SEEK_END) == 0) {
        const long length = ftell(file);
        rewind(file);
        bytes = length < 0 ? NULL : malloc((size_t)length + 1);
        size = bytes ? fread(bytes, 1, (size_t)length, file) : 0;
    }
    if (file) {
        (void)fclose(file);
    }
    if (bytes) {
        bytes[size] = '\0';
    }
    if (size_bytes) {
        *size_bytes = size;
    }
    return bytes;
}

/* Cut a line of a table at its tabs, in place; answers how many columns there are. *text moves on
 * to the next line, and is NULL after the last. */
static inline size_t golden_columns(char **text, char **columns, size_t columns_max)
{
    char *end = strchr(*text, '\n');
    char *next = end && end[1] ? end + 1 : NULL;
    size_t count = 0;
    if (end) {
        *end = '\0';
    }
    for (char *at = *text; at && count < columns_max; count++) {
        columns[count] = at;
        at = strchr(at, '\t');
        if (at) {
            *at++ = '\0';
        }
    }
    *text = next;
    return count;
}

/* A word stands among words with blanks between. */
static inline bool golden_has(const char *words, const char *word)
{
    const size_t length = strlen(word);
    for (const char *at = words; (at = strstr(at, word)) != NULL; at += length) {
        if ((at == words || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0')) {
            return true;
        }
    }
    return false;
}

#endif
