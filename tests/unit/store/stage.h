/* SPDX-License-Identifier: Apache-2.0 */
/* stage.h - a state folder of its own, and zones made of numbers, for tests of the store. */
#ifndef TESTS_STORE_STAGE_H
#define TESTS_STORE_STAGE_H

#include "unit.h"

#include "dns/zone_text.h"
#include "store/store.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct error err;

struct stage {
	char path[80];
	struct crypto *crypto;
	struct arena *arena;
	struct store *store;
	struct store_options options;
};

static inline void stage_begin(struct stage *stage)
{
	*stage = (struct stage){0};
	/* Memory where there is some: these tests are about order, not about a real disk. */
	strcpy(stage->path,
	       access("/dev/shm", W_OK) ? "/tmp/lockstep-XXXXXX" : "/dev/shm/lockstep-XXXXXX");
	CHECK(mkdtemp(stage->path));
	CHECK((stage->crypto = crypto_new(&err)));
	CHECK((stage->arena = arena_new((size_t)1 << 30)));
	stage->options.path = stage->path;
}

static inline void stage_open(struct stage *stage)
{
	enum code code = store_open(&stage->options, stage->crypto, &stage->store, &err);

	if (code) print_error("%s\n", err.text);
	CHECK(code == OK);
}

static inline void stage_close(struct stage *stage)
{
	store_close(stage->store);
	stage->store = NULL;
}

/* Runs a command made of up to three pieces; they are paths of ours. */
static inline void run(const char *format, const char *a, const char *b, const char *c)
{
	char command[512];

	CHECK(snprintf(command, sizeof command, format, a, b, c) < (int)sizeof command);
	CHECK(system(command) == 0);
}

static inline void folder_delete(const char *path)
{
	run("rm -rf %s%s%s", path, "", "");
}

static inline void stage_end(struct stage *stage)
{
	stage_close(stage);
	arena_free(stage->arena);
	crypto_free(stage->crypto);
	folder_delete(stage->path);
}

/* ---- zones ---- */

static inline struct zone_key key_of(const char *text)
{
	static struct name_buffer names[8];
	static size_t next;
	struct name_buffer *name = &names[next++ % 8];

	CHECK(name_from_text(span_of_text(text), NULL, name, &err) == OK);
	return (struct zone_key){VIEW_DEFAULT, name_of(name)};
}

static inline enum code sink_add(void *context, const struct record *record, struct place place)
{
	return records_add(context, record, place, &err);
}

static inline struct records *records_parse(struct stage *stage, const char *zone, const char *text)
{
	struct records *set = arena_alloc(stage->arena, sizeof *set);
	struct diagnostics diagnostics = {.arena = stage->arena};
	struct zone_text_parser parser = {
		.origin = key_of(zone).name,
		.sink = sink_add,
		.context = set,
		.arena = stage->arena,
		.diagnostics = &diagnostics,
	};

	CHECK(set);
	records_init(set, stage->arena);
	CHECK(zone_text_parse(&parser, "zone", span_of_text(text)) == OK);
	CHECK(records_sort(set, &err) == OK);
	return set;
}

/* A zone with SOA, NS and hosts numbered from `first` up to `last`. */
static inline struct records *zone_make(struct stage *stage, const char *zone, uint32_t serial,
					unsigned first, unsigned last)
{
	size_t cap = 400 + (size_t)(last - first + 1) * 64;
	char *text = malloc(cap);
	int len = snprintf(text, cap,
			   "$TTL 3600\n@ SOA ns hostmaster %u 3600 600 86400 300\n@ NS ns\n"
			   "ns A 192.0.2.1\n",
			   serial);

	for (unsigned i = first; i <= last; i++)
		len += snprintf(text + len, cap - (size_t)len, "host%07u A 10.%u.%u.%u\n", i,
				i >> 16 & 255, i >> 8 & 255, i & 255);
	struct records *set = records_parse(stage, zone, text);
	free(text);
	return set;
}

static inline struct zone_digest digest_of(struct stage *stage, const struct records *set)
{
	struct zone_digest digest;

	CHECK(zone_digest_of(set, stage->crypto, &digest));
	return digest;
}

static inline struct stored_version version_of(struct stage *stage, const char *zone,
					       const struct records *set, uint64_t seq)
{
	struct soa soa;

	CHECK(records_soa(set, key_of(zone).name, &soa));
	return (struct stored_version){
		.seq = seq,
		.serial = soa.serial,
		.digest = digest_of(stage, set),
		.source = CHANGE_FROM_TRANSFER,
		.author = "transfer from west",
		.reason = "",
		.time_unix_s = 1795358101,
	};
}

static inline struct change *change_make(struct stage *stage, const struct records *before,
					 const struct records *after)
{
	struct change *change = arena_alloc(stage->arena, sizeof *change);

	CHECK(change);
	CHECK(change_between(before, after, stage->arena, change, &err) == OK);
	change->digest_after = digest_of(stage, after);
	change->source = CHANGE_FROM_FILE;
	change->author = "file /etc/example.com.zone";
	change->reason = "mx2 is new";
	change->time_unix_s = 1795358200;
	return change;
}

static const struct zone_entry entry_config = {
	.owner = OWNER_CONFIG, .origin = "lockstep.yaml:12", .role = 1, .flags = 0};

static inline struct batch *batch_make(void)
{
	struct batch *batch = NULL;

	CHECK(batch_new(&batch, &err) == OK);
	return batch;
}

/* Commits one batch and frees it. */
static inline enum code commit(struct stage *stage, struct batch *batch)
{
	store_commit(stage->store, &batch, 1);
	enum code code = batch_outcome(batch, &err);
	batch_free(batch);
	return code;
}

static inline enum code add_zone(struct stage *stage, const char *zone)
{
	struct batch *batch = batch_make();

	CHECK(batch_add_zone(batch, key_of(zone), &entry_config, &err) == OK);
	return commit(stage, batch);
}

static inline enum code put_draft(struct stage *stage, const char *zone, const struct records *set,
				  uint64_t seq, struct draft *draft)
{
	struct stored_version version = version_of(stage, zone, set, seq);
	struct batch *batch = batch_make();

	CHECK(batch_put_snapshot(batch, key_of(zone), &version, draft, &err) == OK);
	return commit(stage, batch);
}

static inline enum code draft_make(struct stage *stage, const char *zone, const struct records *set,
				   struct draft **draft)
{
	struct zone_digest digest;

	CHECK(zone_digest_of(set, stage->crypto, &digest));
	return draft_of_records(stage->store, key_of(zone).name, set, &digest, stage->crypto, draft,
				&err);
}

static inline enum code put_snapshot(struct stage *stage, const char *zone,
				     const struct records *set, uint64_t seq)
{
	struct draft *draft = NULL;
	enum code code = draft_make(stage, zone, set, &draft);

	return code ? code : put_draft(stage, zone, set, seq, draft);
}

static inline enum code put_change(struct stage *stage, const char *zone, uint64_t seq,
				   const struct change *change)
{
	struct batch *batch = batch_make();

	CHECK(batch_put_change(batch, key_of(zone), seq, change, &err) == OK);
	return commit(stage, batch);
}

static inline bool sets_equal(const struct records *a, const struct records *b)
{
	if (a->count != b->count) return false;
	for (size_t i = 0; i < a->count; i++) {
		struct record left = records_get(a, i), right = records_get(b, i);
		size_t len = record_len(&left);
		if (len != record_len(&right) ||
		    memcmp(a->entries[i].wire, b->entries[i].wire, len) != 0)
			return false;
	}
	return true;
}

/* Loads the zone; NULL, with `err`, when that fails. */
static inline struct records *load(struct stage *stage, const char *zone,
				   struct stored_version *version)
{
	struct records *set = arena_alloc(stage->arena, sizeof *set);
	struct stored_version unused;

	CHECK(set);
	enum code code = store_load(stage->store, key_of(zone), stage->arena, set,
				    version ? version : &unused, &err);
	return code ? NULL : set;
}

/* Number of files in snapshots/. */
static inline size_t snapshot_files(struct stage *stage, char name[static FILE_NAME_MAX + 1])
{
	char path[100];
	size_t count = 0;

	snprintf(path, sizeof path, "%s/snapshots", stage->path);
	DIR *list = opendir(path);
	CHECK(list);
	for (struct dirent *entry; (entry = readdir(list));) {
		if (entry->d_name[0] == '.') continue;
		snprintf(name, FILE_NAME_MAX + 1, "%s", entry->d_name);
		count++;
	}
	closedir(list);
	return count;
}

/* Folds what is due; the number of zones. */
static inline size_t fold_all(struct stage *stage)
{
	struct fetched *fetched = NULL;
	uint64_t after = 0;
	size_t count = 0;

	while (!store_fold_find(stage->store, &after, &fetched, &err)) {
		struct batch *batch = batch_make();
		struct draft *draft = NULL;
		CHECK(fold_draft(stage->store, fetched, stage->crypto, &draft, &err) == OK);
		CHECK(batch_fold(batch, fetched, draft, &err) == OK);
		CHECK(commit(stage, batch) == OK);
		fetched_free(fetched);
		count++;
	}
	return count;
}

/* Copies the files of a state folder, as a crash would find them. */
static inline void folder_copy(const char *from, const char *to)
{
	run("rm -rf %s && cp -a %s %s", to, from, to);
}

#endif
