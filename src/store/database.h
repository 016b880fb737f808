/* SPDX-License-Identifier: Apache-2.0 */
/*
 * database.h - our face over SQLite; only this folder sees its header.
 *
 * One connection, used by one thread at a time. Statements are those of sql.def,
 * prepared once. Parameters are bound and columns read in order, one call each, so
 * the code beside a statement reads like its text.
 */
#ifndef STORE_DATABASE_H
#define STORE_DATABASE_H

#include "base/error.h"
#include "base/span.h"

struct database;

enum sql {
#define SCHEMA(text)
#define STATEMENT(name, text) SQL_##name,
#include "store/sql.def"
#undef STATEMENT
#undef SCHEMA
	SQL_COUNT,
};

enum { SCHEMA_VERSION = 1 };

/*
 * Opens the database file at `path`. `vfs` names the SQLite VFS; NULL: the system's.
 * With `create`, a file that is missing or has no content gets the schema.
 *
 * E_BUSY         another program has it open.
 * E_NOT_FOUND    there is none, or it has no content, and `create` is false.
 * E_UNSUPPORTED  its schema is newer than this program's, or it is no store of ours.
 * E_DAMAGED      SQLite cannot make sense of it.
 */
enum code database_open(const char *path, const char *vfs, bool create, struct database **out,
			struct error *err) must_use;

/* Accepts NULL. `abandon` leaves the write-ahead log as the disk has it: after an I/O error. */
void database_close(struct database *db, bool abandon);

/*
 * The disk or SQLite failed in a way that says nothing about what it holds now; only
 * closing and opening again helps. Every call after it fails at once.
 */
bool database_has_failed(const struct database *db);

/* For copy.c. */
struct sqlite3 *database_handle(struct database *db);

/* Octets in the write-ahead log that are not in the file yet. */
uint64_t database_log_len(const struct database *db);

/* Brings the write-ahead log into the file. */
enum code database_checkpoint(struct database *db, struct error *err) must_use;

struct copy;

/* Starts a copy into `path`, which must not exist (E_EXISTS); commits may go on meanwhile. */
enum code copy_begin(struct database *db, const char *path, struct copy **out,
		     struct error *err) must_use;

/* Copies a piece; `*done` when the copy is whole. */
enum code copy_step(struct copy *copy, bool *done, struct error *err) must_use;

/* Accepts NULL. What is not done is removed. */
void copy_end(struct copy *copy);

/* A statement under way. Ends with statement_end, also after an error. */
struct statement {
	struct database *db;
	struct sqlite3_stmt *handle;
	int parameter; /* bound last */
	int column;    /* read last */
	int result;    /* the first failure of a bind */
};

struct statement statement_begin(struct database *db, enum sql which);

/* Spans and texts are borrowed until the statement ends. */
void bind_u64(struct statement *s, uint64_t value);
void bind_octets(struct statement *s, struct span octets);
void bind_text(struct statement *s, const char *text);
void bind_null(struct statement *s);

/* The next row; `*row` false behind the last. */
enum code statement_step(struct statement *s, bool *row, struct error *err) must_use;

/* For statements without rows: steps once and ends. */
enum code statement_run(struct statement *s, struct error *err) must_use;

/* Binds nothing, steps once, ends: BEGIN, COMMIT and their like. */
enum code database_run(struct database *db, enum sql which, struct error *err) must_use;

/* Columns from the first on; borrowed until the next step. A NULL is 0, an empty span, "". */
uint64_t column_u64(struct statement *s);
struct span column_octets(struct statement *s);
const char *column_text(struct statement *s);

/* Whether the column that is read next is NULL. */
bool column_is_null(struct statement *s);

void statement_end(struct statement *s);

/* The row that was inserted last. */
uint64_t database_last_id(const struct database *db);

/* A number of the table `meta`; 0 when it is not there. */
enum code meta_get(struct database *db, const char *key, uint64_t *value,
		   struct error *err) must_use;
enum code meta_set(struct database *db, const char *key, uint64_t value,
		   struct error *err) must_use;

#endif
