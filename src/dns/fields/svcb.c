/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parameters of SVCB and HTTPS (RFC 9460 2.1, 2.2, 7; RFC 9461 5; RFC 9540 4).
 * In text they come in any order, each key once; in wire form keys ascend.
 */
#include "dns/fields/svcb_value.h"

#include "dns/escape.h"

enum { PARAM_COUNT_MAX = 256 };

/* What the words of one record say: a word's key, in the order of keys. */
struct params {
	size_t count;
	uint16_t keys[PARAM_COUNT_MAX];
	size_t words[PARAM_COUNT_MAX];
};

static struct span key_of_word(struct span word)
{
	const uint8_t *equals = word.len ? memchr(word.ptr, '=', word.len) : NULL;
	return span_of(word.ptr, equals ? (size_t)(equals - word.ptr) : word.len);
}

/* Takes a word's key to its place among those that are there. */
static enum code params_add(struct params *params, const struct words *in)
{
	int key = param_key_read(key_of_word(words_front(in)));
	size_t at = params->count;

	if (key < 0)
		return words_expected_text(in,
					   "a service parameter, such as alpn=h2 or key65000=x");
	if (params->count == PARAM_COUNT_MAX)
		return error_set(in->err, E_LIMIT, "more than %d service parameters in one record",
				 PARAM_COUNT_MAX);
	while (at && params->keys[at - 1] > key) at--;
	if (at && params->keys[at - 1] == key) {
		char found[QUOTED_MAX];
		return error_set(in->err, E_SYNTAX, "service parameter %s stands there twice",
				 quote(key_of_word(words_front(in)), found));
	}
	size_t behind = params->count++ - at;
	memmove(params->keys + at + 1, params->keys + at, behind * sizeof params->keys[0]);
	memmove(params->words + at + 1, params->words + at, behind * sizeof params->words[0]);
	params->keys[at] = (uint16_t)key;
	params->words[at] = in->at;
	return OK;
}

/* What stands after "=", without quotes; false when these do not close. */
static bool value_of_word(struct span word, struct span key, struct span *value)
{
	*value = (struct span){0};
	if (word.len == key.len) return true;
	*value = span_of(word.ptr + key.len + 1, word.len - key.len - 1);
	if (!value->len || value->ptr[0] != '"') return true;
	if (value->len < 2 || value->ptr[value->len - 1] != '"') return false;
	*value = span_of(value->ptr + 1, value->len - 2);
	return true;
}

static enum code param_write(struct words *in, uint16_t key)
{
	struct span word = words_front(in), name = key_of_word(word), value;

	if (!value_of_word(word, name, &value))
		return words_expected_text(in, "a value that ends with its quote");
	write_u16(in->w, key);
	size_t len_at = in->w->len;
	write_u16(in->w, 0);
	enum param_format format = param_key_is_number(name) ? PARAM_OPAQUE : param_format_of(key);
	if (!param_from_text(format, value, in->w))
		return words_expected_text(in, param_expected(format));
	patch_u16(in->w, len_at, (uint16_t)(in->w->len - len_at - 2));
	in->at++;
	return OK;
}

/* Blames the word of the key, or "mandatory", which is in front, for one that is missing. */
static enum code params_refuse(struct words *in, const struct params *params,
			       struct params_fault fault)
{
	char name[QUOTED_MAX];
	struct writer w = writer_of(name, sizeof name - 1);

	in->at = params->words[0];
	for (size_t i = 0; i < params->count; i++)
		if (params->keys[i] == fault.key) in->at = params->words[i];
	param_key_print(fault.key, &w);
	name[w.len] = '\0';
	return error_set(in->err, E_SYNTAX, "service parameter %s %s", name, fault.text);
}

enum code service_params_from_text(struct words *in)
{
	size_t start = in->w->len;
	struct params params;

	params.count = 0;
	for (; words_left(in); in->at++) {
		enum code code = params_add(&params, in);
		if (code) return code;
	}
	for (size_t i = 0; i < params.count; i++) {
		in->at = params.words[i];
		enum code code = param_write(in, params.keys[i]);
		if (code) return code;
	}
	in->at = in->count;
	if (in->w->overflow || in->w->len - start > RDATA_OCTETS_MAX) {
		in->w->overflow = true;
		return OK;
	}
	struct reader r = reader_of(span_of(in->w->ptr + start, in->w->len - start));
	struct params_fault fault = params_check(&r);
	return fault.text ? params_refuse(in, &params, fault) : OK;
}

bool service_params_print(struct reader *r, struct writer *w)
{
	size_t count = 0;

	while (reader_left(r)) {
		uint16_t key = read_u16(r);
		struct span value = read_span(r, read_u16(r));
		if (r->failed || count == PARAM_COUNT_MAX) return false;
		if (count++) write_u8(w, ' ');
		param_key_print(key, w);
		if (!value.len) continue;
		write_u8(w, '=');
		param_print(param_format_of(key), value, w);
	}
	return true;
}

bool service_params_check(struct reader *r)
{
	return params_check(r).text == NULL;
}
