/* SPDX-License-Identifier: Apache-2.0 */
/*
 * emit.h - a configuration's values as YAML or JSON, through a sink in chunks.
 *
 * In YAML the sections and their items stand one below the other, their values in one
 * line each. Whatever YAML could read as something else than a text stands in quotes.
 */
#ifndef CONFIG_EMIT_H
#define CONFIG_EMIT_H

#include "base/json.h"
#include "config/config.h"

enum { EMIT_DEPTH_MAX = 8, EMIT_CHUNK = 4096 };

struct emitter {
	enum config_format format;
	bool with_secrets;
	struct json json;
	void (*sink)(void *context, struct span chunk);
	void *context;
	uint8_t depth;
	uint8_t flow_depth; /* from here on everything stands in one line */
	struct emit_level {
		bool list, flow, filled;
	} levels[EMIT_DEPTH_MAX];
	bool after_key, after_dash;
	size_t len;
	uint8_t chunk[EMIT_CHUNK];
};

void emit_init(struct emitter *e, enum config_format format,
	       void (*sink)(void *context, struct span chunk), void *context);

/* The same, for one value in one line of YAML. */
void emit_init_line(struct emitter *e, void (*sink)(void *context, struct span chunk),
		    void *context);
void emit_end(struct emitter *e);

void emit_map(struct emitter *e);
void emit_map_end(struct emitter *e);
void emit_list(struct emitter *e);
void emit_list_end(struct emitter *e);
void emit_key(struct emitter *e, const char *key);
void emit_text(struct emitter *e, struct span text);
void emit_uint(struct emitter *e, uint64_t value);

/* show.c: values of settings. */

/* The setting is part of a policy, and this object has a value for it. */
bool value_is_shown(const struct setting *setting, const void *object);
void value_emit(struct emitter *e, const struct setting *setting, const void *object);
bool value_equal(const struct setting *setting, const void *a, const void *b);

#endif
