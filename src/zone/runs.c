/* SPDX-License-Identifier: Apache-2.0 */
#include "zone/runs.h"

struct run owner_run(const struct records *set, size_t from)
{
	struct name owner = records_get(set, from).owner;
	size_t to = from + 1;

	records_prefetch(set, from);
	for (; to < set->count && name_equal(records_get(set, to).owner, owner); to++)
		records_prefetch(set, to);
	return (struct run){from, to};
}

static uint32_t rrset_kind(const struct record *record)
{
	uint32_t kind = (uint32_t)record->type << 16;

	if (record->type != RRTYPE_RRSIG || record->rdata.len < 2) return kind;
	return kind | (uint32_t)record->rdata.ptr[0] << 8 | record->rdata.ptr[1];
}

struct run rrset_run(const struct records *set, size_t from, size_t end)
{
	struct record first = records_get(set, from);
	size_t to = from + 1;

	for (; to < end; to++) {
		struct record next = records_get(set, to);
		if (rrset_kind(&next) != rrset_kind(&first)) break;
	}
	return (struct run){from, to};
}
