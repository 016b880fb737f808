/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/stream/stream_set.h"

#include <assert.h>

enum { SOURCE_OCTETS_IPV6 = 8 };

/* Circular lists: a head's `newer` is the oldest member, its `older` the newest. */
static void link_clear(struct stream_link *link)
{
	link->newer = link->older = link;
}

static void link_remove(struct stream_link *link)
{
	link->newer->older = link->older;
	link->older->newer = link->newer;
	link_clear(link);
}

static void link_add_newest(struct stream_link *head, struct stream_link *link)
{
	link->newer = head;
	link->older = head->older;
	head->older->newer = link;
	head->older = link;
}

static struct stream_member *member_by_age(struct stream_link *link)
{
	return (struct stream_member *)(void *)((uint8_t *)link -
						offsetof(struct stream_member, by_age));
}

static struct stream_member *member_by_source(struct stream_link *link)
{
	return (struct stream_member *)(void *)((uint8_t *)link -
						offsetof(struct stream_member, by_source));
}

size_t stream_set_size(uint32_t capacity)
{
	return capacity * (sizeof(struct stream_member) + sizeof(struct stream_link));
}

void stream_set_init(struct stream_set *set, uint32_t capacity, void *memory,
		     struct siphash_key key)
{
	assert(capacity > 0 && capacity < STREAM_SLOT_NONE);
	*set = (struct stream_set){.members = memory, .capacity = capacity, .key = key};
	set->buckets = (struct stream_link *)(set->members + capacity);
	link_clear(&set->strangers);
	for (uint32_t i = 0; i < capacity; i++) {
		set->members[i] = (struct stream_member){.next_free = i + 1};
		link_clear(&set->members[i].by_age);
		link_clear(&set->members[i].by_source);
		link_clear(&set->buckets[i]);
	}
	set->members[capacity - 1].next_free = STREAM_SLOT_NONE;
}

struct address stream_source(const struct address *address)
{
	struct address source = *address;

	if (source.family == 6)
		memset(source.octets + SOURCE_OCTETS_IPV6, 0,
		       sizeof source.octets - SOURCE_OCTETS_IPV6);
	return source;
}

static struct stream_link *bucket_of(struct stream_set *set, const struct address *source)
{
	uint64_t hash = siphash(set->key, span_of(source, sizeof *source));

	return &set->buckets[hash % set->capacity];
}

static uint32_t slot_of(const struct stream_set *set, const struct stream_member *member)
{
	return (uint32_t)(member - set->members);
}

void stream_set_leave(struct stream_set *set, uint32_t slot)
{
	struct stream_member *member = &set->members[slot];

	assert(slot < set->capacity && member->source.family != 0);
	link_remove(&member->by_age);
	link_remove(&member->by_source);
	member->source.family = 0;
	member->proven = false;
	member->next_free = set->first_free;
	set->first_free = slot;
	set->count--;
}

uint32_t stream_set_idlest(struct stream_set *set)
{
	struct stream_link *oldest = set->strangers.newer;

	if (oldest == &set->strangers) return STREAM_SLOT_NONE;
	uint32_t slot = slot_of(set, member_by_age(oldest));
	stream_set_leave(set, slot);
	return slot;
}

/*
 * Makes sure that the source stays below its cap: puts out its idlest connection where
 * it must. False when all of them have to stay.
 */
static bool source_make_room(struct stream_set *set, const struct address *source,
			     uint32_t per_source_max, uint32_t *evicted)
{
	struct stream_link *bucket = bucket_of(set, source);
	struct stream_member *idlest = NULL;
	uint32_t count = 0;

	for (struct stream_link *link = bucket->newer; link != bucket; link = link->newer) {
		struct stream_member *member = member_by_source(link);
		if (!address_equal(&member->source, source)) continue;
		count++;
		if (!idlest && !member->proven) idlest = member;
	}
	if (count < per_source_max) return true;
	if (!idlest) return false;
	*evicted = slot_of(set, idlest);
	stream_set_leave(set, *evicted);
	return true;
}

bool stream_set_has(struct stream_set *set, const struct address *address)
{
	struct address source = stream_source(address);
	struct stream_link *bucket = bucket_of(set, &source);

	for (struct stream_link *link = bucket->newer; link != bucket; link = link->newer)
		if (address_equal(&member_by_source(link)->source, &source)) return true;
	return false;
}

struct stream_admission stream_set_admit(struct stream_set *set, const struct address *address,
					 uint32_t count_max, uint32_t per_source_max)
{
	struct stream_admission admission = {.slot = STREAM_SLOT_NONE, .evicted = STREAM_SLOT_NONE};
	struct address source = stream_source(address);

	assert(address->family != 0);
	if (count_max > set->capacity) count_max = set->capacity;
	if (!source_make_room(set, &source, per_source_max, &admission.evicted)) return admission;
	if (set->count >= count_max && admission.evicted == STREAM_SLOT_NONE) {
		admission.evicted = stream_set_idlest(set);
		if (admission.evicted == STREAM_SLOT_NONE) return admission;
	}
	struct stream_member *member = &set->members[set->first_free];
	admission.admitted = true;
	admission.slot = set->first_free;
	set->first_free = member->next_free;
	set->count++;
	member->source = source;
	link_add_newest(&set->strangers, &member->by_age);
	link_add_newest(bucket_of(set, &source), &member->by_source);
	return admission;
}

void stream_set_touch(struct stream_set *set, uint32_t slot)
{
	struct stream_member *member = &set->members[slot];

	assert(slot < set->capacity && member->source.family != 0);
	if (!member->proven) {
		link_remove(&member->by_age);
		link_add_newest(&set->strangers, &member->by_age);
	}
	link_remove(&member->by_source);
	link_add_newest(bucket_of(set, &member->source), &member->by_source);
}

void stream_set_prove(struct stream_set *set, uint32_t slot)
{
	struct stream_member *member = &set->members[slot];

	assert(slot < set->capacity && member->source.family != 0);
	member->proven = true;
	link_remove(&member->by_age);
}
