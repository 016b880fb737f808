/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/policy.h"

static bool remote_has_address(const struct remote *remote, const struct address *address)
{
	if (remote->from_any) return true;
	for (size_t i = 0; i < remote->from_count; i++) {
		if (prefix_contains(&remote->from[i], address)) return true;
	}
	return false;
}

/* By content: while one policy follows another, each has its own copy of the same key. */
static bool key_is(const struct tsig_key *a, const struct tsig_key *b)
{
	if (a == b) return true;
	return a && b && a->algorithm == b->algorithm && name_equal(a->name, b->name) &&
	       span_equal(a->secret, b->secret);
}

static bool remote_has_key(const struct remote *remote, const struct tsig_key *key)
{
	for (size_t i = 0; i < remote->key_count; i++) {
		if (key_is(remote->keys[i], key)) return true;
	}
	return false;
}

bool remote_is(const struct remote *remote, const struct requester *requester)
{
	if (!remote_has_address(remote, &requester->address)) return false;
	return remote->key_count == 0 || remote_has_key(remote, requester->key);
}

/* Every condition but the remote's holds. An item without any condition fits nobody. */
static bool item_fits_otherwise(const struct access_item *item, const struct requester *requester)
{
	if (!item->any_address && !item->prefix && !item->remote && !item->key && !item->transports)
		return false;
	if (item->prefix && !prefix_contains(item->prefix, &requester->address)) return false;
	if (item->key && !key_is(item->key, requester->key)) return false;
	return !item->transports || (item->transports >> requester->transport & 1);
}

struct access_verdict access_check(const struct access_list *list,
				   const struct requester *requester)
{
	struct access_verdict verdict = {0};

	for (size_t i = 0; i < list->count; i++) {
		const struct access_item *item = &list->items[i];
		if (!item_fits_otherwise(item, requester)) continue;
		if (item->remote && !remote_is(item->remote, requester)) {
			if (!item->deny && !verdict.remote_without_key &&
			    remote_has_address(item->remote, &requester->address))
				verdict.remote_without_key = item->remote;
			continue;
		}
		if (item->deny) return verdict;
		return (struct access_verdict){.allowed = true};
	}
	return verdict;
}
