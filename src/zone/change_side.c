/* SPDX-License-Identifier: Apache-2.0 */
#include "zone/change_side.h"

#include <inttypes.h>

enum code change_conflict(const struct record *record, const char *what, struct error *err)
{
	char owner[NAME_TEXT_MAX], type[RRTYPE_TEXT_MAX];

	return error_set(err, E_CONFLICT, "%s: %s %" PRIu32 " %s", what,
			 name_to_text(record->owner, owner), record->ttl,
			 rrtype_to_text(record->type, type));
}

enum code change_side_next(struct change_side *side, struct error *err)
{
	struct record last = side->record;
	bool has_last = side->wire != NULL;
	size_t at = side->reader.at;

	side->wire = NULL;
	if (reader_done(&side->reader) != (side->left == 0))
		return error_set(err, E_SYNTAX,
				 "the change does not hold as many records %s as it says",
				 side->what);
	if (side->left == 0) return OK;
	side->left--;
	if (!record_read(&side->reader, &side->record) ||
	    rdata_check(side->record.type, side->record.rdata, NULL))
		return error_set(err, E_SYNTAX, "octets %zu and on of the records %s are no record",
				 at, side->what);
	side->wire = side->reader.ptr + at;
	if (has_last && record_compare(&last, &side->record) >= 0)
		return change_conflict(&side->record, "the change is not in canonical order", err);
	return OK;
}

static enum code side_open(struct change_side *side, struct span octets, uint64_t count,
			   const char *what, struct error *err)
{
	*side = (struct change_side){.reader = reader_of(octets), .left = count, .what = what};
	return change_side_next(side, err);
}

enum code change_sides_open(const struct change *change, struct change_side *removed,
			    struct change_side *added, struct error *err)
{
	enum code code = side_open(removed, change->removed, change->removed_count, "removed", err);

	return code ? code : side_open(added, change->added, change->added_count, "added", err);
}

int change_sides_order(const struct change_side *removed, const struct change_side *added)
{
	if (!removed->wire) return 1;
	return added->wire ? record_compare(&removed->record, &added->record) : -1;
}
