/* SPDX-License-Identifier: Apache-2.0 */
#include "blast.h"

void slots_begin(struct slots *s, unsigned count)
{
	*s = (struct slots){.free_count = count, .count = count};
	for (unsigned i = 0; i < count; i++) s->free[i] = (uint16_t)i;
}

uint16_t slots_take(struct slots *s, const struct packet *packet, uint64_t now_ns)
{
	uint16_t index = s->free[--s->free_count];
	struct slot *slot = &s->slots[index];

	slot->turn++;
	slot->packet = packet->octets;
	slot->packet_len = (uint16_t)packet->len;
	slot->number = packet->number;
	slot->sent_ns = now_ns;
	return (uint16_t)((unsigned)slot->turn << TURN_SHIFT | index);
}

struct slot *slots_find(struct slots *s, uint16_t id)
{
	unsigned index = id & (SLOTS_MAX - 1);
	struct slot *slot = &s->slots[index];

	if (index >= s->count || !slot->packet) return NULL;
	return (uint16_t)((unsigned)slot->turn << TURN_SHIFT | index) == id ? slot : NULL;
}

void slots_release(struct slots *s, struct slot *slot)
{
	slot->packet = NULL;
	s->free[s->free_count++] = (uint16_t)(slot - s->slots);
}

unsigned slots_expire(struct slots *s, uint64_t before_ns)
{
	unsigned expired = 0;

	for (unsigned i = 0; i < s->count; i++) {
		if (!s->slots[i].packet || s->slots[i].sent_ns >= before_ns) continue;
		slots_release(s, &s->slots[i]);
		expired++;
	}
	return expired;
}
