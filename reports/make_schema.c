/* Turns schema.sql into C, at build time: make_schema schema.sql schema.c
 *
 * Three things come out. The text of the schema, for files that grow with their run. An image
 * of a file with the tables of level outcome and the names in it that are always the same, and
 * the views that need no more than these: creating all that by SQL takes 2 ms, a seventh of a
 * typical run, against 0.1 ms for copying the image and adding the views as rows. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/outcome_names.h"

enum { SCHEMA_BYTES_MAX = 1 << 20, VIEWS_MAX = 64 };

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "make_schema: %s: %s\n", what, why);
    exit(1);
}

static char *read_text(const char *file)
{
    FILE *stream = fopen(file, "rb");
    char *text = malloc(SCHEMA_BYTES_MAX);
    if (!stream || !text) {
        fail(file, "cannot be read");
    }
    const size_t size = fread(text, 1, SCHEMA_BYTES_MAX - 1, stream);
    fclose(stream);
    text[size] = '\0';
    return text;
}

static void execute(sqlite3 *db, const char *sql)
{
    char *message = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK) {
        fail(sql, message);
    }
}

/* Everything that the first table of level history and those after it hold. */
static void drop_history(sqlite3 *db)
{
    static const char *const tables[] = {"node", "setting", "fault", "operation", "part", "event"};
    char sql[64];
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        snprintf(sql, sizeof sql, "drop table %s", tables[i]);
        execute(db, sql);
    }
}

static void add_name(void *context, const char *what, uint32_t id, const char *text)
{
    char *sql =
        sqlite3_mprintf("insert into name values (%Q, 0, %u, %Q)", what, (unsigned)id, text);
    if (!sql) {
        fail(what, "out of memory");
    }
    execute(context, sql);
    sqlite3_free(sql);
}

static void write_bytes(FILE *out, const char *name, const unsigned char *bytes, size_t size)
{
    fprintf(out, "const unsigned char %s[%zu] = {", name, size);
    for (size_t i = 0; i < size; i++) {
        fprintf(out, "%s%d,", i % 24 ? "" : "\n", bytes[i]);
    }
    fputs("\n};\n", out);
}

/* The views that still work now that the tables of the history are gone. */
static void write_views(FILE *out, sqlite3 *db)
{
    static char names[VIEWS_MAX][64];
    static char *texts[VIEWS_MAX];
    size_t count = 0;
    sqlite3_stmt *views;
    sqlite3_prepare_v2(db, "select name, sql from sqlite_schema where type = 'view'", -1, &views,
                       NULL);
    while (count < VIEWS_MAX && sqlite3_step(views) == SQLITE_ROW) {
        snprintf(names[count], sizeof names[count], "%s", sqlite3_column_text(views, 0));
        texts[count++] = sqlite3_mprintf("%s", sqlite3_column_text(views, 1));
    }
    sqlite3_finalize(views);

    fputs("const struct recording_view recording_outcome_views[] = {\n", out);
    for (size_t i = 0; i < count; i++) {
        sqlite3_stmt *probe;
        char sql[96];
        snprintf(sql, sizeof sql, "select * from %.63s", names[i]);
        if (sqlite3_prepare_v2(db, sql, -1, &probe, NULL) == SQLITE_OK) {
            fprintf(out, "{\"%s\", (const char[]){", names[i]);
            for (const char *c = texts[i]; *c; c++) {
                fprintf(out, "%d,", *c);
            }
            fputs("0}},\n", out);
        }
        sqlite3_finalize(probe);
    }
    fputs("{NULL, NULL}};\n", out);

    for (size_t i = 0; i < count; i++) { /* Not before: views use each other. */
        char sql[96];
        snprintf(sql, sizeof sql, "drop view %.63s", names[i]);
        execute(db, sql);
        sqlite3_free(texts[i]);
    }
}

int main(int count, char **arguments)
{
    if (count != 3) {
        fail("usage", "make_schema schema.sql schema.c");
    }
    char *schema = read_text(arguments[1]);
    FILE *out = fopen(arguments[2], "wb");
    sqlite3 *db = NULL;
    if (!out || sqlite3_open(":memory:", &db) != SQLITE_OK) {
        fail(arguments[2], "cannot be written");
    }
    execute(db, schema);
    drop_history(db);
    recording_each_outcome_name(add_name, db);

    fputs("/* Made from schema.sql by make_schema.c. */\n#include \"reports/schema.h\"\n", out);
    write_bytes(out, "recording_schema", (const unsigned char *)schema, strlen(schema) + 1);
    write_views(out, db);
    execute(db, "vacuum");
    sqlite3_int64 size = 0;
    unsigned char *image = sqlite3_serialize(db, "main", &size, 0);
    write_bytes(out, "recording_outcome_image", image, (size_t)size);
    fprintf(out, "const size_t recording_outcome_image_bytes = %lld;\n", (long long)size);

    sqlite3_free(image);
    sqlite3_close(db);
    free(schema);
    if (ferror(out) || fclose(out) != 0) {
        fail(arguments[2], "cannot be written");
    }
    return 0;
}
