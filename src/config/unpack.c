/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a packed policy from a process that may have fallen: every count is held
 * against the octets that are left, every place against what it points into.
 */
#include "config/pack.h"
#include "config/packed.h"
#include "config/setting.h"

#include "engine/answer/cookie.h"

struct unpacker {
	struct reader r;
	struct arena *arena;
	struct policy *policy;
	struct remote_list {
		const struct remote **list;
		size_t count;
	} * remote_lists;
	uint32_t remote_list_count;
	struct access_list *access_lists;
	uint32_t access_list_count;
	bool has_sources; /* the zones' files and origins: the keeper's */
	bool exhausted;
};

static void fail(struct unpacker *u)
{
	u->r.failed = true;
}

/* Memory for `count` items, each of which takes `octets_min` octets of what is left. */
static void *take_list(struct unpacker *u, size_t octets_min, size_t size, uint32_t *count)
{
	void *list;

	*count = read_u32(&u->r);
	if (*count > reader_left(&u->r) / octets_min) fail(u);
	if (u->r.failed) {
		*count = 0;
		return NULL;
	}
	list = arena_alloc_array(u->arena, *count, size);
	if (list) return list;
	u->exhausted = true;
	fail(u);
	*count = 0;
	return NULL;
}

static void *copy(struct unpacker *u, struct span octets, bool text)
{
	void *p = text ? (void *)arena_copy_text(u->arena, octets) : arena_copy(u->arena, octets);

	if (p) return p;
	u->exhausted = true;
	fail(u);
	return NULL;
}

static const char *unpack_text(struct unpacker *u)
{
	uint16_t len = read_u16(&u->r);

	if (u->r.failed || len == PACKED_NO_TEXT) return NULL;
	struct span text = read_span(&u->r, len);
	if (!u->r.failed && len && memchr(text.ptr, 0, len)) fail(u);
	return u->r.failed ? NULL : copy(u, text, true);
}

/* One that must be there. */
static const char *unpack_label(struct unpacker *u)
{
	const char *label = unpack_text(u);

	if (!label) fail(u);
	return label;
}

static void unpack_address(struct unpacker *u, struct address *address)
{
	address->family = read_u8(&u->r);
	struct span octets = read_span(&u->r, sizeof address->octets);
	if (octets.len) memcpy(address->octets, octets.ptr, sizeof address->octets);
}

static void unpack_endpoint(struct unpacker *u, struct endpoint *endpoint, bool may_be_none)
{
	unpack_address(u, &endpoint->address);
	endpoint->port = read_u16(&u->r);
	uint8_t family = endpoint->address.family;
	if (family != 4 && family != 6 && !(may_be_none && family == 0)) fail(u);
}

static void unpack_prefix(struct unpacker *u, struct prefix *prefix)
{
	unpack_address(u, &prefix->address);
	prefix->bits = read_u8(&u->r);
	uint8_t family = prefix->address.family;
	if ((family != 4 && family != 6) || prefix->bits > (family == 4 ? 32 : 128)) fail(u);
}

static struct name unpack_name(struct unpacker *u)
{
	struct name name = {0};

	if (!name_read_plain(&u->r, &name)) return name_root();
	name.wire = copy(u, span_of(name.wire, name.len), false);
	return u->r.failed ? name_root() : name;
}

static struct span unpack_secret(struct unpacker *u)
{
	uint16_t len = read_u16(&u->r);
	struct span secret = read_span(&u->r, len);

	if (secret.len > 0) secret.ptr = copy(u, secret, false);
	return secret;
}

static void unpack_server(struct unpacker *u)
{
	struct server_policy *server = &u->policy->server;
	struct endpoint *listen;
	struct interface_endpoint *interfaces;
	uint32_t count;

	server->name = unpack_text(u);
	server->user = unpack_text(u);
	server->state = unpack_text(u);
	server->control = unpack_text(u);
	server->workers = read_u32(&u->r);
	server->cookie_secret = unpack_secret(u);
	if (server->cookie_secret.len % COOKIE_SECRET_OCTETS != 0 ||
	    server->cookie_secret.len > COOKIE_SECRET_OCTETS * COOKIE_SECRETS_MAX)
		fail(u);
	listen = take_list(u, 19, sizeof *listen, &count);
	server->listen = listen;
	server->listen_count = count;
	for (uint32_t i = 0; i < count; i++) unpack_endpoint(u, &listen[i], false);
	interfaces = take_list(u, 4, sizeof *interfaces, &count);
	server->listen_interfaces = interfaces;
	server->listen_interface_count = count;
	for (uint32_t i = 0; i < count; i++) {
		const char *name = unpack_label(u);
		interfaces[i].port = read_u16(&u->r);
		if (!name || strlen(name) >= sizeof interfaces[i].name)
			fail(u);
		else
			memcpy(interfaces[i].name, name, strlen(name));
	}
}

static void unpack_limits(struct unpacker *u)
{
	size_t count;
	const struct setting *settings = chapter_settings(CHAPTER_LIMITS, &count);

	for (size_t i = 0; i < count; i++) {
		void *value = setting_value(&settings[i], &u->policy->limits);
		if (settings[i].kind == KIND_COUNT)
			*(uint32_t *)value = read_u32(&u->r);
		else
			*(uint64_t *)value = read_u64(&u->r);
	}
}

static void unpack_keys(struct unpacker *u)
{
	uint32_t count;
	struct tsig_key *keys = take_list(u, 6, sizeof *keys, &count);

	u->policy->keys = keys;
	u->policy->key_count = count;
	for (uint32_t i = 0; i < count; i++) {
		keys[i].label = unpack_label(u);
		keys[i].name = unpack_name(u);
		keys[i].algorithm = read_u8(&u->r);
		if (keys[i].algorithm >= TSIG_ALGORITHM_COUNT) fail(u);
		keys[i].secret = unpack_secret(u);
		if (u->r.failed) return;
	}
}

/* A key by its place; NULL and failed when there is none such. */
static const struct tsig_key *unpack_key(struct unpacker *u)
{
	uint32_t place = read_u32(&u->r);

	if (place >= u->policy->key_count) fail(u);
	return u->r.failed ? NULL : &u->policy->keys[place];
}

static const struct remote *unpack_remote_place(struct unpacker *u)
{
	uint32_t place = read_u32(&u->r);

	if (place >= u->policy->remote_count) fail(u);
	return u->r.failed ? NULL : &u->policy->remotes[place];
}

static void unpack_remote(struct unpacker *u, struct remote *remote)
{
	struct endpoint *addresses;
	struct prefix *from;
	uint32_t count;

	remote->label = unpack_label(u);
	addresses = take_list(u, 19, sizeof *addresses, &count);
	remote->addresses = addresses;
	remote->address_count = count;
	for (uint32_t i = 0; i < count; i++) unpack_endpoint(u, &addresses[i], false);
	from = take_list(u, 18, sizeof *from, &count);
	remote->from = from;
	remote->from_count = count;
	for (uint32_t i = 0; i < count; i++) unpack_prefix(u, &from[i]);
	remote->from_any = read_u8(&u->r) != 0;
	unpack_endpoint(u, &remote->source, true);
	remote->keys = take_list(u, 4, sizeof *remote->keys, &count);
	remote->key_count = count;
	for (uint32_t i = 0; i < count; i++) remote->keys[i] = unpack_key(u);
}

static void unpack_remotes(struct unpacker *u)
{
	uint32_t count;
	struct remote *remotes = take_list(u, 48, sizeof *remotes, &count);

	u->policy->remotes = remotes;
	u->policy->remote_count = count;
	for (uint32_t i = 0; i < count && !u->r.failed; i++) unpack_remote(u, &remotes[i]);
	u->remote_lists = take_list(u, 4, sizeof *u->remote_lists, &u->remote_list_count);
	for (uint32_t i = 0; i < u->remote_list_count && !u->r.failed; i++) {
		struct remote_list *list = &u->remote_lists[i];
		list->list = take_list(u, 4, sizeof *list->list, &count);
		list->count = count;
		for (uint32_t k = 0; k < count; k++) list->list[k] = unpack_remote_place(u);
	}
}

static void unpack_item(struct unpacker *u, struct access_item *item)
{
	uint8_t flags = read_u8(&u->r);
	struct prefix *prefix = NULL;
	struct reader at;

	item->deny = flags & PACKED_DENY;
	item->any_address = flags & PACKED_ANY_ADDRESS;
	item->transports = read_u8(&u->r);
	if (flags & ~PACKED_ITEM_FLAGS || item->transports >> TRANSPORT_COUNT) fail(u);
	if (flags & PACKED_PREFIX && !u->r.failed) {
		prefix = arena_alloc(u->arena, sizeof *prefix);
		if (!prefix) {
			u->exhausted = true;
			fail(u);
			return;
		}
		unpack_prefix(u, prefix);
	}
	item->prefix = prefix;
	at = u->r;
	if (read_u32(&at) == PACKED_NONE)
		u->r = at;
	else
		item->remote = unpack_remote_place(u);
	at = u->r;
	if (read_u32(&at) == PACKED_NONE)
		u->r = at;
	else
		item->key = unpack_key(u);
	item->acl = unpack_text(u);
}

static void unpack_access(struct unpacker *u)
{
	u->access_lists = take_list(u, 4, sizeof *u->access_lists, &u->access_list_count);
	for (uint32_t i = 0; i < u->access_list_count && !u->r.failed; i++) {
		uint32_t count;
		struct access_item *items = take_list(u, 12, sizeof *items, &count);
		u->access_lists[i] = (struct access_list){items, count};
		for (uint32_t k = 0; k < count && !u->r.failed; k++) unpack_item(u, &items[k]);
	}
}

static struct remote_list unpack_remote_list(struct unpacker *u)
{
	uint32_t number = read_u32(&u->r);

	if (number > u->remote_list_count) fail(u);
	if (u->r.failed || number == 0) return (struct remote_list){0};
	return u->remote_lists[number - 1];
}

static struct access_list unpack_access_list(struct unpacker *u)
{
	uint32_t number = read_u32(&u->r);

	if (number > u->access_list_count) fail(u);
	if (u->r.failed || number == 0) return (struct access_list){0};
	return u->access_lists[number - 1];
}

static void unpack_source(struct unpacker *u, struct zone_policy *zone,
			  const struct zone_policy *before)
{
	zone->file = unpack_text(u);
	bool same = read_u8(&u->r) != 0;
	if (same && !before) fail(u);
	if (u->r.failed) return;
	zone->origin.file = same ? before->origin.file : unpack_text(u);
	zone->origin.line = read_u32(&u->r);
	zone->origin.column = read_u32(&u->r);
	zone->origin.width = read_u32(&u->r);
}

static void unpack_zone(struct unpacker *u, struct zone_policy *zone)
{
	char label[NAME_TEXT_MAX];
	struct remote_list list;

	zone->name = unpack_name(u);
	zone->role = read_u8(&u->r);
	zone->serial = read_u8(&u->r);
	zone->rotate = read_u8(&u->r);
	zone->secondaries_none = read_u8(&u->r) != 0;
	if (zone->role > ROLE_SECONDARY || zone->serial > SERIAL_FILE || zone->rotate > SWITCH_YES)
		fail(u);
	list = unpack_remote_list(u);
	zone->primaries = list.list;
	zone->primary_count = list.count;
	list = unpack_remote_list(u);
	zone->secondaries = list.list;
	zone->secondary_count = list.count;
	zone->allow_query = unpack_access_list(u);
	zone->allow_transfer = unpack_access_list(u);
	if (u->r.failed) return;
	zone->label = copy(u, span_of_text(name_to_text(zone->name, label)), true);
}

static void unpack_zones(struct unpacker *u)
{
	uint32_t count;
	struct zone_policy *zones = take_list(u, 20, sizeof *zones, &count);

	u->policy->zones = zones;
	u->policy->zone_count = count;
	for (uint32_t i = 0; i < count && !u->r.failed; i++) {
		unpack_zone(u, &zones[i]);
		if (u->has_sources) unpack_source(u, &zones[i], i ? &zones[i - 1] : NULL);
		if (i && name_compare(zones[i - 1].name, zones[i].name) >= 0) fail(u);
	}
}

enum code policy_unpack(struct span packed, struct arena *arena, const struct policy **policy,
			struct error *err)
{
	struct unpacker u = {.r = reader_of(packed), .arena = arena};

	*policy = NULL;
	u.policy = arena_alloc(arena, sizeof *u.policy);
	if (!u.policy) return error_set(err, E_NOMEM, "no memory for a packed policy");
	u.policy->arena = arena;
	if (read_u32(&u.r) != PACKED_MAGIC) fail(&u);
	u.has_sources = read_u8(&u.r) == PACK_KEEPER;
	unpack_server(&u);
	unpack_limits(&u);
	u.policy->path = unpack_text(&u);
	unpack_keys(&u);
	unpack_remotes(&u);
	unpack_access(&u);
	unpack_zones(&u);
	if (u.exhausted) return error_set(err, E_NOMEM, "no memory for a packed policy");
	if (!reader_done(&u.r)) return error_set(err, E_DAMAGED, "not a packed policy");
	*policy = u.policy;
	return OK;
}
