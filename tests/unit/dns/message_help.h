/* SPDX-License-Identifier: Apache-2.0 */
/* message_help.h - messages by hand, for tests. */
#ifndef TESTS_MESSAGE_HELP_H
#define TESTS_MESSAGE_HELP_H

#include "dns/message_query.h"
#include "unit.h"

/* The octets of a string literal, zeros inside included. */
#define OCTETS(literal) span_of(literal, sizeof(literal) - 1)

/* example.com. IN SOA */
#define QUESTION        "\7example\3com\0\0\6\0\1"
#define QUESTION_OCTETS (sizeof(QUESTION) - 1)

/* A header with these flags and counts. */
static inline void put_header(struct writer *w, uint16_t flags, uint16_t qd, uint16_t an,
			      uint16_t ns, uint16_t ar)
{
	write_u16(w, 0x4d2);
	write_u16(w, flags);
	write_u16(w, qd);
	write_u16(w, an);
	write_u16(w, ns);
	write_u16(w, ar);
}

/* A query for QUESTION that promises `ar` additional records. */
static inline void put_query(struct writer *w, uint16_t ar)
{
	put_header(w, 0x0100, 1, 0, 0, ar);
	write_span(w, OCTETS(QUESTION));
}

static inline void put_record(struct writer *w, struct span owner, uint16_t type, uint16_t class,
			      uint32_t ttl, struct span rdata)
{
	write_span(w, owner);
	write_u16(w, type);
	write_u16(w, class);
	write_u32(w, ttl);
	write_u16(w, (uint16_t)rdata.len);
	write_span(w, rdata);
}

static inline void put_opt(struct writer *w, struct span options)
{
	put_record(w, OCTETS("\0"), RRTYPE_OPT, 1232, 0x8000, options);
}

static inline struct name name_literal(struct span wire)
{
	return (struct name){.wire = wire.ptr, .len = (uint8_t)wire.len};
}

/* The rcode of the request in `w`; RCODE_NOERROR: it is good. It is never to be ignored. */
static inline enum rcode request_rcode(const struct writer *w, struct query *query)
{
	assert_false(w->overflow);
	enum query_verdict verdict = query_parse(writer_span(w), query);

	assert_true(verdict == (query->rcode ? QUERY_BAD : QUERY_OK));
	return query->rcode;
}

/* The whole response to QUERY_BAD, with OPT if the request had a sound one. */
static inline struct span query_write_error(const struct query *query, struct message_writer *mw,
					    void *octets, size_t cap, uint16_t udp_size)
{
	struct header header = query_response_header(query);

	query_begin_response(query, mw, octets, cap);
	if (query->edns.present) {
		bool fits = edns_begin(mw, udp_size, query->edns.dnssec_ok);
		if (!fits) return (struct span){0};
	}
	return message_finish(mw, &header);
}

#endif
