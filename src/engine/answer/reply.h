/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reply.h - one response in the making, shared by the files of this folder.
 *
 * Steps add RRsets whole or not at all. What must be there and does not fit truncates
 * the response; what may be there is left out. Owners are written in the question's
 * own case where they are part of it, so that they compress and 0x20 comes back.
 */
#ifndef ENGINE_ANSWER_REPLY_H
#define ENGINE_ANSWER_REPLY_H

#include "engine/answer/answer.h"
#include "engine/answer/names.h"

enum { REPLY_SETS_MAX = 128 };

/* An RRset that stands in the response under its own owner. */
struct reply_set {
	const uint8_t *node; /* its octets */
	uint16_t type, covered;
};

/* A step of the answer that came from a wildcard: that `name` is not there is to be proven. */
struct reply_expansion {
	const struct publication *zone;
	struct name name;
	unsigned encloser_labels;
};

/* What OPT will tell, EDE apart. */
struct reply_options {
	size_t octets; /* kept free for it, OPT itself included */
	bool nsid, cookie, keepalive;
};

struct reply {
	const struct answer_server *server;
	const struct answer_request *request;
	struct answer *result;
	struct requester requester;
	const struct tsig_key *signing_key; /* what the request names, proven or not */
	struct message_writer mw;
	struct answer_names *names_written;
	struct reply_options options;
	struct header header;
	bool dnssec_ok;
	bool closed; /* truncated or damaged: no more records go in */
	enum ede ede;
	const char *ede_text; /* NULL: no extended error */

	const struct publication *zone; /* where `qname` is looked up now */
	struct name qname;              /* the question's, then each alias' target */
	uint16_t qtype;
	unsigned step;                                 /* aliases followed */
	struct name_buffer names[ALIAS_STEPS_MAX + 1]; /* qname at each step */
	size_t target_count;
	struct name targets[ADDITIONAL_TARGETS_MAX]; /* whose addresses are wanted */
	size_t set_count;
	struct reply_set sets[REPLY_SETS_MAX];
	size_t expansion_count;
	struct reply_expansion expansions[ALIAS_STEPS_MAX + 1];
};

/* ---- reply.c: adding ---- */

/* The response is this error; `text` explains it under EDE `ede`, NULL: nothing does. */
void reply_fail(struct reply *r, enum rcode rcode, enum ede ede, const char *text);

/* The image contradicts itself: SERVFAIL, and no record of it goes out. */
void reply_damaged(struct reply *r);

/* Takes back every record, sets TC; no more go in. */
void reply_truncate(struct reply *r);

/* Adds a record that is no zone's; when it does not fit the response is truncated. */
bool reply_require_record(struct reply *r, enum section section, const struct record *record);

/*
 * Adds an RRset, in a zone that rotates from record `turn` modulo their count on, and, for who
 * wants them, its signatures; false when both do not fit. What stands there under this owner is not
 * added again.
 */
bool reply_add(struct reply *r, enum section section, struct name owner, const struct node *node,
	       const struct rrset *rrset);

/* The same for what must be there: when it does not fit the response is truncated. */
bool reply_require(struct reply *r, enum section section, struct name owner,
		   const struct node *node, const struct rrset *rrset);

/*
 * `ancestor` as the last labels of qname: the same name in the case that was asked. The
 * root when it is none, as in a damaged image.
 */
struct name reply_owner(const struct reply *r, struct name ancestor);

/* The serial of the SOA that a section of the request begins with; false when there is none. */
bool reply_request_serial(const struct reply *r, enum section section, uint32_t *serial);

/* ---- zones.c: which one, and whether it may be used ---- */

/* Finds the zone for qname; false when there is none to use, and on the first step says why. */
bool reply_choose_zone(struct reply *r);

/* The list admits the requester; if not, the response is REFUSED. */
bool reply_is_allowed(struct reply *r, const struct access_list *list);

/* The zone can be answered from; if not, the response is SERVFAIL. */
bool reply_zone_is_usable(struct reply *r, const struct publication *zone);

/* The zone of exactly the question's name; NULL, and the response is NOTAUTH, without one. */
const struct publication *reply_exact_zone(struct reply *r);

/* ---- alias.c: RFC 1034 3.6.2, RFC 6672; false ends the search ---- */

bool reply_follow_cname(struct reply *r, const struct node *node, const struct rrset *cname);
bool reply_follow_dname(struct reply *r, const struct node *node);

/* ---- sections.c ---- */

/* The answer itself, and whose addresses it calls for. */
void reply_rrset(struct reply *r, const struct node *node, const struct rrset *rrset);

/*
 * The same for ANY, and for RRSIG, of which a node has one RRset for each type covered. Over
 * UDP it is the first only, in canonical order but SOA before all others, and for ANY with
 * none of RRSIG, NSEC and NSEC3 if there is another: RFC 8482 4.1. It calls for no addresses.
 */
void reply_rrsets(struct reply *r, const struct node *node);

/* SOA for no such name (RCODE_NXDOMAIN) or no such type (RCODE_NOERROR): RFC 2308. */
void reply_negative(struct reply *r, enum rcode rcode);

/* Addresses of the targets, as far as they fit. */
void reply_additional(struct reply *r);

/*
 * ---- proofs.c: with DO, what a signed zone does not have ----
 *
 * Links of the chain of NSEC3 where the apex has a usable NSEC3PARAM, else of NSEC; each
 * once, behind the SOA or NS, in this order:
 *
 *	         NSEC (RFC 4035 3.1.3)             NSEC3 (RFC 5155 7.2)
 *	no name  covers the name, covers the       encloser, covers next closer, covers the
 *	         wildcard                          wildcard
 *	no type  that of the name (of an empty     that of the name; without one (opt-out)
 *	         non-terminal: covers it)          encloser, covers next closer
 *	no type  covers the name, that of the      encloser, covers next closer, that of the
 *	at "*"   wildcard                          wildcard
 *	from "*" covers the name                   covers next closer
 *
 * Those of expansions come before the SOA or NS of a later step of an alias. A link that
 * is missing, or of another chain, is left out and told as EDE 12, a chain of too many
 * iterations as EDE 27: a validator refuses the answer, everybody else is served.
 */

/* No such name below this closest encloser, nor a wildcard there. */
void reply_prove_no_name(struct reply *r, struct name encloser);

/* The node of `name` does not have the type: DS at a cut, or the question's. */
void reply_prove_no_type(struct reply *r, struct name name, const struct node *node);

/* The wildcard below `encloser` stands for qname and does not have the type. */
void reply_prove_no_type_of_wildcard(struct reply *r, struct name encloser,
				     const struct node *wildcard);

/* What was just answered for qname came from the wildcard below `encloser`. */
void reply_note_expansion(struct reply *r, struct name encloser);

/* Proves all that were noted. */
void reply_prove_expansions(struct reply *r);

/*
 * ---- options.c: OPT, with NSID (RFC 5001), COOKIE (RFC 7873), keepalive (RFC 7828) and
 * EDE (RFC 8914), in this order. Room is kept for the first three before any record goes
 * in, in this order as long as there is some; EDE takes what is left at the end. An
 * option that does not fit whole is left out.
 */
void reply_reserve_options(struct reply *r);
void reply_write_options(struct reply *r);

/* ---- one file each ---- */

void reply_referral(struct reply *r, const struct node *cut);
void reply_chaos(struct reply *r);
void reply_notify(struct reply *r);
void reply_transfer(struct reply *r);

#endif
