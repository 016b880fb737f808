/* SPDX-License-Identifier: Apache-2.0 */
/*
 * access.h - who may do what: allow lists, the one place that decides.
 *
 * An allow list is read in order, the first item that fits decides, none fits:
 * refused. An item's conditions must all hold. A remote is one condition: its address
 * *and*, if it has keys, a signature by one of them.
 */
#ifndef ENGINE_ACCESS_H
#define ENGINE_ACCESS_H

#include "base/address.h"
#include "base/transport.h"
#include "dns/tsig.h"

struct remote;

struct access_item {
	bool deny;
	bool any_address;            /* no address condition */
	const struct prefix *prefix; /* NULL: no such condition */
	const struct remote *remote; /* likewise */
	const struct tsig_key *key;  /* likewise */
	uint8_t transports;          /* bits by enum transport; 0: every transport */
	const char *acl;             /* the acl that it was written in, NULL: the list itself */
};

struct access_list {
	const struct access_item *items;
	size_t count;
};

/* Who asks. `key` is the key whose MAC was verified, NULL for an unsigned message. */
struct requester {
	struct address address;
	enum transport transport;
	const struct tsig_key *key;
};

struct access_verdict {
	bool allowed;
	/* Where a remote's address fitted but not its key: the key it should have used, for the
	 * log. */
	const struct remote *remote_without_key;
};

struct access_verdict access_check(const struct access_list *list,
				   const struct requester *requester);

/* The requester is this remote: address in `from`, and one of its keys where it has some. */
bool remote_is(const struct remote *remote, const struct requester *requester);

#endif
