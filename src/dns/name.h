/* SPDX-License-Identifier: Apache-2.0 */
/*
 * name.h - domain names in wire form (RFC 1035 3.1, 4.1.4).
 *
 * A `struct name` borrows octets that were checked once: uncompressed, at most 255
 * octets, labels of at most 63, ended by the root label. Functions below trust that.
 * Case is kept as it came; comparison ignores the case of ASCII letters (RFC 4343).
 */
#ifndef DNS_NAME_H
#define DNS_NAME_H

#include "base/error.h"
#include "base/reader.h"
#include "base/writer.h"

enum {
	NAME_OCTETS_MAX = 255,
	LABEL_OCTETS_MAX = 63,
	LABEL_COUNT_MAX = 127,       /* without the root label */
	NAME_TEXT_MAX = 4 * 255 + 1, /* every octet as \DDD, and the ending zero */
};

struct name {
	const uint8_t *wire;
	uint8_t len; /* octets, root label included: 1 to 255 */
};

struct name_buffer {
	uint8_t len;
	uint8_t wire[NAME_OCTETS_MAX];
};

static inline struct name name_of(const struct name_buffer *buffer)
{
	return (struct name){.wire = buffer->wire, .len = buffer->len};
}

/* The root: one octet of zero. */
struct name name_root(void);

void name_copy(struct name_buffer *to, struct name from);

/*
 * Reads a name from a message at the reader's position, following compression
 * pointers through the whole message (`r->ptr` is the message's first octet).
 * Pointers go strictly backwards, so no loop is possible. The reader ends behind
 * the name as it stands there. False, and the reader failed, when it is malformed.
 */
bool name_read(struct reader *r, struct name_buffer *out);

/* Reads an uncompressed name without copying it; a pointer fails the reader. */
bool name_read_plain(struct reader *r, struct name *out);

/*
 * Reads presentation format (RFC 1035 5.1): escapes \X and \DDD, "@" for the origin,
 * a name without final dot is relative to `origin` (NULL: then the dot is demanded).
 * E_SYNTAX or E_RANGE with a sentence that quotes what was found.
 */
enum code name_from_text(struct span text, const struct name *origin, struct name_buffer *out,
			 struct error *err);

/* Writes presentation format with a final dot and an ending zero; returns `text`. */
char *name_to_text(struct name name, char text[static NAME_TEXT_MAX]);

/* The same into a writer, without the zero. */
void name_print(struct name name, struct writer *w);

/* Labels without the root label. */
unsigned name_label_count(struct name name);

bool name_equal(struct name a, struct name b);

/* Canonical order (RFC 4034 6.1): <0, 0, >0. */
int name_compare(struct name a, struct name b);

/* `name` is `ancestor` or below it. */
bool name_is_below(struct name name, struct name ancestor);

/* Without its first label; the root's parent is the root. */
struct name name_parent(struct name name);

/* Without its first `count` labels (at most name_label_count). */
struct name name_without_labels(struct name name, unsigned count);

bool name_is_root(struct name name);
bool name_is_wildcard(struct name name); /* first label is "*" */

/* "*." before `name`; false when the result would be too long. */
bool name_wildcard_child(struct name name, struct name_buffer *out);

/* Writes the lower-cased octets (RFC 4034 6.2) to `out`. */
void name_lower(struct name name, struct name_buffer *out);

#endif
