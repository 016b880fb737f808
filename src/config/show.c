/* SPDX-License-Identifier: Apache-2.0 */
/* Values of settings, shown and compared: the other direction of value.c. */
#include "base/encoding.h"
#include "config/emit.h"

#include <inttypes.h>
#include <stdio.h>

enum { PORT_DNS = 53 };

static const char secret_mask[] = "(hidden)";

/* The items that say themselves: an allow-transfer begins with the zone's secondaries. */
static size_t allow_skipped(const struct setting *setting, const void *object)
{
	const struct zone_policy *zone = object;

	if (setting->chapter != CHAPTER_ZONES ||
	    setting->at != offsetof(struct zone_policy, allow_transfer.items))
		return 0;
	return zone->secondary_count;
}

static bool is_secondaries(const struct setting *setting)
{
	return setting->chapter == CHAPTER_ZONES &&
	       setting->at == offsetof(struct zone_policy, secondaries);
}

static const void *list_of(const struct setting *setting, const void *object)
{
	const void *list;

	memcpy(&list, setting_value_of(setting, object), sizeof list);
	return list;
}

static const char *text_of(const struct setting *setting, const void *object)
{
	const char *text;

	memcpy(&text, setting_value_of(setting, object), sizeof text);
	return text;
}

static unsigned word_of(const struct setting *setting, const void *object)
{
	return *(const unsigned *)setting_value_of(setting, object);
}

static bool list_is_shown(const struct setting *setting, const void *object)
{
	const struct zone_policy *zone = object;
	const struct server_policy *server = object;

	if (setting_count_of(setting, object) > 0 || setting->standard) return true;
	if (setting->kind == KIND_FROM) return true;
	if (setting->kind == KIND_LISTEN) return server->listen_interface_count > 0;
	return is_secondaries(setting) && zone->secondaries_none;
}

bool value_is_shown(const struct setting *setting, const void *object)
{
	const struct zone_policy *zone = object;
	const struct endpoint *source = setting_value_of(setting, object);

	if (setting->chapter == CHAPTER_ZONES && !setting_reaches(setting, zone->role))
		return false;
	switch (setting->kind) {
	case KIND_FILES:
	case KIND_TEMPLATE:
	case KIND_SECRET_FILE: return false; /* resolved while reading */
	case KIND_USER:
	case KIND_PATH:
	case KIND_ZONE_FILE: return text_of(setting, object);
	case KIND_SOURCE: return source->address.family != 0;
	case KIND_SECRET: return ((const struct span *)setting_value_of(setting, object))->len > 0;
	case KIND_COUNT: return setting->standard || setting_quantity(setting, object) != 0;
	default: return !setting_kind(setting)->list || list_is_shown(setting, object);
	}
}

static void emit_string(struct emitter *e, const char *text)
{
	emit_text(e, span_of_text(text));
}

/* A zone's label ends in a dot, which nobody writes in a configuration. */
static void emit_zone_name(struct emitter *e, const char *label)
{
	size_t len = strlen(label);

	emit_text(e, span_of(label, len > 1 ? len - 1 : len));
}

static void emit_endpoint(struct emitter *e, const struct endpoint *endpoint, uint16_t port)
{
	char text[ADDRESS_TEXT_MAX];

	if (endpoint->port == port)
		emit_string(e, address_print(&endpoint->address, text));
	else
		emit_string(e, endpoint_print(endpoint, text));
}

char *size_print(uint64_t octets, char text[static SIZE_TEXT_MAX])
{
	static const char units[] = {'K', 'M', 'G', 'T'};
	size_t unit = 0;

	while (unit < sizeof units && octets && octets % 1024 == 0) {
		octets /= 1024;
		unit++;
	}
	if (unit == 0)
		snprintf(text, SIZE_TEXT_MAX, "%" PRIu64, octets);
	else
		snprintf(text, SIZE_TEXT_MAX, "%" PRIu64 "%c", octets, units[unit - 1]);
	return text;
}

static void emit_secret(struct emitter *e, struct span secret)
{
	uint8_t text[(CONFIG_SECRET_OCTETS_MAX + 2) / 3 * 4];
	struct writer w = writer_of(text, sizeof text);

	if (!e->with_secrets) {
		emit_string(e, secret_mask);
		return;
	}
	base64_encode(secret, &w);
	emit_text(e, writer_span(&w));
}

static void emit_prefix(struct emitter *e, const struct prefix *prefix)
{
	char text[ADDRESS_TEXT_MAX];

	emit_string(e, prefix_print(prefix, text));
}

/* The conditions of an item, as short as they can be written. */
static void emit_conditions(struct emitter *e, const struct access_item *item)
{
	if (item->remote || (!item->key && !item->transports)) {
		if (item->remote)
			emit_string(e, item->remote->label);
		else if (item->prefix)
			emit_prefix(e, item->prefix);
		else
			emit_string(e, "any");
		return;
	}
	emit_map(e);
	if (item->prefix || item->any_address) {
		emit_key(e, "address");
		if (item->prefix)
			emit_prefix(e, item->prefix);
		else
			emit_string(e, "any");
	}
	if (item->key) {
		emit_key(e, "key");
		emit_string(e, item->key->label);
	}
	if (item->transports) {
		emit_key(e, "transport");
		emit_list(e);
		if (item->transports & 1 << TRANSPORT_UDP) emit_string(e, "udp");
		if (item->transports & 1 << TRANSPORT_TCP) emit_string(e, "tcp");
		emit_list_end(e);
	}
	emit_map_end(e);
}

static void emit_access_item(struct emitter *e, const struct access_item *item)
{
	if (!item->deny) {
		emit_conditions(e, item);
		return;
	}
	emit_map(e);
	emit_key(e, "deny");
	emit_conditions(e, item);
	emit_map_end(e);
}

static void emit_interface(struct emitter *e, const struct interface_endpoint *interface)
{
	char text[sizeof interface->name + 8];

	if (interface->port == PORT_DNS)
		snprintf(text, sizeof text, "%s", interface->name);
	else
		snprintf(text, sizeof text, "%s@%u", interface->name, interface->port);
	emit_string(e, text);
}

/* Item `i` of a list, of which each kind has its own. */
static void emit_item(struct emitter *e, const struct setting *setting, const void *list, size_t i)
{
	switch (setting->kind) {
	case KIND_LISTEN:
	case KIND_ENDPOINTS: emit_endpoint(e, (const struct endpoint *)list + i, PORT_DNS); break;
	case KIND_FROM: emit_prefix(e, (const struct prefix *)list + i); break;
	case KIND_KEYS: emit_string(e, ((const struct tsig_key *const *)list)[i]->label); break;
	case KIND_REMOTES: emit_string(e, ((const struct remote *const *)list)[i]->label); break;
	case KIND_ALLOW: emit_access_item(e, (const struct access_item *)list + i); break;
	default: break;
	}
}

static void emit_items(struct emitter *e, const struct setting *setting, const void *object)
{
	const struct server_policy *server = object;
	const struct remote *remote = object;
	const void *list = list_of(setting, object);

	emit_list(e);
	if (setting->kind == KIND_FROM && remote->from_any) emit_string(e, "any");
	for (size_t i = allow_skipped(setting, object); i < setting_count_of(setting, object); i++)
		emit_item(e, setting, list, i);
	for (size_t i = 0; setting->kind == KIND_LISTEN && i < server->listen_interface_count; i++)
		emit_interface(e, &server->listen_interfaces[i]);
	emit_list_end(e);
}

static void emit_quantity(struct emitter *e, const struct setting *setting, uint64_t value)
{
	char size[SIZE_TEXT_MAX], duration[DURATION_TEXT_MAX];

	if (setting->kind == KIND_COUNT)
		emit_uint(e, value);
	else if (setting->kind == KIND_SIZE)
		emit_string(e, size_print(value, size));
	else
		emit_string(e, duration_print((duration_ns)value, duration));
}

void value_emit(struct emitter *e, const struct setting *setting, const void *object)
{
	const void *value = setting_value_of(setting, object);
	const char *text;

	switch (setting->kind) {
	case KIND_IDENTITY:
		text = text_of(setting, object);
		emit_string(e, text ? text : "none");
		break;
	case KIND_USER:
	case KIND_PATH:
	case KIND_LABEL:
	case KIND_ZONE_FILE: emit_string(e, text_of(setting, object)); break;
	case KIND_COUNT:
	case KIND_SIZE:
	case KIND_DURATION: emit_quantity(e, setting, setting_quantity(setting, object)); break;
	case KIND_KEY_NAME: emit_string(e, ((const struct tsig_key *)object)->label); break;
	case KIND_ZONE_NAME: emit_zone_name(e, ((const struct zone_policy *)object)->label); break;
	case KIND_ALGORITHM:
	case KIND_ROLE:
	case KIND_SERIAL:
	case KIND_SWITCH:
		emit_string(e, setting_kind(setting)->words[word_of(setting, object)]);
		break;
	case KIND_SECRET: emit_secret(e, *(const struct span *)value); break;
	case KIND_SOURCE: emit_endpoint(e, value, 0); break;
	default: emit_items(e, setting, object); break;
	}
}

static bool text_equal(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool prefix_equal(const struct prefix *a, const struct prefix *b)
{
	if (!a || !b) return a == b;
	return a->bits == b->bits && address_equal(&a->address, &b->address);
}

/* The acl that an item came from is no part of what it does. */
static bool access_item_equal(const struct access_item *a, const struct access_item *b)
{
	return a->deny == b->deny && a->any_address == b->any_address &&
	       a->transports == b->transports && prefix_equal(a->prefix, b->prefix) &&
	       text_equal(a->remote ? a->remote->label : NULL,
			  b->remote ? b->remote->label : NULL) &&
	       text_equal(a->key ? a->key->label : NULL, b->key ? b->key->label : NULL);
}

static bool item_equal(enum setting_kind kind, const void *a, const void *b, size_t i, size_t k)
{
	switch (kind) {
	case KIND_LISTEN:
	case KIND_ENDPOINTS:
		return endpoint_equal((const struct endpoint *)a + i,
				      (const struct endpoint *)b + k);
	case KIND_FROM:
		return prefix_equal((const struct prefix *)a + i, (const struct prefix *)b + k);
	case KIND_KEYS:
		return text_equal(((const struct tsig_key *const *)a)[i]->label,
				  ((const struct tsig_key *const *)b)[k]->label);
	case KIND_REMOTES:
		return text_equal(((const struct remote *const *)a)[i]->label,
				  ((const struct remote *const *)b)[k]->label);
	default:
		return access_item_equal((const struct access_item *)a + i,
					 (const struct access_item *)b + k);
	}
}

static bool interfaces_equal(const struct server_policy *a, const struct server_policy *b)
{
	if (a->listen_interface_count != b->listen_interface_count) return false;
	for (size_t i = 0; i < a->listen_interface_count; i++)
		if (a->listen_interfaces[i].port != b->listen_interfaces[i].port ||
		    strcmp(a->listen_interfaces[i].name, b->listen_interfaces[i].name) != 0)
			return false;
	return true;
}

static bool items_equal(const struct setting *setting, const void *a, const void *b)
{
	const struct remote *remote_a = a, *remote_b = b;
	const struct zone_policy *zone_a = a, *zone_b = b;
	size_t i = allow_skipped(setting, a), k = allow_skipped(setting, b);
	size_t count = setting_count_of(setting, a);

	if (setting->kind == KIND_LISTEN && !interfaces_equal(a, b)) return false;
	if (setting->kind == KIND_FROM && remote_a->from_any != remote_b->from_any) return false;
	if (is_secondaries(setting) && zone_a->secondaries_none != zone_b->secondaries_none)
		return false;
	if (count - i != setting_count_of(setting, b) - k) return false;
	for (; i < count; i++, k++)
		if (!item_equal(setting->kind, list_of(setting, a), list_of(setting, b), i, k))
			return false;
	return true;
}

bool value_equal(const struct setting *setting, const void *a, const void *b)
{
	const void *value_a = setting_value_of(setting, a), *value_b = setting_value_of(setting, b);

	switch (setting->kind) {
	case KIND_IDENTITY:
	case KIND_USER:
	case KIND_PATH:
	case KIND_LABEL:
	case KIND_ZONE_FILE: return text_equal(text_of(setting, a), text_of(setting, b));
	case KIND_COUNT:
	case KIND_SIZE:
	case KIND_DURATION: return setting_quantity(setting, a) == setting_quantity(setting, b);
	case KIND_KEY_NAME:
	case KIND_ZONE_NAME: return true; /* what does not have the same name is another item */
	case KIND_ALGORITHM:
	case KIND_ROLE:
	case KIND_SERIAL:
	case KIND_SWITCH: return word_of(setting, a) == word_of(setting, b);
	case KIND_SECRET:
		return span_equal(*(const struct span *)value_a, *(const struct span *)value_b);
	case KIND_SOURCE: return endpoint_equal(value_a, value_b);
	default: return items_equal(setting, a, b);
	}
}
