/* SPDX-License-Identifier: Apache-2.0 */
/* Names in presentation format (RFC 1035 5.1). */
#include "dns/escape.h"
#include "dns/name.h"
#include "dns/simd/text_copy.h"

/* How long the name would be, to tell by how much it is too long. */
static size_t wire_len(struct span text, const struct name *origin)
{
	bool absolute = false;
	size_t len = 1;

	for (size_t i = 0; i < text.len; len++) {
		uint8_t octet;
		absolute = text.ptr[i] == '.';
		size_t step = text.ptr[i] == '\\' ? escape_read(text, i, &octet) : 1;
		i += step ? step : 1;
	}
	return len + (absolute || !origin ? 0 : origin->len);
}

static enum code too_long(struct span text, const struct name *origin, struct error *err)
{
	char found[QUOTED_MAX];
	return error_set(err, E_RANGE, "name of %zu octets, at most %d: %s", wire_len(text, origin),
			 NAME_OCTETS_MAX, quote(text, found));
}

static enum code label_refuse(struct span text, size_t len, struct error *err)
{
	char found[QUOTED_MAX];

	if (len == 0)
		return error_set(err, E_SYNTAX, "empty label (two dots, or a dot in front) in %s",
				 quote(text, found));
	return error_set(err, E_RANGE, "label of %zu octets, at most %d: %s", len, LABEL_OCTETS_MAX,
			 quote(text, found));
}

static enum code escape_refuse(struct span text, size_t at, struct error *err)
{
	char found[QUOTED_MAX];
	return error_set(
		err, E_SYNTAX,
		"expected \\DDD from \\000 to \\255, or \\ and one character, found %s",
		quote(span_of(text.ptr + at, text.len - at < 4 ? text.len - at : 4), found));
}

/* The whole label was counted although it did not fit, so that the sentence can tell. */
static size_t label_len(struct span text, size_t from)
{
	size_t len = 0;

	for (size_t i = from; i < text.len && text.ptr[i] != '.'; len++) {
		uint8_t octet;
		size_t step = text.ptr[i] == '\\' ? escape_read(text, i, &octet) : 1;
		i += step ? step : 1;
	}
	return len;
}

static enum code name_finish(struct span text, size_t len, const struct name *origin,
			     struct name_buffer *out, struct error *err)
{
	char found[QUOTED_MAX];

	if (!origin)
		return error_set(err, E_SYNTAX, "expected a final dot after %s",
				 quote(text, found));
	if (len + origin->len > NAME_OCTETS_MAX) return too_long(text, origin, err);
	memcpy(out->wire + len, origin->wire, origin->len);
	out->len = (uint8_t)(len + origin->len);
	return OK;
}

/*
 * Nearly every name: short, without escapes, and right. The text is copied as a whole one
 * octet further on, so that each dot becomes the length of the label behind it. False: it
 * is another kind of name, or wrong, and nothing is decided.
 */
static bool name_from_plain_text(struct span text, const struct name *origin,
				 struct name_buffer *out)
{
	uint64_t dots;
	size_t label = 0;

	if (text.len == 0 || text.len > TEXT_COPY_MAX || text.ptr[0] == '@') return false;
	if (!text_copy(out->wire + 1, text.ptr, text.len, &dots)) return false;
	for (; dots; dots &= dots - 1) {
		size_t len = (size_t)__builtin_ctzll(dots) - label;
		if (len == 0 || len > LABEL_OCTETS_MAX) return false;
		out->wire[label] = (uint8_t)len;
		label += len + 1;
	}
	if (label == text.len) {
		out->wire[label] = 0;
		out->len = (uint8_t)(label + 1);
		return true;
	}
	if (!origin || text.len - label > LABEL_OCTETS_MAX) return false;
	if (text.len + 1 + origin->len > NAME_OCTETS_MAX) return false;
	out->wire[label] = (uint8_t)(text.len - label);
	memcpy(out->wire + text.len + 1, origin->wire, origin->len);
	out->len = (uint8_t)(text.len + 1 + origin->len);
	return true;
}

enum code name_from_text(struct span text, const struct name *origin, struct name_buffer *out,
			 struct error *err)
{
	size_t label = 0, label_text = 0, to = 1;

	if (likely(name_from_plain_text(text, origin, out))) return OK;
	if (text.len == 0) return error_set(err, E_SYNTAX, "expected a domain name, found \"\"");
	if (text.len == 1 && (text.ptr[0] == '.' || text.ptr[0] == '@')) {
		bool is_root = text.ptr[0] == '.';
		if (!is_root && !origin)
			return error_set(err, E_SYNTAX, "\"@\" needs an origin, and none is set");
		name_copy(out, is_root ? name_root() : *origin);
		return OK;
	}

	for (size_t i = 0; i < text.len;) {
		uint8_t c = text.ptr[i];
		size_t step = 1;
		if (c == '.') {
			size_t len = to - label - 1;
			if (len == 0) return label_refuse(text, len, err);
			out->wire[label] = (uint8_t)len;
			label = to;
			label_text = i + 1;
			c = 0;
		} else {
			if (c == '\\' && (step = escape_read(text, i, &c)) == 0)
				return escape_refuse(text, i, err);
			if (to - label > LABEL_OCTETS_MAX)
				return label_refuse(text, label_len(text, label_text), err);
		}
		if (to == NAME_OCTETS_MAX) return too_long(text, origin, err);
		out->wire[to++] = c;
		i += step;
	}
	if (to - label == 1) {
		out->len = (uint8_t)to;
		return OK;
	}
	out->wire[label] = (uint8_t)(to - label - 1);
	return name_finish(text, to, origin, out, err);
}

static bool name_is_plain(struct name name)
{
	for (const uint8_t *p = name.wire; *p; p += *p + 1)
		if (!label_is_plain(span_of(p + 1, *p))) return false;
	return true;
}

/* The wire form one octet further on, each length but the first replaced by a dot. */
static void name_print_plain(struct name name, struct writer *w)
{
	uint8_t *text = writer_take(w, name.len - 1u);

	if (!text) return;
	memcpy(text, name.wire + 1, name.len - 1u);
	for (unsigned at = name.wire[0]; at < name.len - 1u; at += name.wire[at + 1] + 1u)
		text[at] = '.';
}

void name_print(struct name name, struct writer *w)
{
	if (name_is_root(name)) {
		write_u8(w, '.');
		return;
	}
	if (likely(name_is_plain(name))) {
		name_print_plain(name, w);
		return;
	}
	for (const uint8_t *p = name.wire; *p; p += *p + 1) {
		escape_label(span_of(p + 1, *p), w);
		write_u8(w, '.');
	}
}

char *name_to_text(struct name name, char text[static NAME_TEXT_MAX])
{
	struct writer w = writer_of(text, NAME_TEXT_MAX);

	name_print(name, &w);
	write_u8(&w, 0);
	return text;
}
