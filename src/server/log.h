/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.h - one line an event, on standard error.
 *
 *   2026-11-22T14:35:01.123Z WARNING late keeper: sentence zone=example.com. behind=6m
 *
 * The sentence comes from events.def, values follow as key=value. A value that is
 * not plain is quoted; whatever a stranger put into it stays on its line, in its
 * quotes and in ASCII. One write(2) a line, so threads and processes do not mix;
 * never waits: when nobody reads, lines are dropped, counted and owned up to.
 *
 * Any thread may log. Under systemd's journal each line carries its priority.
 */
#ifndef SERVER_LOG_H
#define SERVER_LOG_H

#include "base/address.h"
#include "base/attributes.h"
#include "base/error.h"
#include "base/instant.h"

enum log_level { LEVEL_ERROR, LEVEL_WARNING, LEVEL_NOTICE, LEVEL_INFO, LEVEL_DEBUG, LEVEL_COUNT };

enum event {
#define EVENT(identifier, name, level, text) EVENT_##identifier,
#include "server/events.def"
#undef EVENT
	EVENT_COUNT,
};

enum { LOG_LINE_MAX = 4096, LOG_FIELDS_MAX = 16 };

struct log_field {
	const char *key;
	enum {
		FIELD_TEXT,
		FIELD_UINT,
		FIELD_INT,
		FIELD_DURATION,
		FIELD_ADDRESS,
		FIELD_ENDPOINT
	} kind;
	union {
		struct span text;
		uint64_t u;
		int64_t i;
		const struct address *address;
		const struct endpoint *endpoint;
	};
};

/* Names the process in its lines, which start at LEVEL_INFO. `process` is kept. */
void log_open(const char *process);

/* Lines above this level are not written. Takes effect for all threads at once. */
void log_level_set(enum log_level level);
enum log_level log_level_now(void);

/* "warning"; LEVEL_COUNT for a name that is none. */
const char *log_level_name(enum log_level level);
enum log_level log_level_by_name(struct span name);

/* The event's id: "process-died". */
const char *event_name(enum event event);

void log_event(enum event event, const struct log_field *fields, size_t count);

/* LOG(EVENT_LISTEN, log_endpoint("address", &e), log_uint("workers", 2)) */
#define LOG(event, ...)                                                                            \
	log_event((event), (const struct log_field[]){__VA_ARGS__},                                \
		  ARRAY_COUNT(((const struct log_field[]){__VA_ARGS__})))

static inline struct log_field log_span(const char *key, struct span text)
{
	return (struct log_field){.key = key, .kind = FIELD_TEXT, .text = text};
}

static inline struct log_field log_text(const char *key, const char *text)
{
	return log_span(key, text ? span_of_text(text) : span_of(NULL, 0));
}

static inline struct log_field log_error(const struct error *err)
{
	return log_text("error", err->text);
}

static inline struct log_field log_uint(const char *key, uint64_t value)
{
	return (struct log_field){.key = key, .kind = FIELD_UINT, .u = value};
}

static inline struct log_field log_int(const char *key, int64_t value)
{
	return (struct log_field){.key = key, .kind = FIELD_INT, .i = value};
}

static inline struct log_field log_duration(const char *key, duration_ns value)
{
	return (struct log_field){.key = key, .kind = FIELD_DURATION, .i = value};
}

static inline struct log_field log_address(const char *key, const struct address *address)
{
	return (struct log_field){.key = key, .kind = FIELD_ADDRESS, .address = address};
}

static inline struct log_field log_endpoint(const char *key, const struct endpoint *endpoint)
{
	return (struct log_field){.key = key, .kind = FIELD_ENDPOINT, .endpoint = endpoint};
}

/*
 * The line itself, ending in a newline, for tests and other ways out. `unix_ms` is
 * the wall time. Returns its length, at most LOG_LINE_MAX; a longer one is cut
 * with "...".
 */
size_t log_line_print(char line[static LOG_LINE_MAX], uint64_t unix_ms, const char *process,
		      enum event event, const struct log_field *fields, size_t count);

#endif
