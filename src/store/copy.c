/* SPDX-License-Identifier: Apache-2.0 */
/* The copy for `lockstep store copy FILE`: SQLite's backup, a piece at a time. */
#include "store/database.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

enum { COPY_PAGES = 256 }; /* a piece: 1 MiB */

struct copy {
	char *path;
	sqlite3 *target;
	sqlite3_backup *backup;
	bool done;
};

static enum code copy_error(struct copy *copy, int result, struct error *err)
{
	return error_set(err, E_IO, "cannot copy the store to %s: %s", copy->path,
			 copy->target ? sqlite3_errmsg(copy->target) : sqlite3_errstr(result));
}

/* An empty file of our own: nobody else's is ever written over. */
static enum code file_claim(const char *path, struct error *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd >= 0) {
		close(fd);
		return OK;
	}
	if (errno == EEXIST) return error_set(err, E_EXISTS, "%s exists already", path);
	return error_set(err, E_IO, "cannot create %s: %s", path, strerrordesc_np(errno));
}

enum code copy_begin(struct database *db, const char *path, struct copy **out, struct error *err)
{
	enum code code = file_claim(path, err);

	if (code) return code;
	struct copy *copy = calloc(1, sizeof *copy);
	if (!copy || !(copy->path = strdup(path))) {
		free(copy);
		unlink(path);
		return error_set(err, E_NOMEM, "no memory to copy the store");
	}
	int result = sqlite3_open_v2(path, &copy->target,
				     SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (result == SQLITE_OK)
		copy->backup =
			sqlite3_backup_init(copy->target, "main", database_handle(db), "main");
	if (!copy->backup) {
		code = copy_error(copy, result, err);
		copy_end(copy);
		return code;
	}
	*out = copy;
	return OK;
}

/* The copy came with the mark of a write-ahead log, which a reader of a lone file has no use for.
 */
static int finish(struct copy *copy)
{
	int result = sqlite3_backup_finish(copy->backup);

	copy->backup = NULL;
	if (result != SQLITE_OK) return result;
	return sqlite3_exec(copy->target, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
}

enum code copy_step(struct copy *copy, bool *done, struct error *err)
{
	int result = sqlite3_backup_step(copy->backup, COPY_PAGES);

	*done = false;
	if (result == SQLITE_OK) return OK;
	if (result == SQLITE_DONE) result = finish(copy);
	if (result != SQLITE_OK) return copy_error(copy, result, err);
	*done = copy->done = true;
	return OK;
}

void copy_end(struct copy *copy)
{
	if (!copy) return;
	sqlite3_backup_finish(copy->backup);
	sqlite3_close(copy->target);
	if (!copy->done) unlink(copy->path);
	free(copy->path);
	free(copy);
}
