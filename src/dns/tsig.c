/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/tsig.h"

#include <assert.h>
#include <stdio.h>

static const struct algorithm_row {
	const char *text;
	enum digest_algorithm digest;
	uint8_t mac_len;
} algorithm_rows[TSIG_ALGORITHM_COUNT] = {
#define TSIG_ALGORITHM(name, text, digest, mac_len)                                                \
	[TSIG_##name] = {text, DIGEST_##digest, mac_len},
#include "dns/tsig_algorithms.def"
#undef TSIG_ALGORITHM
};

char *tsig_error_to_text(uint16_t error, char text[static TSIG_ERROR_TEXT_MAX])
{
	switch (error) {
#define TSIG_ERROR(name, code, rfc)                                                                \
	case code:                                                                                 \
		snprintf(text, TSIG_ERROR_TEXT_MAX, "%s", #name);                                  \
		break;
#include "dns/rcodes.def"
	default: snprintf(text, TSIG_ERROR_TEXT_MAX, "ERROR%u", error); break;
	}
	return text;
}

const char *tsig_algorithm_text(enum tsig_algorithm algorithm)
{
	assert(algorithm < TSIG_ALGORITHM_COUNT);
	return algorithm_rows[algorithm].text;
}

static bool text_equal(struct span a, const char *b)
{
	size_t i = 0;

	for (; i < a.len && b[i]; i++) {
		uint8_t c = a.ptr[i];
		if (c >= 'A' && c <= 'Z') c |= 0x20;
		if (c != b[i]) return false;
	}
	return i == a.len && !b[i];
}

bool tsig_algorithm_from_text(struct span text, enum tsig_algorithm *out)
{
	for (enum tsig_algorithm a = 0; a < TSIG_ALGORITHM_COUNT; a++) {
		if (!text_equal(text, algorithm_rows[a].text)) continue;
		*out = a;
		return true;
	}
	return false;
}

const char *const *tsig_algorithm_texts(size_t *count)
{
	static const char *const texts[] = {
#define TSIG_ALGORITHM(name, text, digest, mac_len) text,
#include "dns/tsig_algorithms.def"
#undef TSIG_ALGORITHM
	};

	*count = ARRAY_COUNT(texts);
	return texts;
}

size_t tsig_mac_len(enum tsig_algorithm algorithm)
{
	assert(algorithm < TSIG_ALGORITHM_COUNT);
	return algorithm_rows[algorithm].mac_len;
}

enum digest_algorithm tsig_digest(enum tsig_algorithm algorithm)
{
	assert(algorithm < TSIG_ALGORITHM_COUNT);
	return algorithm_rows[algorithm].digest;
}

void tsig_algorithm_name(enum tsig_algorithm algorithm, struct name_buffer *out)
{
	const char *text = tsig_algorithm_text(algorithm);
	size_t len = strlen(text);

	assert(len <= LABEL_OCTETS_MAX);
	out->len = (uint8_t)(len + 2);
	out->wire[0] = (uint8_t)len;
	memcpy(out->wire + 1, text, len + 1); /* the ending zero is the root label */
}

bool tsig_is_of_key(const struct tsig *tsig, const struct tsig_key *key)
{
	struct name_buffer algorithm;

	tsig_algorithm_name(key->algorithm, &algorithm);
	return name_equal(tsig->algorithm, name_of(&algorithm)) &&
	       name_equal(name_of(&tsig->key_name), key->name);
}

const struct tsig_key *tsig_key_find(const struct tsig_key *keys, size_t count,
				     const struct tsig *tsig)
{
	for (size_t i = 0; i < count; i++)
		if (tsig_is_of_key(tsig, &keys[i])) return &keys[i];
	return NULL;
}

static bool tsig_read_rdata(struct span rdata, struct tsig *out)
{
	struct reader r = reader_of(rdata);

	if (!name_read_plain(&r, &out->algorithm)) return false;
	out->time_signed_unix_s = read_u48(&r);
	out->fudge_s = read_u16(&r);
	out->mac = read_span(&r, read_u16(&r));
	out->original_id = read_u16(&r);
	out->error = read_u16(&r);
	out->other = read_span(&r, read_u16(&r));
	return reader_done(&r);
}

bool tsig_read(const struct message *message, const struct message_record *record, struct tsig *out)
{
	struct reader owner = reader_of(message->wire);

	reader_skip(&owner, record->at);
	out->at = record->at;
	out->present = record->class == CLASS_ANY && record->ttl == 0 &&
		       name_read(&owner, &out->key_name) &&
		       tsig_read_rdata(message_rdata(message, record), out);
	return out->present;
}
