/* SPDX-License-Identifier: Apache-2.0 */
/*
 * records.h - all records of one version of a zone, or of one side of a change.
 *
 * A set in the making: records come in any order (zone file, transfer, image), are
 * then sorted into canonical order with duplicates dropped, and are read from there
 * on. Octets lie in the arena in uncompressed wire form.
 */
#ifndef ZONE_RECORDS_H
#define ZONE_RECORDS_H

#include "base/arena.h"
#include "base/diagnostic.h"
#include "dns/record.h"

struct record_entry {
	const uint8_t *wire; /* the record's uncompressed wire form (dns/record.h) */
	uint32_t line;       /* where it stands in a zone file; 0: nowhere */
	uint16_t file;       /* index into `files` */
	uint16_t owner_len;
};

struct records {
	struct arena *arena; /* owns everything below */
	struct record_entry *entries;
	size_t count;
	size_t capacity;
	size_t wire_len; /* octets of all records together */
	const char **files;
	size_t file_count;
	bool sorted;
};

/* `arena` is borrowed and must outlive the set. */
void records_init(struct records *set, struct arena *arena);

/* Copies the record. E_NOMEM when the arena is full: the set is as it was. */
enum code records_add(struct records *set, const struct record *record, struct place place,
		      struct error *err);

/* Adds every record of a run of wire forms (a change's side, a spool) without copying it. */
enum code records_add_wire(struct records *set, struct span wire, struct error *err);

/* Canonical order (record_compare); of records that are equal but for TTL and case the first stays.
 */
void records_sort(struct records *set);

/* Record `i`; borrowed. */
struct record records_get(const struct records *set, size_t i);

/* The zone's SOA in a sorted set (owner equal to `apex`); false when there is none. */
bool records_soa(const struct records *set, struct name apex, struct soa *out);

#endif
