/* The file of a recording: what it may replace, and how it is put there. */

#include "reports/recording_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    HEADER_BYTES = 100, /* Of an SQLite file: https://www.sqlite.org/fileformat.html, 1.3 */
    APPLICATION_ID_AT = 68,
};

static bool is_recording(int fd)
{
    uint8_t h[HEADER_BYTES];
    if (read(fd, h, sizeof h) != (ssize_t)sizeof h || memcmp(h, "SQLite format 3", 16) != 0) {
        return false;
    }
    const uint8_t *id = h + APPLICATION_ID_AT; /* Big-endian. */
    return ((uint32_t)id[0] << 24 | (uint32_t)id[1] << 16 | (uint32_t)id[2] << 8 | id[3]) ==
           RECORDING_APPLICATION_ID;
}

enum sim_status recording_check_target(const char *file, char *error, size_t error_bytes)
{
    /* Opening a pipe for reading would wait for its other end. */
    const int fd = open(file, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        if (errno == ENOENT) {
            return SIM_OK;
        }
        snprintf(error, error_bytes, "cannot write to %s: %s", file, strerror(errno));
        return SIM_EINVAL;
    }
    struct stat about;
    const char *why = NULL;
    if (fstat(fd, &about) != 0) {
        why = strerror(errno);
    } else if (!S_ISREG(about.st_mode)) {
        why = "it is not a regular file";
    } else if (about.st_size > 0 && !is_recording(fd)) {
        why = "it exists and is not a recording; remove it or choose another name";
    }
    close(fd);
    if (why) {
        snprintf(error, error_bytes, "will not write to %s: %s", file, why);
        return SIM_EINVAL;
    }
    return SIM_OK;
}

/* The text of the views goes into the schema as it is. SQLite would parse each only to store
 * this very text, at 50 microseconds a view; whoever reads the file parses them anyway. */
static void add_views(struct recording *recording)
{
    sqlite3_db_config(recording->db, SQLITE_DBCONFIG_WRITABLE_SCHEMA, 1, NULL);
    sqlite3_stmt *add = recording_prepare(
        recording, "insert into sqlite_schema (type, name, tbl_name, rootpage, sql) "
                   "values ('view', ?1, ?1, 0, ?2)");
    for (const struct recording_view *view = recording_outcome_views; view->name; view++) {
        recording_row(recording, add, "tt", view->name, view->sql);
    }
    sqlite3_finalize(add);
    sqlite3_db_config(recording->db, SQLITE_DBCONFIG_WRITABLE_SCHEMA, 0, NULL);
}

enum sim_status recording_open_memory(struct recording *recording)
{
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    unsigned char *image = sqlite3_malloc64(recording_outcome_image_bytes);
    if (!image || sqlite3_open_v2(":memory:", &recording->db, flags, NULL) != SQLITE_OK) {
        sqlite3_free(image);
        return recording_fail(recording, "out of memory");
    }
    memcpy(image, recording_outcome_image, recording_outcome_image_bytes);
    const sqlite3_int64 size = (sqlite3_int64)recording_outcome_image_bytes;
    if (sqlite3_deserialize(recording->db, "main", image, size, size,
                            SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_RESIZEABLE) !=
        SQLITE_OK) {
        return recording_fail(recording, NULL);
    }
    recording_execute(recording, "begin");
    add_views(recording);
    return recording->failed ? SIM_EIO : SIM_OK;
}

/* Also a journal that an unfinished recording of that name has left. */
static void unlink_with_journal(const char *file)
{
    char *journal = sqlite3_mprintf("%s-journal", file);
    unlink(file);
    if (journal) {
        unlink(journal);
    }
    sqlite3_free(journal);
}

void recording_remove(struct recording *recording)
{
    if (recording->created) {
        unlink_with_journal(recording->file);
    }
    if (recording->partial_created) {
        unlink(recording->partial);
    }
}

enum sim_status recording_open_file(struct recording *recording, uint32_t page_bytes)
{
    unlink_with_journal(recording->file);
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(recording->file, &recording->db, flags, NULL) != SQLITE_OK) {
        return recording_fail(recording, NULL);
    }
    recording->created = true;
    /* The journal is what a kill needs: an event's pages are new ones, of which it keeps nothing,
     * so it costs almost nothing. WAL would write every page twice. */
    char sql[160];
    snprintf(sql, sizeof sql,
             "pragma page_size = %u; pragma locking_mode = exclusive; "
             "pragma journal_mode = truncate; pragma synchronous = off; begin",
             (unsigned)page_bytes);
    recording_execute(recording, sql);
    return recording_execute(recording, (const char *)recording_schema);
}

static bool write_all(int fd, const uint8_t *bytes, size_t size_bytes)
{
    while (size_bytes > 0) {
        const ssize_t written = write(fd, bytes, size_bytes);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return false;
        }
        bytes += written;
        size_bytes -= (size_t)written;
    }
    return true;
}

/* Put FILE.partial in the place of FILE. A plain rename over an existing file makes ext4 write
 * the new one out at once, which takes longer than all the rest of a small recording; an
 * exchange is as atomic and does not. */
static bool put_in_place(struct recording *recording)
{
    const char *from = recording->partial;
    const char *to = recording->file;
    if (recording->created && renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_EXCHANGE) == 0) {
        return unlink(from) == 0;
    }
    if (!recording->created) { /* What is there is an older recording, which goes anyway. */
        unlink_with_journal(to);
    }
    return rename(from, to) == 0;
}

enum sim_status recording_publish(struct recording *recording)
{
    if (recording->failed) {
        return SIM_EIO;
    }
    sqlite3_int64 size = 0;
    const uint8_t *bytes = sqlite3_serialize(recording->db, "main", &size, SQLITE_SERIALIZE_NOCOPY);
    if (!bytes) {
        return recording_fail(recording, "out of memory");
    }
    const int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
    int fd = open(recording->partial, flags | O_EXCL, 0666);
    if (fd < 0 && errno == EEXIST) { /* Left by one that was killed, or somebody's own file. */
        if (recording_check_target(recording->partial, recording->error, sizeof recording->error) !=
            SIM_OK) {
            recording->failed = true;
            return SIM_EIO;
        }
        fd = open(recording->partial, flags | O_TRUNC, 0666);
    }
    if (fd < 0) {
        return recording_fail(recording, "cannot create %s: %s", recording->partial,
                              strerror(errno));
    }
    recording->partial_created = true;
    const bool written = write_all(fd, bytes, (size_t)size);
    const int write_errno = errno;
    const bool closed = close(fd) == 0;
    if (!written || !closed) {
        return recording_fail(recording, "cannot write %s: %s", recording->file,
                              strerror(written ? errno : write_errno));
    }
    if (!put_in_place(recording)) {
        return recording_fail(recording, "cannot create %s: %s", recording->file, strerror(errno));
    }
    recording->partial_created = false;
    recording->created = true;
    return SIM_OK;
}
