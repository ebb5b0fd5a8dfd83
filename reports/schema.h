/* schema.sql, as make_schema.c compiles it into the program. */
#ifndef REPORTS_SCHEMA_H
#define REPORTS_SCHEMA_H

#include <stddef.h>

/* "FALC", at offset 68 of every recording. */
#define RECORDING_APPLICATION_ID 0x46414c43
/* Of schema.sql; a recording of another version is not read. */
#define RECORDING_VERSION 2

extern const unsigned char recording_schema[]; /* Its text, NUL-terminated. */

/* A whole, empty file with the tables of level outcome alone. */
extern const unsigned char recording_outcome_image[];
extern const size_t recording_outcome_image_bytes;

/* The views that need only these, up to one with the name NULL. */
struct recording_view {
    const char *name;
    const char *sql;
};
extern const struct recording_view recording_outcome_views[];

#endif
