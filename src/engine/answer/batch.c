/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/answer/batch.h"

#include <assert.h>

static struct name name_asked(const struct fast *f)
{
	return (struct name){.wire = f->lower, .len = f->name_len};
}

static bool zone_touch(struct answer_batch *batch, size_t index)
{
	directory_search_touch(&batch->fast[index].zone_search);
	return true;
}

static bool may_ask(const struct answer_batch *batch, size_t index, const struct publication *zone)
{
	if (zone->anybody_may_ask) return true;
	const struct requester requester = {batch->address(batch->context, index), batch->transport,
					    NULL};
	return access_check(&zone->policy->allow_query, &requester).allowed;
}

/* The zone that answers; what is asked of a child about its DS may be the parent's to say. */
static bool zone_choose(struct answer_batch *batch, size_t index)
{
	struct fast *f = &batch->fast[index];
	struct publication *zone = directory_search_end(&f->zone_search);

	if (!zone || !publication_is_loaded(zone) || publication_is_expired(zone, batch->now))
		return false;
	if (f->type == RRTYPE_DS && zone->name.len == f->name_len) return false;
	if (!may_ask(batch, index, zone)) return false;
	f->zone = zone;
	view_search_begin(&f->name_search, &zone->view, name_asked(f));
	return true;
}

static bool name_touch(struct answer_batch *batch, size_t index)
{
	view_search_touch(&batch->fast[index].name_search);
	return true;
}

static bool name_find(struct answer_batch *batch, size_t index)
{
	struct fast *f = &batch->fast[index];

	view_search_end(&f->name_search, &f->found);
	return f->found.result == VIEW_EXACT || f->found.result == VIEW_CUT ||
	       f->found.result == VIEW_WILDCARD || f->found.result == VIEW_NOTHING;
}

typedef bool batch_step(struct answer_batch *batch, size_t index);

/* One step for all questions that are still with us. */
static inline __attribute__((always_inline)) uint64_t each(struct answer_batch *batch,
							   uint64_t ours, batch_step *step)
{
	uint64_t kept = 0;

	for (uint64_t left = ours; left; left &= left - 1)
		if (step(batch, (size_t)__builtin_ctzll(left))) kept |= left & -left;
	return kept;
}

uint64_t answer_batch(struct answer_batch *batch)
{
	assert(batch->count <= ANSWER_BATCH_MAX);
	uint64_t ours = batch->count ? ~UINT64_C(0) >> (ANSWER_BATCH_MAX - batch->count) : 0;

	batch->chain.zone = NULL;
	ours = each(batch, ours, fast_read);
	ours = each(batch, ours, zone_touch);
	ours = each(batch, ours, zone_choose);
	ours = each(batch, ours, name_touch);
	ours = each(batch, ours, name_find);
	return each(batch, ours, fast_build);
}
