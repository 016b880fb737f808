/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zone_file.h - a zone file, and all it includes, from the disk to a checked set.
 *
 * What a reload of the keeper and `lockstep check` have in common. Reads files and is
 * otherwise pure: any thread may do it, with a struct zone_load of its own.
 */
#ifndef SERVER_ZONE_FILE_H
#define SERVER_ZONE_FILE_H

#include "base/parallel.h"
#include "host/file.h"
#include "store/store.h"
#include "zone/checks.h"
#include "zone/digest.h"

#include <stdatomic.h>

#define ZONE_FILE_OCTETS_MAX ((size_t)8 << 30)
#define ZONE_WORK_OCTETS_MAX ((size_t)64 << 30) /* of one new version */

enum { PATH_TEXT_MAX = 4096 };

/* A zone file as it was when it was read: another identity means it is read again. */
struct loaded_file {
	char *path;
	struct file_identity identity;
	uint64_t checksum;
};

/* The zone file and what it includes, as they were read last. */
struct zone_files {
	struct loaded_file *list; /* malloc'ed */
	size_t count;
	uint32_t serial; /* of the SOA in it */
};

void zone_files_clear(struct zone_files *files);

/* False when memory ran out. */
bool zone_files_add(struct zone_files *files, const char *path,
		    const struct file_identity *identity, uint64_t checksum) must_use;

/* `path` was the zone's file, and all of them are still those that were read. */
bool zone_files_unchanged(const struct zone_files *files, const char *path);

/* What has been done of a load, for those who watch from another thread. */
struct zone_progress {
	atomic_uint_fast64_t octets; /* of text that were read and parsed */
	atomic_uint_fast64_t octets_total;
	atomic_uint reached;  /* percent, once the text is parsed */
	atomic_bool unwanted; /* set by who watches: the load may end with E_AGAIN */
};

/* Of the whole load, 0 to 99. */
unsigned zone_progress_percent(const struct zone_progress *progress);

struct zone_load {
	/* given, and borrowed */
	const char *path;
	struct name origin;
	struct arena *work; /* for the records */
	struct diagnostics *diagnostics;
	const struct parallel *parallel; /* NULL: one after the other */
	struct crypto *crypto;           /* shared by all threads; NULL: no digest is wanted */
	struct zone_progress *progress;

	/* made; after an error as far as it came */
	struct records *records;   /* sorted, checked; in `work` */
	struct zone_files files;   /* the caller's to clear */
	struct zone_digest digest; /* of the records, when one is wanted */
	char *denied;              /* malloc'ed: the first file that the system would not open */
};

/*
 * Reads the file. The diagnostics have all that is wrong in the text and in the zone,
 * warnings too.
 *
 * E_SYNTAX, E_CONFLICT  there are errors among them, and `err` is the first in one line
 * E_AGAIN               a file is being written, or nobody wants it any more
 * others                of the first file, by file_read; E_NOMEM
 */
enum code zone_load(struct zone_load *load, struct error *err) must_use;

#endif
