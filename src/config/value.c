/* SPDX-License-Identifier: Apache-2.0 */
/* One value: from the node that was written to its place in the policy. */
#include "config/load.h"

#include "base/suggest.h"

#include <stdio.h>

enum { PORT_DNS = 53, IDENTITY_MAX = 255, LABEL_MAX = 63, INTERFACE_MAX = 15, WORDS_MAX = 16 };

static bool number_parse(struct span text, uint64_t *out)
{
	*out = 0;
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] < '0' || text.ptr[i] > '9') return false;
		if (__builtin_mul_overflow(*out, 10, out) ||
		    __builtin_add_overflow(*out, (uint64_t)(text.ptr[i] - '0'), out))
			return false;
	}
	return text.len > 0;
}

static const char *node_kind_name(const struct node *node)
{
	return node->kind == NODE_MAP ? "a map" : node->kind == NODE_LIST ? "a list" : "a text";
}

static void tell_shape(struct load *load, const struct setting *setting, const struct node *node)
{
	const char *hint = node->kind == NODE_MAP && setting->kind != KIND_ALLOW
				   ? "; a text that begins with \"{\" must be put in quotes"
				   : "";

	load_error(load, node, "%s: expected %s, found %s%s", setting->key,
		   setting_kind(setting)->expected, node_kind_name(node), hint);
}

bool node_scalar(struct load *load, const struct setting *setting, const struct node *node,
		 struct span *text)
{
	if (node->kind == NODE_BAD) return false;
	if (node->kind != NODE_SCALAR) {
		tell_shape(load, setting, node);
		return false;
	}
	if (node->len == 0) {
		load_error(load, node, "%s has no value; expected %s%s", setting->key,
			   setting_kind(setting)->expected,
			   setting_kind(setting)->list ? ", or [] for none" : "");
		return false;
	}
	*text = node_text(node);
	while (text->len && text->ptr[text->len - 1] == '\n') text->len--; /* of a block */
	for (size_t i = 0; i < text->len; i++) {
		if (text->ptr[i] >= 0x20 && text->ptr[i] != 0x7f) continue;
		load_error(load, node, "%s holds the control character 0x%02x", setting->key,
			   text->ptr[i]);
		return false;
	}
	return true;
}

bool node_items(struct load *load, const struct setting *setting, const struct node *node,
		struct items *items)
{
	struct span text;
	uint64_t max;

	if (node->kind == NODE_BAD) return false;
	if (node->kind == NODE_SCALAR && !node_scalar(load, setting, node, &text)) return false;
	*items = (struct items){node, 1};
	if (node->kind == NODE_LIST) *items = (struct items){node->first, node->len};
	if (setting->max && number_parse(span_of_text(setting->max), &max) && items->count > max) {
		load_error(load, node, "%s has %zu items; it may have %s", setting->key,
			   items->count, setting->max);
		return false;
	}
	return true;
}

static bool tell_expected(struct load *load, const struct setting *setting, const struct node *node)
{
	load_error(load, node, "%s: expected %s, found \"%.*s\"", setting->key,
		   setting_kind(setting)->expected, (int)node->len, node->text);
	return false;
}

bool prefix_looks_meant(struct span text)
{
	bool mark = false;

	for (size_t i = 0; i < text.len; i++) {
		if (!strchr("0123456789abcdefABCDEF.:/", text.ptr[i])) return false;
		mark |= strchr(".:/", text.ptr[i]) != NULL;
	}
	return mark;
}

/* The longest address that begins the text, its octets beyond `bits` made zero. */
static bool prefix_repair(struct span text, struct prefix *out)
{
	const uint8_t *slash = memchr(text.ptr, '/', text.len);
	uint64_t bits = 0;

	if (!slash) return false;
	size_t len = (size_t)(slash - text.ptr);
	if (!prefix_parse(span_of(text.ptr, len), out)) return false;
	if (!number_parse(span_of(slash + 1, text.len - len - 1), &bits) || bits > out->bits)
		return false;
	for (size_t i = (size_t)bits; i < out->bits; i++)
		out->address.octets[i / 8] &= (uint8_t) ~(0x80u >> i % 8);
	out->bits = (uint8_t)bits;
	return true;
}

void tell_prefix(struct load *load, const struct setting *setting, const struct node *node,
		 struct span text)
{
	struct prefix repaired;
	char network[ADDRESS_TEXT_MAX];

	if (prefix_repair(text, &repaired))
		load_error(load, node, "%s: %.*s has bits beyond its prefix; did you mean %s?",
			   setting->key, (int)text.len, (const char *)text.ptr,
			   prefix_print(&repaired, network));
	else
		load_error(load, node, "%s: \"%.*s\" is no address or prefix", setting->key,
			   (int)text.len, (const char *)text.ptr);
}

const char *label_read(struct load *load, const struct node *node, struct span text)
{
	struct prefix prefix;
	bool fits = text.len <= LABEL_MAX;

	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.ptr[i];
		bool word = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
		fits &= word || (i > 0 && (c == '-' || c == '_' || c == '.'));
	}
	if (!fits) {
		load_error(load, node,
			   "\"%.*s\" cannot be a name: it has up to %d letters, digits, \"-\", "
			   "\"_\" and \".\", and begins with a letter or digit",
			   (int)text.len, (const char *)text.ptr, LABEL_MAX);
		return NULL;
	}
	if (span_is_text(text, "any") || span_is_text(text, "none") ||
	    prefix_parse(text, &prefix)) {
		load_error(load, node, "\"%.*s\" cannot be a name: it means something else",
			   (int)text.len, (const char *)text.ptr);
		return NULL;
	}
	return load_keep_text(load, text);
}

static bool read_identity(struct load *load, const struct setting *setting, const struct node *node,
			  void *object)
{
	struct span text;
	const char **value = setting_value(setting, object);

	if (!node_scalar(load, setting, node, &text)) return false;
	if (text.len > IDENTITY_MAX) return tell_expected(load, setting, node);
	*value = NULL;
	if (span_is_text(text, "none")) return true;
	*value = load_keep_text(load, text);
	return *value;
}

static bool read_user(struct load *load, const struct setting *setting, const struct node *node,
		      void *object)
{
	struct span text;
	const char **value = setting_value(setting, object);

	if (!node_scalar(load, setting, node, &text)) return false;
	*value = label_read(load, node, text);
	return *value;
}

/* An absolute path of at most the setting's `max` octets. */
static const char *path_read(struct load *load, const struct setting *setting,
			     const struct node *node, struct arena *arena)
{
	struct span text;
	const char *path;
	uint64_t max = CONFIG_PATH_MAX;
	size_t len;

	if (!node_scalar(load, setting, node, &text)) return NULL;
	path = path_join(load, arena, load->sources[node->source].folder, text);
	if (!path) return NULL;
	len = strlen(path);
	if (setting->max) number_parse(span_of_text(setting->max), &max);
	if (len <= max) return path;
	load_error(load, node, "%s is a path of %zu octets; it may have %u", setting->key, len,
		   (unsigned)max);
	return NULL;
}

static bool read_path(struct load *load, const struct setting *setting, const struct node *node,
		      void *object)
{
	const char **value = setting_value(setting, object);

	*value = path_read(load, setting, node, load->arena);
	return *value;
}

/* Only {zone} is replaced later; another word in braces would stand for one file. */
static bool read_zone_file(struct load *load, const struct setting *setting,
			   const struct node *node, void *object)
{
	const char **value = setting_value(setting, object);

	*value = path_read(load, setting, node, load->scratch);
	if (!*value) return false;
	for (const char *open = strchr(*value, '{'); open; open = strchr(open + 1, '{')) {
		if (strncmp(open, "{zone}", 6) == 0) continue;
		load_error(load, node, "file: only {zone} may stand in braces, found \"%.*s\"",
			   (int)node->len, node->text);
		return false;
	}
	return true;
}

static bool size_parse(struct span text, uint64_t *out)
{
	static const char units[] = "kmgt";
	const char *unit = NULL;

	if (text.len > 1) unit = strchr(units, text.ptr[text.len - 1] | 0x20);
	if (unit) text.len--;
	if (!number_parse(text, out)) return false;
	for (int i = 0; unit && i <= unit - units; i++)
		if (__builtin_mul_overflow(*out, 1024, out)) return false;
	return true;
}

/* Counts, sizes and durations alike, so that one comparison serves the three. */
static bool quantity_parse(enum setting_kind kind, struct span text, uint64_t *out)
{
	duration_ns duration;

	if (kind == KIND_COUNT) return number_parse(text, out);
	if (kind == KIND_SIZE) return size_parse(text, out);
	if (!duration_parse(text, &duration)) return false;
	*out = (uint64_t)duration;
	return true;
}

static bool quantity_in_range(struct load *load, const struct setting *setting,
			      const struct node *node, uint64_t value)
{
	uint64_t min = 0, max = UINT64_MAX;
	bool low, high;

	if (setting->min) quantity_parse(setting->kind, span_of_text(setting->min), &min);
	if (setting->max) quantity_parse(setting->kind, span_of_text(setting->max), &max);
	low = value < min;
	high = value > max;
	if (!low && !high) return true;
	load_error(load, node, "%s is %.*s; the %s is %s", setting->key, (int)node->len, node->text,
		   low ? "least" : "most", low ? setting->min : setting->max);
	return false;
}

static bool read_quantity(struct load *load, const struct setting *setting, const struct node *node,
			  void *object)
{
	void *place = setting_value(setting, object);
	struct span text;
	uint64_t value;

	if (!node_scalar(load, setting, node, &text)) return false;
	if (!quantity_parse(setting->kind, text, &value)) return tell_expected(load, setting, node);
	if (!quantity_in_range(load, setting, node, value)) return false;
	if (setting->kind == KIND_COUNT)
		*(uint32_t *)place = (uint32_t)value;
	else
		*(uint64_t *)place = value;
	return true;
}

/* "role "primry" is unknown; did you mean "primary"?" or all there are. */
static void tell_words(struct load *load, const struct setting *setting, const struct node *node)
{
	const char *const *words = setting_kind(setting)->words;
	char list[160];
	struct writer w = writer_of(list, sizeof list - 1);
	size_t count = 0;

	for (; words[count]; count++) {
		if (count) write_text(&w, ", ");
		write_text(&w, words[count]);
	}
	list[w.len] = '\0';
	const char *near = suggest(node_text(node), words, count);
	if (near)
		load_error(load, node, "unknown %s \"%.*s\"; did you mean \"%s\"?", setting->key,
			   (int)node->len, node->text, near);
	else
		load_error(load, node, "unknown %s \"%.*s\"; there are: %s", setting->key,
			   (int)node->len, node->text, list);
}

static bool read_word(struct load *load, const struct setting *setting, const struct node *node,
		      void *object)
{
	struct span text;
	size_t place;

	if (!node_scalar(load, setting, node, &text)) return false;
	place = word_find(setting_kind(setting)->words, text);
	if (place == SIZE_MAX) {
		tell_words(load, setting, node);
		return false;
	}
	*(unsigned *)setting_value(setting, object) = (unsigned)place;
	return true;
}

static bool read_source(struct load *load, const struct setting *setting, const struct node *node,
			void *object)
{
	struct span text;

	if (!node_scalar(load, setting, node, &text)) return false;
	if (endpoint_parse(text, 0, setting_value(setting, object))) return true;
	return tell_expected(load, setting, node);
}

static bool read_endpoints(struct load *load, const struct setting *setting,
			   const struct node *node, void *object)
{
	struct endpoint *list;
	size_t count = 0;
	struct items items;
	struct span text;
	bool right = true;

	if (!node_items(load, setting, node, &items)) return false;
	list = load_keep(load, items.count, sizeof *list);
	if (!list) return false;
	for (; items.count; items.count--, items.first = items.first->next) {
		if (!node_scalar(load, setting, items.first, &text))
			right = false;
		else if (!endpoint_parse(text, PORT_DNS, &list[count]))
			right = tell_expected(load, setting, items.first);
		else
			count++;
	}
	setting_list_set(setting, object, list, count);
	return right;
}

/* A name of the kernel's: not an address gone wrong, which has a colon or dots and digits. */
static bool interface_parse(struct span text, struct interface_endpoint *out)
{
	const uint8_t *at = memchr(text.ptr, '@', text.len);
	struct span name = span_of(text.ptr, at ? (size_t)(at - text.ptr) : text.len);
	struct endpoint port = {.port = PORT_DNS};
	bool letter = false;

	*out = (struct interface_endpoint){0};
	if (name.len == 0 || name.len > INTERFACE_MAX) return false;
	for (size_t i = 0; i < name.len; i++) {
		uint8_t c = name.ptr[i];
		if (c <= ' ' || c >= 0x7f || strchr("/:[]{},\"'*", c)) return false;
		letter |= (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
	}
	if (at) {
		char text_of_port[32];
		int len = snprintf(text_of_port, sizeof text_of_port, "0.0.0.0%.*s",
				   (int)(text.len - name.len), (const char *)at);
		if (len >= (int)sizeof text_of_port) return false;
		if (!endpoint_parse(span_of_text(text_of_port), PORT_DNS, &port)) return false;
	}
	out->port = port.port;
	memcpy(out->name, name.ptr, name.len);
	return letter;
}

static bool read_listen(struct load *load, const struct setting *setting, const struct node *node,
			void *object)
{
	struct server_policy *server = object;
	struct endpoint *endpoints;
	struct interface_endpoint *interfaces;
	struct items items;
	struct span text;
	bool right = true;

	if (!node_items(load, setting, node, &items)) return false;
	endpoints = load_keep(load, items.count, sizeof *endpoints);
	interfaces = load_keep(load, items.count, sizeof *interfaces);
	if (!endpoints || !interfaces) return false;
	server->listen = endpoints;
	server->listen_interfaces = interfaces;
	for (; items.count; items.count--, items.first = items.first->next) {
		if (!node_scalar(load, setting, items.first, &text))
			right = false;
		else if (endpoint_parse(text, PORT_DNS, &endpoints[server->listen_count]))
			server->listen_count++;
		else if (interface_parse(text, &interfaces[server->listen_interface_count]))
			server->listen_interface_count++;
		else
			right = tell_expected(load, setting, items.first);
	}
	return right;
}

typedef bool reader(struct load *load, const struct setting *setting, const struct node *node,
		    void *object);

/* Kinds without a reader are names, which their chapter reads. */
static reader *const readers[KIND_COUNT_OF_KINDS] = {
	[KIND_IDENTITY] = read_identity,   [KIND_LISTEN] = read_listen,
	[KIND_USER] = read_user,           [KIND_PATH] = read_path,
	[KIND_COUNT] = read_quantity,      [KIND_SIZE] = read_quantity,
	[KIND_DURATION] = read_quantity,   [KIND_ALGORITHM] = read_word,
	[KIND_SECRET] = read_secret,       [KIND_SECRET_FILE] = read_secret_file,
	[KIND_ENDPOINTS] = read_endpoints, [KIND_FROM] = read_from,
	[KIND_SOURCE] = read_source,       [KIND_KEYS] = read_keys,
	[KIND_ALLOW] = read_allow,         [KIND_ROLE] = read_word,
	[KIND_ZONE_FILE] = read_zone_file, [KIND_SERIAL] = read_word,
	[KIND_SWITCH] = read_word,         [KIND_REMOTES] = read_remotes,
};

bool value_read(struct load *load, const struct setting *setting, const struct node *node,
		void *object)
{
	reader *read = readers[setting->kind];

	return read ? read(load, setting, node, object) : true;
}

void value_read_standard(struct load *load, const struct setting *setting, void *object)
{
	struct node node = {.kind = NODE_SCALAR, .text = setting->standard};

	if (!setting->standard || strcmp(setting->standard, "[]") == 0) return;
	node.len = (uint32_t)strlen(setting->standard);
	value_read(load, setting, &node, object);
}
