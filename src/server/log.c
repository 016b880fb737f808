/* SPDX-License-Identifier: Apache-2.0 */
#include "server/log.h"
#include "base/writer.h"
#include "host/clock.h"

#include <assert.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
	const char *name;
	enum log_level level;
	const char *text;
} events[EVENT_COUNT] = {
#define EVENT(identifier, name, level, text) [EVENT_##identifier] = {name, LEVEL_##level, text},
#include "server/events.def"
#undef EVENT
};

static const struct {
	const char *name;
	const char *upper;
	char priority; /* sd-daemon(3) */
} levels[LEVEL_COUNT] = {
	[LEVEL_ERROR] = {"error", "ERROR", '3'},    [LEVEL_WARNING] = {"warning", "WARNING", '4'},
	[LEVEL_NOTICE] = {"notice", "NOTICE", '5'}, [LEVEL_INFO] = {"info", "INFO", '6'},
	[LEVEL_DEBUG] = {"debug", "DEBUG", '7'},
};

/* The log of this process. Set up before there are threads; what changes later is atomic. */
static struct {
	const char *process;
	bool to_journal;
	atomic_int level;
	atomic_uint_fast64_t lost;
} state = {.process = "lockstep", .level = LEVEL_INFO};

/* Standard error is the journal when its inode is the one that systemd told us. */
static bool is_journal(void)
{
	const char *told = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat status;

	if (!told || sscanf(told, "%llu:%llu", &device, &inode) != 2) return false;
	return fstat(STDERR_FILENO, &status) == 0 && status.st_dev == device &&
	       status.st_ino == inode;
}

void log_open(const char *process)
{
	state.process = process;
	state.to_journal = is_journal();
}

void log_level_set(enum log_level level)
{
	assert(level < LEVEL_COUNT);
	atomic_store_explicit(&state.level, (int)level, memory_order_relaxed);
}

enum log_level log_level_now(void)
{
	return (enum log_level)atomic_load_explicit(&state.level, memory_order_relaxed);
}

const char *log_level_name(enum log_level level)
{
	assert(level < LEVEL_COUNT);
	return levels[level].name;
}

enum log_level log_level_by_name(struct span name)
{
	enum log_level level = 0;

	while (level < LEVEL_COUNT && !span_is_text(name, levels[level].name)) level++;
	return level;
}

const char *event_name(enum event event)
{
	assert(event < EVENT_COUNT);
	return events[event].name;
}

static bool is_plain(struct span text)
{
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.ptr[i];
		if (c <= ' ' || c > '~' || c == '"' || c == '\\' || c == '=') return false;
	}
	return text.len > 0;
}

static void value_write(struct writer *w, struct span text)
{
	static const char digits[] = "0123456789abcdef";

	if (is_plain(text)) {
		write_span(w, text);
		return;
	}
	write_u8(w, '"');
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.ptr[i];
		if (c == '"' || c == '\\') {
			write_u8(w, '\\');
			write_u8(w, c);
		} else if (c < ' ' || c > '~') {
			write_text(w, "\\x");
			write_u8(w, (uint8_t)digits[c >> 4]);
			write_u8(w, (uint8_t)digits[c & 15]);
		} else {
			write_u8(w, c);
		}
	}
	write_u8(w, '"');
}

static void field_write(struct writer *w, const struct log_field *field)
{
	char text[ADDRESS_TEXT_MAX];

	static_assert(DURATION_TEXT_MAX <= sizeof text, "every printed value fits");
	write_u8(w, ' ');
	write_text(w, field->key);
	write_u8(w, '=');
	switch (field->kind) {
	case FIELD_TEXT: value_write(w, field->text); return;
	case FIELD_UINT: snprintf(text, sizeof text, "%llu", (unsigned long long)field->u); break;
	case FIELD_INT: snprintf(text, sizeof text, "%lld", (long long)field->i); break;
	case FIELD_DURATION: duration_print(field->i, text); break;
	case FIELD_ADDRESS: address_print(field->address, text); break;
	case FIELD_ENDPOINT: endpoint_print(field->endpoint, text); break;
	}
	write_text(w, text);
}

size_t log_line_print(char line[static LOG_LINE_MAX], uint64_t unix_ms, const char *process,
		      enum event event, const struct log_field *fields, size_t count)
{
	struct writer w = writer_of(line, LOG_LINE_MAX - sizeof "...");
	char utc[UTC_TEXT_MAX], fraction[8];

	assert(event < EVENT_COUNT && count <= LOG_FIELDS_MAX);
	utc_print(unix_ms / 1000, utc);
	snprintf(fraction, sizeof fraction, ".%03uZ", (unsigned)(unix_ms % 1000));
	write_bytes(&w, utc, strlen(utc) - 1); /* its Z comes after the fraction */
	write_text(&w, fraction);
	write_u8(&w, ' ');
	write_text(&w, levels[events[event].level].upper);
	write_u8(&w, ' ');
	write_text(&w, events[event].name);
	write_u8(&w, ' ');
	write_text(&w, process);
	write_text(&w, ": ");
	write_text(&w, events[event].text);
	for (size_t i = 0; i < count; i++) field_write(&w, &fields[i]);

	bool was_cut = w.overflow;
	w.overflow = false;
	w.cap = LOG_LINE_MAX;
	write_text(&w, was_cut ? "...\n" : "\n");
	return w.len;
}

/*
 * A terminal or pipe that nobody reads would stop the process in write(2). A ready
 * pipe takes PIPE_BUF octets, which a line never exceeds, whole.
 */
static bool line_out(const char *line, size_t len)
{
	struct pollfd out = {STDERR_FILENO, POLLOUT, 0};

	if (poll(&out, 1, 0) != 1 || !(out.revents & POLLOUT)) return false;
	return write(STDERR_FILENO, line, len) == (ssize_t)len;
}

static bool event_out(enum event event, const struct log_field *fields, size_t count)
{
	char line[LOG_LINE_MAX + 3];
	size_t len = log_line_print(line + 3, clock_unix_ms(), state.process, event, fields, count);

	if (!state.to_journal) return line_out(line + 3, len);
	memcpy(line, "<6>", 3);
	line[1] = levels[events[event].level].priority;
	return line_out(line, len + 3);
}

void log_event(enum event event, const struct log_field *fields, size_t count)
{
	assert(event < EVENT_COUNT);
	if (events[event].level > log_level_now()) return;
	uint64_t lost = atomic_exchange(&state.lost, 0);
	if (lost > 0) {
		struct log_field field = log_uint("lines", lost);
		if (!event_out(EVENT_LOG_LOST, &field, 1)) atomic_fetch_add(&state.lost, lost);
	}
	if (!event_out(event, fields, count)) atomic_fetch_add(&state.lost, 1);
}
