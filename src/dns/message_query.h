/* SPDX-License-Identifier: Apache-2.0 */
/*
 * message_query.h - what a server looks at before it answers.
 *
 * Header, question, OPT and TSIG are read, everything else is only walked over. The
 * verdict says whether the message deserves an answer, an error or silence.
 */
#ifndef DNS_MESSAGE_QUERY_H
#define DNS_MESSAGE_QUERY_H

#include "dns/edns.h"
#include "dns/tsig.h"

enum query_verdict {
	QUERY_OK,
	QUERY_IGNORE, /* a response or fewer than 12 octets: silence, or nobody could stop */
	QUERY_BAD,    /* answer with `rcode` and nothing else */
};

/* A request as it came; borrows from the octets it was parsed from. */
struct query {
	struct message message;
	struct edns edns;
	struct tsig tsig;
	enum query_verdict verdict;
	enum rcode rcode; /* RCODE_NOERROR with QUERY_OK */
};

/*
 * Reads a request of any opcode. QUERY_BAD comes with
 *   NOTIMP   opcodes without an answer (nothing behind the header is read), MAILA, MAILB
 *   FORMERR  not exactly one question; counts that lie; octets behind the last record;
 *            two OPT or a malformed one; TSIG twice, malformed or not last; a type
 *            that nobody can ask for
 *   REFUSED  TKEY
 *   BADVERS  EDNS of another version
 *   NOERROR  no question but COOKIE: RFC 7873 5.4
 * and what was read whole until then is in `out` (has_question, edns.present).
 */
enum query_verdict query_parse(struct span wire, struct query *out);

/*
 * Looks for OPT and TSIG among all records of a message, query or response. FORMERR
 * and BADVERS as above; then `edns` and `tsig` are present only where they were sound.
 */
enum rcode message_read_meta(const struct message *message, struct edns *edns, struct tsig *tsig);

/* What every response copies from its request: id, opcode, RD and CD; QR set, rcode taken over. */
struct header query_response_header(const struct query *query);

/*
 * Begins a response with the question as it came, if the request carried a whole one.
 * `cap` is 512 at least.
 */
void query_begin_response(const struct query *query, struct message_writer *mw, void *octets,
			  size_t cap);

#endif
