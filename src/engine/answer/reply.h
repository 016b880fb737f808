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

enum { REPLY_SETS_MAX = 32 };

/* An RRset that stands in the response under its own owner. */
struct reply_set {
	const uint8_t *node; /* its octets */
	uint16_t type;
};

struct reply {
	const struct answer_server *server;
	const struct answer_request *request;
	struct answer *result;
	struct requester requester;
	const struct tsig_key *signing_key; /* what the request names, proven or not */
	struct message_writer mw;
	struct answer_names *names_written;
	size_t opt_octets, nsid_octets; /* kept free for them */
	struct header header;
	bool dnssec_ok;
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
};

/* ---- reply.c: adding ---- */

/* The response is this error; `text` explains it under EDE `ede`, NULL: nothing does. */
void reply_fail(struct reply *r, enum rcode rcode, enum ede ede, const char *text);

/* The image contradicts itself: SERVFAIL, and no record of it goes out. */
void reply_damaged(struct reply *r);

/* Takes back every record. */
void reply_clear(struct reply *r);

/* The same, and sets TC. */
void reply_truncate(struct reply *r);

/* Adds a record that is no zone's; when it does not fit the response is truncated. */
bool reply_require_record(struct reply *r, enum section section, const struct record *record);

/* Adds an RRset and, for who wants them, its signatures; false when both do not fit. */
bool reply_add(struct reply *r, enum section section, struct name owner, const struct node *node,
	       const struct rrset *rrset);

/* The same for what must be there: when it does not fit the response is truncated. */
bool reply_require(struct reply *r, enum section section, struct name owner,
		   const struct node *node, const struct rrset *rrset);

/* The RRset of this node stands in the response already. */
bool reply_has(const struct reply *r, const struct node *node, uint16_t type);

/* `ancestor` as the last labels of qname: the same name in the case that was asked. */
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

/* The same for ANY, and for RRSIG, of which a node has one RRset for each type covered. */
void reply_rrsets(struct reply *r, const struct node *node);

/* No such name (RCODE_NXDOMAIN) or no such type (RCODE_NOERROR): RFC 2308. */
void reply_negative(struct reply *r, enum rcode rcode);

/* Addresses of the targets, as far as they fit. */
void reply_additional(struct reply *r);

/* ---- one file each ---- */

void reply_referral(struct reply *r, const struct node *cut);
void reply_chaos(struct reply *r);
void reply_notify(struct reply *r);
void reply_transfer(struct reply *r);

#endif
