/* SPDX-License-Identifier: Apache-2.0 */
/* svcb_value.h - keys and values of service parameters, IANA "Service Parameter Keys". */
#ifndef DNS_FIELDS_SVCB_VALUE_H
#define DNS_FIELDS_SVCB_VALUE_H

#include "dns/fields/fields.h"

enum param_format {
	PARAM_KEYS,   /* mandatory */
	PARAM_IDS,    /* alpn */
	PARAM_EMPTY,  /* no-default-alpn, ohttp */
	PARAM_PORT,   /* port */
	PARAM_IPV4,   /* ipv4hint */
	PARAM_BASE64, /* ech */
	PARAM_IPV6,   /* ipv6hint */
	PARAM_TEXT,   /* dohpath */
	PARAM_GROUPS, /* tls-supported-groups */
	PARAM_OPAQUE, /* all others */
};

enum param_format param_format_of(uint16_t key);

/* The key that "alpn" or "key65000" names; -1: it is none. */
int param_key_read(struct span text);
bool param_key_is_number(struct span text);
void param_key_print(uint16_t key, struct writer *w);

/* `value` as it stands in the zone file, escapes and all; false: not of this format. */
bool param_from_text(enum param_format format, struct span value, struct writer *w);
void param_print(enum param_format format, struct span value, struct writer *w);

/* Completes "expected ...". */
const char *param_expected(enum param_format format);

/* What is wrong with parameters: `text` is NULL when nothing is. */
struct params_fault {
	const char *text; /* completes "service parameter KEY ..." */
	uint16_t key;
};

/* Reads all parameters to the end. */
struct params_fault params_check(struct reader *r);

#endif
