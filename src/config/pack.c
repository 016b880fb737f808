/* SPDX-License-Identifier: Apache-2.0 */
#include "config/pack.h"

#include "config/config.h"
#include "config/packed.h"
#include "config/setting.h"

/* Lists numbered in the order in which zones come to them. */
struct numbering {
	struct numbered {
		const void *list;
		size_t count;
	} * order;
	uint32_t *slots; /* number, 0: free */
	size_t slot_count;
	uint32_t count;
};

struct packer {
	const struct policy *policy;
	enum pack_audience audience;
	struct arena *scratch;
	struct writer *out;
	size_t len;           /* of everything, also what did not fit */
	uint32_t *key_places; /* the key's place where the reader has it, or PACKED_NONE */
	uint32_t key_count;
	struct numbering remotes, access;
};

static void pack_bytes(struct packer *p, const void *octets, size_t len)
{
	p->len += len;
	write_bytes(p->out, octets, len);
}

static void pack_u8(struct packer *p, uint8_t value)
{
	pack_bytes(p, &value, 1);
}

static void pack_u16(struct packer *p, uint16_t value)
{
	uint8_t octets[2];

	put_u16(octets, value);
	pack_bytes(p, octets, sizeof octets);
}

static void pack_u32(struct packer *p, uint32_t value)
{
	uint8_t octets[4];

	put_u32(octets, value);
	pack_bytes(p, octets, sizeof octets);
}

static void pack_u64(struct packer *p, uint64_t value)
{
	pack_u32(p, (uint32_t)(value >> 32));
	pack_u32(p, (uint32_t)value);
}

static void pack_text(struct packer *p, const char *text)
{
	size_t len = text ? strlen(text) : PACKED_NO_TEXT;

	if (text && len >= PACKED_NO_TEXT) len = PACKED_NO_TEXT - 1;
	pack_u16(p, (uint16_t)len);
	if (text) pack_bytes(p, text, len);
}

static void pack_address(struct packer *p, const struct address *address)
{
	pack_u8(p, address->family);
	pack_bytes(p, address->octets, sizeof address->octets);
}

static void pack_endpoint(struct packer *p, const struct endpoint *endpoint)
{
	pack_address(p, &endpoint->address);
	pack_u16(p, endpoint->port);
}

static void pack_prefix(struct packer *p, const struct prefix *prefix)
{
	pack_address(p, &prefix->address);
	pack_u8(p, prefix->bits);
}

static void pack_name(struct packer *p, struct name name)
{
	pack_bytes(p, name.wire, name.len);
}

static bool numbering_make(struct packer *p, struct numbering *n)
{
	size_t most = 2 * p->policy->zone_count;

	n->slot_count = 16;
	while (n->slot_count < 2 * most) n->slot_count *= 2;
	n->slots = arena_alloc_array(p->scratch, n->slot_count, sizeof *n->slots);
	n->order = arena_alloc_array(p->scratch, most + 1, sizeof *n->order);
	return n->slots && n->order;
}

static uint32_t number_of(struct numbering *n, const void *list, size_t count)
{
	size_t mask = n->slot_count - 1;
	size_t at = (size_t)((uint64_t)(uintptr_t)list * UINT64_C(0x9e3779b97f4a7c15) >> 20) & mask;

	if (count == 0) return 0;
	while (n->slots[at]) {
		const struct numbered *there = &n->order[n->slots[at] - 1];
		if (there->list == list && there->count == count) return n->slots[at];
		at = (at + 1) & mask;
	}
	n->order[n->count] = (struct numbered){list, count};
	n->slots[at] = ++n->count;
	return n->slots[at];
}

static void number_lists(struct packer *p)
{
	for (size_t i = 0; i < p->policy->zone_count; i++) {
		const struct zone_policy *zone = &p->policy->zones[i];
		number_of(&p->remotes, zone->primaries, zone->primary_count);
		number_of(&p->remotes, zone->secondaries, zone->secondary_count);
		if (p->audience == PACK_COURIER) continue;
		number_of(&p->access, zone->allow_query.items, zone->allow_query.count);
		number_of(&p->access, zone->allow_transfer.items, zone->allow_transfer.count);
	}
}

static void want_key(struct packer *p, const struct tsig_key *key)
{
	p->key_places[key - p->policy->keys] = 0;
}

static void want_keys_of(struct packer *p, const struct remote *remote)
{
	for (size_t i = 0; i < remote->key_count; i++) want_key(p, remote->keys[i]);
}

/* A process gets a key only when a message it proves or signs can carry it. */
static void choose_keys(struct packer *p)
{
	bool whole = p->audience == PACK_KEEPER;

	for (size_t i = 0; i < p->policy->key_count; i++)
		p->key_places[i] = whole ? 0 : PACKED_NONE;
	if (p->audience == PACK_COURIER)
		for (size_t i = 0; i < p->policy->remote_count; i++)
			want_keys_of(p, &p->policy->remotes[i]);
	for (uint32_t i = 0; p->audience == PACK_FRONT && i < p->remotes.count; i++) {
		const struct remote *const *list = p->remotes.order[i].list;
		for (size_t k = 0; k < p->remotes.order[i].count; k++) want_keys_of(p, list[k]);
	}
	for (uint32_t i = 0; i < p->access.count; i++) {
		const struct access_item *items = p->access.order[i].list;
		for (size_t k = 0; k < p->access.order[i].count; k++) {
			if (items[k].key) want_key(p, items[k].key);
			if (items[k].remote) want_keys_of(p, items[k].remote);
		}
	}
	for (size_t i = 0; i < p->policy->key_count; i++)
		if (p->key_places[i] != PACKED_NONE) p->key_places[i] = p->key_count++;
}

static void pack_secret(struct packer *p, struct span secret)
{
	pack_u16(p, (uint16_t)secret.len);
	pack_bytes(p, secret.ptr, secret.len);
}

static void pack_server(struct packer *p)
{
	const struct server_policy *server = &p->policy->server;
	bool whole = p->audience == PACK_KEEPER;

	pack_text(p, p->audience == PACK_COURIER ? NULL : server->name);
	pack_text(p, whole ? server->user : NULL);
	pack_text(p, whole ? server->state : NULL);
	pack_text(p, whole ? server->control : NULL);
	pack_u32(p, p->audience == PACK_COURIER ? 0 : server->workers);
	pack_secret(p, p->audience == PACK_COURIER ? (struct span){0} : server->cookie_secret);
	pack_u32(p, whole ? (uint32_t)server->listen_count : 0);
	for (size_t i = 0; whole && i < server->listen_count; i++)
		pack_endpoint(p, &server->listen[i]);
	pack_u32(p, whole ? (uint32_t)server->listen_interface_count : 0);
	for (size_t i = 0; whole && i < server->listen_interface_count; i++) {
		pack_text(p, server->listen_interfaces[i].name);
		pack_u16(p, server->listen_interfaces[i].port);
	}
}

static void pack_limits(struct packer *p)
{
	size_t count;
	const struct setting *settings = chapter_settings(CHAPTER_LIMITS, &count);

	for (size_t i = 0; i < count; i++) {
		const void *value = setting_value_of(&settings[i], &p->policy->limits);
		if (settings[i].kind == KIND_COUNT)
			pack_u32(p, *(const uint32_t *)value);
		else
			pack_u64(p, *(const uint64_t *)value);
	}
}

static void pack_keys(struct packer *p)
{
	pack_u32(p, p->key_count);
	for (size_t i = 0; i < p->policy->key_count; i++) {
		const struct tsig_key *key = &p->policy->keys[i];
		if (p->key_places[i] == PACKED_NONE) continue;
		pack_text(p, key->label);
		pack_name(p, key->name);
		pack_u8(p, (uint8_t)key->algorithm);
		pack_secret(p, key->secret);
	}
}

/* Of a remote that this process never meets, the keys are left out. */
static void pack_remote(struct packer *p, const struct remote *remote)
{
	uint32_t key_count = 0;

	pack_text(p, remote->label);
	pack_u32(p, (uint32_t)remote->address_count);
	for (size_t i = 0; i < remote->address_count; i++) pack_endpoint(p, &remote->addresses[i]);
	pack_u32(p, (uint32_t)remote->from_count);
	for (size_t i = 0; i < remote->from_count; i++) pack_prefix(p, &remote->from[i]);
	pack_u8(p, remote->from_any);
	pack_endpoint(p, &remote->source);
	for (size_t i = 0; i < remote->key_count; i++)
		key_count += p->key_places[remote->keys[i] - p->policy->keys] != PACKED_NONE;
	pack_u32(p, key_count);
	for (size_t i = 0; i < remote->key_count; i++) {
		uint32_t place = p->key_places[remote->keys[i] - p->policy->keys];
		if (place != PACKED_NONE) pack_u32(p, place);
	}
}

static void pack_remotes(struct packer *p)
{
	const struct policy *policy = p->policy;

	pack_u32(p, (uint32_t)policy->remote_count);
	for (size_t i = 0; i < policy->remote_count; i++) pack_remote(p, &policy->remotes[i]);
	pack_u32(p, p->remotes.count);
	for (uint32_t i = 0; i < p->remotes.count; i++) {
		const struct remote *const *list = p->remotes.order[i].list;
		pack_u32(p, (uint32_t)p->remotes.order[i].count);
		for (size_t k = 0; k < p->remotes.order[i].count; k++)
			pack_u32(p, (uint32_t)(list[k] - policy->remotes));
	}
}

static void pack_item(struct packer *p, const struct access_item *item)
{
	const struct policy *policy = p->policy;
	uint8_t flags = 0;

	if (item->deny) flags |= PACKED_DENY;
	if (item->any_address) flags |= PACKED_ANY_ADDRESS;
	if (item->prefix) flags |= PACKED_PREFIX;
	pack_u8(p, flags);
	pack_u8(p, item->transports);
	if (item->prefix) pack_prefix(p, item->prefix);
	pack_u32(p, item->remote ? (uint32_t)(item->remote - policy->remotes) : PACKED_NONE);
	pack_u32(p, item->key ? p->key_places[item->key - policy->keys] : PACKED_NONE);
	pack_text(p, item->acl);
}

static void pack_access(struct packer *p)
{
	pack_u32(p, p->access.count);
	for (uint32_t i = 0; i < p->access.count; i++) {
		const struct access_item *items = p->access.order[i].list;
		pack_u32(p, (uint32_t)p->access.order[i].count);
		for (size_t k = 0; k < p->access.order[i].count; k++) pack_item(p, &items[k]);
	}
}

/* Its file and where the configuration says so; the latter is mostly the zone before's. */
static void pack_source(struct packer *p, const struct zone_policy *zone,
			const struct zone_policy *before)
{
	bool same = before && before->origin.file == zone->origin.file;

	pack_text(p, zone->file);
	pack_u8(p, same);
	if (!same) pack_text(p, zone->origin.file);
	pack_u32(p, zone->origin.line);
	pack_u32(p, zone->origin.column);
	pack_u32(p, zone->origin.width);
}

static void pack_zones(struct packer *p)
{
	bool lists = p->audience != PACK_COURIER;

	pack_u32(p, (uint32_t)p->policy->zone_count);
	for (size_t i = 0; i < p->policy->zone_count; i++) {
		const struct zone_policy *zone = &p->policy->zones[i];
		const struct access_list *query = &zone->allow_query;
		const struct access_list *transfer = &zone->allow_transfer;
		pack_name(p, zone->name);
		pack_u8(p, (uint8_t)zone->role);
		pack_u8(p, (uint8_t)zone->serial);
		pack_u8(p, (uint8_t)zone->rotate);
		pack_u8(p, zone->secondaries_none);
		pack_u32(p, number_of(&p->remotes, zone->primaries, zone->primary_count));
		pack_u32(p, number_of(&p->remotes, zone->secondaries, zone->secondary_count));
		pack_u32(p, lists ? number_of(&p->access, query->items, query->count) : 0);
		pack_u32(p, lists ? number_of(&p->access, transfer->items, transfer->count) : 0);
		if (p->audience == PACK_KEEPER) pack_source(p, zone, i ? zone - 1 : NULL);
	}
}

enum code policy_pack(const struct policy *policy, enum pack_audience audience, struct writer *out,
		      size_t *len)
{
	struct packer p = {.policy = policy, .audience = audience, .out = out};
	size_t before = out->len;
	enum code code = E_NOMEM;

	if (len) *len = 0;
	p.scratch = arena_new(CONFIG_SCRATCH_MAX);
	if (!p.scratch) goto out;
	p.key_places = arena_alloc_array(p.scratch, policy->key_count, sizeof *p.key_places);
	if (!p.key_places || !numbering_make(&p, &p.remotes) || !numbering_make(&p, &p.access))
		goto out;
	number_lists(&p);
	choose_keys(&p);
	pack_u32(&p, PACKED_MAGIC);
	pack_u8(&p, (uint8_t)audience);
	pack_server(&p);
	pack_limits(&p);
	pack_text(&p, policy->path);
	pack_keys(&p);
	pack_remotes(&p);
	pack_access(&p);
	pack_zones(&p);
	if (len) *len = p.len;
	code = OK;
	if (out->overflow) {
		writer_rewind(out, before);
		code = E_LIMIT;
	}
out:
	arena_free(p.scratch);
	return code;
}
