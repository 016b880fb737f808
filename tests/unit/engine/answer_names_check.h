/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answer_names_check.h - whether the names of a response point where decision 0013 says,
 * found by searching a list of all that was written, from its first entry on.
 *
 * The owner that an RRset has in the zone is taken to be the one it has in the response:
 * what comes from a wildcard is not for this.
 */
#ifndef TESTS_ENGINE_ANSWER_NAMES_CHECK_H
#define TESTS_ENGINE_ANSWER_NAMES_CHECK_H

#include "dns/message_writer.h"

#include <assert.h>

enum { WRITTEN_MAX = 8192 };

struct written {
	size_t at;
	struct name_buffer name;
	bool in_rdata;
};

struct names_check {
	const struct message *message;
	struct name question;
	size_t count, set_from; /* index of the first one of the RRset at hand */
	struct written list[WRITTEN_MAX];
};

static inline struct name check_common(struct name name, struct name a, struct name b)
{
	while (!name_is_below(a, name) || !name_is_below(b, name)) name = name_parent(name);
	return name;
}

static inline size_t check_place(const struct names_check *check, struct name name, size_t from,
				 bool rdata_only)
{
	for (size_t i = from; i < check->count; i++) {
		if (rdata_only && !check->list[i].in_rdata) continue;
		if (name_equal(name_of(&check->list[i].name), name)) return check->list[i].at;
	}
	return 0;
}

/* The name stands at `at` as the labels before `end`, and a pointer to `target` (0: the root). */
static inline size_t check_form(struct names_check *check, size_t at, struct name name,
				struct name end, size_t target, bool in_rdata)
{
	const uint8_t *p = check->message->wire.ptr;

	for (; name.len > end.len; name = name_parent(name)) {
		assert(p[at] == name.wire[0]);
		if (at <= COMPRESSION_OFFSET_MAX) {
			assert(check->count < WRITTEN_MAX);
			struct written *written = &check->list[check->count++];
			written->at = at;
			written->in_rdata = in_rdata;
			name_copy(&written->name, name);
		}
		at += p[at] + 1u;
	}
	if (target) {
		assert((size_t)(p[at] << 8 | p[at + 1]) == (0xc000 | target));
		return at + 2;
	}
	assert(p[at] == 0);
	return at + 1;
}

static inline size_t check_question_place(const struct names_check *check, struct name end)
{
	return end.len == 1 ? 0 : HEADER_OCTETS + check->question.len - (size_t)end.len;
}

static inline void check_owner(struct names_check *check, size_t at, struct name owner)
{
	struct name end = check_common(owner, check->question, owner);
	size_t place = 0;

	if (end.len < owner.len) place = check_place(check, owner, 0, false);
	if (place)
		check_form(check, at, owner, owner, place, false);
	else
		check_form(check, at, owner, end, check_question_place(check, end), false);
}

static inline size_t check_rdata_name(struct names_check *check, size_t at, struct name owner)
{
	struct reader r = reader_of(check->message->wire);
	struct name_buffer buffer;

	reader_skip(&r, at);
	bool is_name = name_read(&r, &buffer);
	assert(is_name);
	(void)is_name;
	struct name name = name_of(&buffer), end = check_common(name, check->question, owner);
	for (struct name part = name; part.len > end.len; part = name_parent(part)) {
		size_t place = check_place(check, part, check->set_from, true);
		if (place) return check_form(check, at, name, part, place, true);
	}
	return check_form(check, at, name, end, check_question_place(check, end), true);
}

/* Of a response that reads well and carries its question. `check` is scratch. */
static inline void check_names(const struct message *message, struct names_check *check)
{
	struct message_cursor cursor = message_cursor_of(message);
	struct message_record record, before = {0};

	check->message = message;
	check->question = name_of(&message->question.name);
	check->count = 0;
	for (; message_next_record(&cursor, &record); before = record) {
		struct name owner = name_of(&record.owner);
		if (record.type == RRTYPE_OPT || record.type == RRTYPE_TSIG) break;
		check_owner(check, record.at, owner);
		if (record.type != before.type || record.section != before.section ||
		    !name_equal(owner, name_of(&before.owner)))
			check->set_from = check->count;
		if (name_is_wildcard(owner)) owner = name_parent(owner);
		size_t at = record.rdata_at;
		if (record.type == RRTYPE_SOA) {
			at = check_rdata_name(check, at, owner);
			check_rdata_name(check, at, owner);
		} else if (record.type == RRTYPE_MX) {
			check_rdata_name(check, at + sizeof(uint16_t), owner);
		} else if (record.type == RRTYPE_NS || record.type == RRTYPE_CNAME ||
			   record.type == RRTYPE_PTR) {
			check_rdata_name(check, at, owner);
		}
	}
}

#endif
