/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tsig.h - transaction signatures (RFC 8945).
 *
 * The record is read by one function; keys are found by name and algorithm. A verdict
 * is about one message and leaves it unchanged. Time is an argument: seconds since
 * 1970 UTC. Signing appends to a finished message and counts itself in its header.
 *
 *   client: tsig_sign_request -> tsig_verify_response, or tsig_verifier for a stream
 *   server: tsig_verify_request -> tsig_sign_response, or tsig_signer for a stream
 */
#ifndef DNS_TSIG_H
#define DNS_TSIG_H

#include "crypto/mac.h"
#include "dns/message.h"

enum {
	TSIG_FUDGE_S = 300,           /* RFC 8945 10: how far clocks may be apart */
	TSIG_MAC_OCTETS_MIN = 10,     /* RFC 8945 5.2.2.1: no shorter, nor than half the hash */
	TSIG_UNSIGNED_COUNT_MAX = 99, /* RFC 8945 5.3.1: messages without TSIG in a row */
	TSIG_ERROR_TEXT_MAX = 16,
};

enum tsig_algorithm {
#define TSIG_ALGORITHM(name, text, digest, mac_len) TSIG_##name,
#include "dns/tsig_algorithms.def"
#undef TSIG_ALGORITHM
	TSIG_ALGORITHM_COUNT,
};

/* The error field: TSIG_ERROR_BADSIG, ... */
enum tsig_error {
	TSIG_ERROR_NONE = 0,
#define TSIG_ERROR(name, code, rfc) TSIG_ERROR_##name = (code),
#include "dns/rcodes.def"
};

/* "BADTIME", or "ERROR12" for one without a name. */
char *tsig_error_to_text(uint16_t error, char text[static TSIG_ERROR_TEXT_MAX]);

/* "hmac-sha256": the words of the configuration, and without its dot the name on the wire. */
const char *tsig_algorithm_text(enum tsig_algorithm algorithm);
bool tsig_algorithm_from_text(struct span text, enum tsig_algorithm *out); /* any case */

/* All of them in the table's order, e.g. for "did you mean". */
const char *const *tsig_algorithm_texts(size_t *count);

/* The same as a name; and the hash function under it. */
void tsig_algorithm_name(enum tsig_algorithm algorithm, struct name_buffer *out);
enum digest_algorithm tsig_digest(enum tsig_algorithm algorithm);

/* Octets of a MAC that was not cut. */
size_t tsig_mac_len(enum tsig_algorithm algorithm);

struct tsig_key {
	struct name name;
	enum tsig_algorithm algorithm;
	struct span secret;
	const char *label; /* what logs and lists call it */
};

/* Octets of the record, so that they can be kept free in a message: at most, signed or not. */
size_t tsig_octets(const struct tsig_key *key);

/* The record as it came; spans and names borrow from the message. */
struct tsig {
	bool present;
	size_t at; /* where the record begins: what is before it is signed */
	struct name_buffer key_name;
	struct name algorithm;
	uint64_t time_signed_unix_s; /* 48 bits */
	uint16_t fudge_s;
	struct span mac;
	uint16_t original_id;
	uint16_t error;
	struct span other;
};

/*
 * Reads the record that a cursor found. False, and `out` is not present, when it is
 * malformed: class not ANY, TTL not 0, a name or field cut off, octets over.
 */
bool tsig_read(const struct message *message, const struct message_record *record,
	       struct tsig *out);

/* The record names this key: name (any case) and algorithm. */
bool tsig_is_of_key(const struct tsig *tsig, const struct tsig_key *key);

/* The key of this name and algorithm among `count`; NULL: BADKEY. */
const struct tsig_key *tsig_key_find(const struct tsig_key *keys, size_t count,
				     const struct tsig *tsig);

/* A MAC that was sent or seen: the next message's MAC covers it. */
struct tsig_mac {
	uint8_t len; /* 0: there was none */
	uint8_t octets[MAC_LEN_MAX];
};

enum tsig_verdict {
	TSIG_OK,
	TSIG_NONE,     /* the message carries no TSIG */
	TSIG_FORMERR,  /* the record is malformed, or its MAC longer or shorter than allowed */
	TSIG_BADKEY,   /* no key of this name and algorithm */
	TSIG_BADSIG,   /* the MAC is wrong */
	TSIG_BADTIME,  /* signed outside of the fudge */
	TSIG_BADTRUNC, /* the peer's policy wants a longer MAC */
	TSIG_FAILED,   /* libcrypto failed: nothing is known */
};

struct tsig_check {
	enum tsig_verdict verdict;
	bool proven;          /* the MAC is right, whatever else is wrong */
	bool said_by_peer;    /* the verdict is the peer's error field, not our finding */
	int64_t peer_ahead_s; /* with BADTIME: "its clock is N s ahead", negative: behind */
};

/*
 * Appends TSIG to a finished message (message_finish) and keeps its MAC, which the
 * response's MAC covers. E_LIMIT when there is no room, E_NOMEM when libcrypto failed:
 * the message is as it was. The same holds for all that sign.
 */
enum code tsig_sign_request(struct crypto *crypto, const struct tsig_key *key, uint64_t now_unix_s,
			    struct writer *message, struct tsig_mac *mac) must_use;

/*
 * `tsig` is the message's record (message_read_meta), `key` what tsig_key_find gave
 * for it. In the order of RFC 8945 5.2: key, MAC, time.
 */
struct tsig_check tsig_verify_request(struct crypto *crypto, const struct tsig_key *key,
				      const struct message *message, const struct tsig *tsig,
				      uint64_t now_unix_s);

/*
 * Appends TSIG to the response, as the verdict on its request demands (RFC 8945 5.3):
 * TSIG_OK and TSIG_BADTRUNC signed; TSIG_BADTIME signed, with our time; TSIG_BADKEY and
 * TSIG_BADSIG unsigned, `key` is not looked at. The other verdicts: nothing.
 */
enum code tsig_sign_response(struct crypto *crypto, const struct tsig_key *key,
			     const struct tsig *request, enum tsig_verdict verdict,
			     uint64_t now_unix_s, struct writer *message) must_use;

/*
 * Of a response to a request that was signed with `key` and `request_mac`. BADKEY and
 * BADSIG as told by the peer come unsigned, so anybody may have sent them.
 */
struct tsig_check tsig_verify_response(struct crypto *crypto, const struct tsig_key *key,
				       const struct tsig_mac *request_mac,
				       const struct message *message, const struct tsig *tsig,
				       uint64_t now_unix_s);

/* The MAC of a record that was verified. */
void tsig_mac_keep(const struct tsig *tsig, struct tsig_mac *out);

/*
 * The state of one response of many messages (RFC 8945 5.3.1). Borrows crypto and key
 * until tsig_stream_end. `*_begin` gives E_NOMEM when memory ran out; nothing is then
 * to be ended.
 */
struct tsig_stream {
	struct crypto *crypto;
	const struct tsig_key *key;
	struct mac *running;     /* has taken the MAC before and all unsigned messages since */
	unsigned unsigned_count; /* since the last signed message */
	bool begun;              /* the first message was signed or verified */
	enum tsig_verdict verdict;
};

enum code tsig_stream_begin(struct tsig_stream *stream, struct crypto *crypto,
			    const struct tsig_key *key,
			    const struct tsig_mac *request_mac) must_use;
void tsig_stream_end(struct tsig_stream *stream);

/*
 * Takes the next message to send. It is signed if `sign` says so, if it is the first,
 * or if 99 before it were not; the last one must be. Keep tsig_octets free in each:
 * after an error the stream cannot go on.
 */
enum code tsig_stream_sign(struct tsig_stream *stream, bool sign, uint64_t now_unix_s,
			   struct writer *message) must_use;

/*
 * Takes the next message that came. TSIG_OK: go on; what came is proven only when
 * `proven` is set, so a stream ends well only at such a message. TSIG_NONE: the first
 * message, or the hundredth in a row, has no TSIG. After any verdict but TSIG_OK the
 * stream stays with it.
 */
struct tsig_check tsig_stream_verify(struct tsig_stream *stream, const struct message *message,
				     const struct tsig *tsig, uint64_t now_unix_s);

#endif
