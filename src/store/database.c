/* SPDX-License-Identifier: Apache-2.0 */
#include "store/database.h"

#include <assert.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	APPLICATION_ID = 0x6c6b7374, /* "lkst", in the file's header */
	PAGE_LEN = 4096,
	LOG_LEN_MAX = 64 << 20, /* to what a checkpoint cuts a log that grew larger */
};

struct database {
	sqlite3 *handle;
	char *path;
	sqlite3_stmt *statements[SQL_COUNT];
	uint64_t log_len;
	bool failed;
};

static const char *const statement_texts[SQL_COUNT] = {
#define SCHEMA(text)
#define STATEMENT(name, text) [SQL_##name] = text,
#include "store/sql.def"
#undef STATEMENT
#undef SCHEMA
};

static const char *const schema_texts[] = {
#define SCHEMA(text) text,
#define STATEMENT(name, text)
#include "store/sql.def"
#undef STATEMENT
#undef SCHEMA
};

/*
 * Exclusive before WAL: the log's index then lives in our memory and not in a shared
 * file. Checkpoints are ours alone, so that no commit waits for one.
 */
static const char *const settings[] = {
	"PRAGMA locking_mode = EXCLUSIVE", "PRAGMA synchronous = FULL",
	"PRAGMA foreign_keys = ON",        "PRAGMA temp_store = MEMORY",
	"PRAGMA trusted_schema = OFF",     "PRAGMA cell_size_check = ON",
	"PRAGMA cache_size = -8192",
};

/* SQLite's result as ours. What is not the statement's own fault ends the connection. */
static enum code database_error(struct database *db, int result, const char *what,
				struct error *err)
{
	switch (result & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return error_set(err, E_BUSY,
				 "cannot %s %s: another program has it open; end that, and look "
				 "inside with `lockstep store copy FILE`",
				 what, db->path);
	case SQLITE_CONSTRAINT:
		return error_set(err, E_CONFLICT, "cannot %s %s: %s", what, db->path,
				 sqlite3_errmsg(db->handle));
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		db->failed = true;
		return error_set(err, E_DAMAGED, "cannot %s %s: %s; restore it from a backup", what,
				 db->path, sqlite3_errmsg(db->handle));
	case SQLITE_FULL:
		db->failed = true;
		return error_set(err, E_IO,
				 "cannot write to %s: the disk is full; free some space there",
				 db->path);
	default:
		db->failed = true;
		return error_set(err, E_IO, "cannot %s %s: %s (SQLite error %d)", what, db->path,
				 sqlite3_errmsg(db->handle), result);
	}
}

static enum code exec(struct database *db, const char *text, struct error *err)
{
	int result = sqlite3_exec(db->handle, text, NULL, NULL, NULL);

	return result == SQLITE_OK ? OK : database_error(db, result, "open", err);
}

/* The first column of the first row, as SQLite's text; NULL on any failure. */
static char *ask(struct database *db, const char *text)
{
	sqlite3_stmt *s = NULL;
	char *answer = NULL;

	if (sqlite3_prepare_v2(db->handle, text, -1, &s, NULL) == SQLITE_OK &&
	    sqlite3_step(s) == SQLITE_ROW)
		answer = sqlite3_mprintf("%s", sqlite3_column_text(s, 0));
	sqlite3_finalize(s);
	return answer;
}

static enum code ask_number(struct database *db, const char *text, long long *number,
			    struct error *err)
{
	sqlite3_stmt *s = NULL;
	int result = sqlite3_prepare_v2(db->handle, text, -1, &s, NULL);

	if (result == SQLITE_OK) result = sqlite3_step(s);
	if (result == SQLITE_ROW) *number = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	return result == SQLITE_ROW ? OK : database_error(db, result, "read", err);
}

/* The write-ahead log must be on: some VFS or file system silently gives another mode. */
static enum code log_start(struct database *db, struct error *err)
{
	char *mode = ask(db, "PRAGMA journal_mode = WAL");
	bool is_wal = mode && strcmp(mode, "wal") == 0;

	sqlite3_free(mode);
	if (is_wal) return exec(db, "PRAGMA wal_autocheckpoint = 0", err);
	int result = sqlite3_extended_errcode(db->handle);
	if (result != SQLITE_OK && result != SQLITE_ROW && result != SQLITE_DONE)
		return database_error(db, result, "open", err);
	return error_set(err, E_UNSUPPORTED,
			 "cannot open %s: the file system gives no write-ahead log; move the state "
			 "folder to a local disk",
			 db->path);
}

static int log_grew(void *context, sqlite3 *handle, const char *name, int pages)
{
	struct database *db = context;

	(void)handle;
	(void)name;
	db->log_len = (uint64_t)pages * PAGE_LEN;
	return SQLITE_OK;
}

static enum code schema_make(struct database *db, struct error *err)
{
	char text[64];
	enum code code = exec(db, "BEGIN IMMEDIATE", err);

	for (size_t i = 0; !code && i < ARRAY_COUNT(schema_texts); i++)
		code = exec(db, schema_texts[i], err);
	snprintf(text, sizeof text, "PRAGMA application_id = %d", APPLICATION_ID);
	if (!code) code = exec(db, text, err);
	snprintf(text, sizeof text, "INSERT INTO meta VALUES ('schema', %d)", SCHEMA_VERSION);
	if (!code) code = exec(db, text, err);
	if (!code) code = exec(db, "INSERT INTO meta VALUES ('store', random())", err);
	if (!code) code = exec(db, "COMMIT", err);
	return code;
}

/* Is it a store of ours, and one that we understand? */
static enum code schema_check(struct database *db, bool create, struct error *err)
{
	long long application = 0, tables = 0, version = 0;
	enum code code = ask_number(db, "SELECT count(*) FROM sqlite_schema", &tables, err);

	if (!code) code = ask_number(db, "PRAGMA application_id", &application, err);
	if (code) return code;
	if (tables == 0 && create) return schema_make(db, err);
	if (tables == 0) return error_set(err, E_NOT_FOUND, "%s is empty", db->path);
	if (application != APPLICATION_ID)
		return error_set(err, E_UNSUPPORTED,
				 "%s belongs to another program; give lockstep a state folder of "
				 "its own",
				 db->path);
	code = ask_number(db, "SELECT value FROM meta WHERE key = 'schema'", &version, err);
	if (!code && version != SCHEMA_VERSION)
		code = error_set(err, E_UNSUPPORTED,
				 "%s has format %lld and this lockstep (" LOCKSTEP_VERSION
				 ") knows %d: run the version that wrote it",
				 db->path, version, SCHEMA_VERSION);
	return code;
}

static enum code statements_prepare(struct database *db, struct error *err)
{
	for (int i = 0; i < SQL_COUNT; i++) {
		int result =
			sqlite3_prepare_v3(db->handle, statement_texts[i], -1,
					   SQLITE_PREPARE_PERSISTENT, &db->statements[i], NULL);
		if (result != SQLITE_OK) return database_error(db, result, "use", err);
	}
	return OK;
}

static enum code database_set_up(struct database *db, bool create, struct error *err)
{
	char text[64];
	enum code code = OK;

	sqlite3_extended_result_codes(db->handle, 1);
	for (size_t i = 0; !code && i < ARRAY_COUNT(settings); i++)
		code = exec(db, settings[i], err);
	snprintf(text, sizeof text, "PRAGMA journal_size_limit = %d", LOG_LEN_MAX);
	if (!code) code = exec(db, text, err);
	if (!code) code = log_start(db, err);
	if (!code) code = schema_check(db, create, err);
	if (!code) code = statements_prepare(db, err);
	if (!code) sqlite3_wal_hook(db->handle, log_grew, db);
	return code;
}

enum code database_open(const char *path, const char *vfs, bool create, struct database **out,
			struct error *err)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW |
		    (create ? SQLITE_OPEN_CREATE : 0);
	struct database *db = calloc(1, sizeof *db);
	enum code code;

	if (!db || !(db->path = strdup(path))) {
		free(db);
		return error_set(err, E_NOMEM, "no memory to open %s", path);
	}
	int result = sqlite3_open_v2(path, &db->handle, flags, vfs);
	if (!db->handle)
		code = error_set(err, E_NOMEM, "no memory to open %s", path);
	else if (result == SQLITE_CANTOPEN && !create && access(path, F_OK))
		code = error_set(err, E_NOT_FOUND, "%s does not exist", path);
	else if (result != SQLITE_OK)
		code = database_error(db, result, "open", err);
	else
		code = database_set_up(db, create, err);
	if (code)
		database_close(db, true);
	else
		*out = db;
	return code;
}

void database_close(struct database *db, bool abandon)
{
	if (!db) return;
	for (int i = 0; i < SQL_COUNT; i++) sqlite3_finalize(db->statements[i]);
	if (db->handle && (abandon || db->failed))
		sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_close(db->handle);
	free(db->path);
	free(db);
}

bool database_has_failed(const struct database *db)
{
	return db->failed;
}

struct sqlite3 *database_handle(struct database *db)
{
	return db->handle;
}

uint64_t database_log_len(const struct database *db)
{
	return db->log_len;
}

enum code database_checkpoint(struct database *db, struct error *err)
{
	int log_pages = 0, moved = 0;
	int result = sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_PASSIVE,
					       &log_pages, &moved);

	if (result != SQLITE_OK) return database_error(db, result, "write", err);
	db->log_len = (uint64_t)(log_pages - moved) * PAGE_LEN;
	return OK;
}

struct statement statement_begin(struct database *db, enum sql which)
{
	return (struct statement){.db = db, .handle = db->statements[which], .column = -1};
}

static void bound(struct statement *s, int result)
{
	if (s->result == SQLITE_OK) s->result = result;
}

void bind_u64(struct statement *s, uint64_t value)
{
	bound(s, sqlite3_bind_int64(s->handle, ++s->parameter, (sqlite3_int64)value));
}

void bind_octets(struct statement *s, struct span octets)
{
	/* A NULL pointer would be a NULL, not an empty blob. */
	const void *ptr = octets.len ? (const void *)octets.ptr : "";

	bound(s, sqlite3_bind_blob64(s->handle, ++s->parameter, ptr, octets.len, SQLITE_STATIC));
}

void bind_text(struct statement *s, const char *text)
{
	bound(s, sqlite3_bind_text(s->handle, ++s->parameter, text, -1, SQLITE_STATIC));
}

void bind_null(struct statement *s)
{
	bound(s, sqlite3_bind_null(s->handle, ++s->parameter));
}

enum code statement_step(struct statement *s, bool *row, struct error *err)
{
	struct database *db = s->db;

	if (db->failed)
		return error_set(err, E_IO, "%s failed before and was not opened again", db->path);
	int result = s->result == SQLITE_OK ? sqlite3_step(s->handle) : s->result;
	s->column = -1;
	*row = result == SQLITE_ROW;
	if (result == SQLITE_ROW || result == SQLITE_DONE) return OK;
	return database_error(db, result, sqlite3_stmt_readonly(s->handle) ? "read" : "write", err);
}

void statement_end(struct statement *s)
{
	sqlite3_reset(s->handle);
	sqlite3_clear_bindings(s->handle);
}

enum code statement_run(struct statement *s, struct error *err)
{
	bool row;
	enum code code = statement_step(s, &row, err);

	statement_end(s);
	return code;
}

enum code database_run(struct database *db, enum sql which, struct error *err)
{
	struct statement s = statement_begin(db, which);

	return statement_run(&s, err);
}

uint64_t column_u64(struct statement *s)
{
	return (uint64_t)sqlite3_column_int64(s->handle, ++s->column);
}

struct span column_octets(struct statement *s)
{
	const void *ptr = sqlite3_column_blob(s->handle, ++s->column);

	return span_of(ptr, (size_t)sqlite3_column_bytes(s->handle, s->column));
}

const char *column_text(struct statement *s)
{
	const unsigned char *text = sqlite3_column_text(s->handle, ++s->column);

	return text ? (const char *)text : "";
}

bool column_is_null(struct statement *s)
{
	return sqlite3_column_type(s->handle, s->column + 1) == SQLITE_NULL;
}

uint64_t database_last_id(const struct database *db)
{
	return (uint64_t)sqlite3_last_insert_rowid(db->handle);
}

enum code meta_get(struct database *db, const char *key, uint64_t *value, struct error *err)
{
	struct statement s = statement_begin(db, SQL_META_GET);
	bool row;

	bind_text(&s, key);
	enum code code = statement_step(&s, &row, err);
	if (!code) *value = row ? column_u64(&s) : 0;
	statement_end(&s);
	return code;
}

enum code meta_set(struct database *db, const char *key, uint64_t value, struct error *err)
{
	struct statement s = statement_begin(db, SQL_META_SET);

	bind_text(&s, key);
	bind_u64(&s, value);
	return statement_run(&s, err);
}
