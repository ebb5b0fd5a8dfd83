/* The formats by name, and what they share. */
#include "reports/export_internal.h"

#include <errno.h>
#include <stdarg.h>

static const struct {
    const char *name;
    enum recording_level level; /* csv: see export_level(). */
    enum sim_status (*write)(struct export *x);
} formats[EXPORT_FORMAT_COUNT] = {
    [EXPORT_EDN] = {"edn", RECORDING_HISTORY, export_edn},
    [EXPORT_ELLE] = {"elle", RECORDING_HISTORY, export_elle},
    [EXPORT_SHIVIZ] = {"shiviz", RECORDING_TRACE, export_shiviz},
    [EXPORT_PERFETTO] = {"perfetto", RECORDING_TRACE, export_perfetto},
    [EXPORT_CSV] = {"csv", RECORDING_OUTCOME, export_csv},
};

const char *export_format_name(enum export_format format)
{
    return formats[format].name;
}

bool export_format_parse(const char *name, enum export_format *format)
{
    for (int i = 0; i < EXPORT_FORMAT_COUNT; i++) {
        if (strcmp(name, formats[i].name) == 0) {
            *format = (enum export_format)i;
            return true;
        }
    }
    return false;
}

bool export_model_parse(const char *name, enum export_model *model)
{
    static const char *const names[EXPORT_MODEL_COUNT] = {"any", "register", "list-append",
                                                          "rw-register"};
    for (int i = EXPORT_ANY_MODEL; i < EXPORT_MODEL_COUNT; i++) {
        if (strcmp(name, names[i]) == 0) {
            *model = (enum export_model)i;
            return true;
        }
    }
    return false;
}

enum recording_level export_level(const struct export_request *request)
{
    return request->format == EXPORT_CSV ? export_csv_level(request->view)
                                         : formats[request->format].level;
}

enum sim_status export_fail(struct export *x, enum sim_status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(x->error, x->error_bytes, format, arguments);
    va_end(arguments);
    return status;
}

sqlite3_stmt *export_query(struct export *x, const char *sql)
{
    return reading_query(x->reading, sql, x->error, x->error_bytes);
}

bool export_row(sqlite3_stmt *statement)
{
    return sqlite3_step(statement) == SQLITE_ROW;
}

enum sim_status export_done(struct export *x, sqlite3_stmt *statement)
{
    sqlite3 *db = sqlite3_db_handle(statement);
    if (sqlite3_finalize(statement) == SQLITE_OK) {
        return SIM_OK;
    }
    return export_fail(x, SIM_EINVAL, "%s is damaged: %s", reading_file(x->reading),
                       sqlite3_errmsg(db));
}

enum sim_status export_write(struct reading *reading, const struct export_request *request,
                             FILE *out, char *error, size_t error_bytes)
{
    struct export x = {.reading = reading,
                       .request = request,
                       .out = out,
                       .error = error,
                       .error_bytes = error_bytes};
    const enum sim_status status = formats[request->format].write(&x);
    if (status == SIM_OK && (fflush(out) != 0 || ferror(out))) {
        return export_fail(&x, SIM_EIO, "cannot write: %s", strerror(errno));
    }
    return status;
}
