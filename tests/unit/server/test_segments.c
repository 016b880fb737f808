/* SPDX-License-Identifier: Apache-2.0 */
/* Where images lie: octets live as long as somebody may read them. */
#include "unit.h"

#include "server/keeper/segments.h"

static uint8_t octets[64];
static const struct span image = {octets, sizeof octets};

struct drops {
	uint32_t id;
	size_t count;
};

static void drop(void *context, const struct segment *segment)
{
	struct drops *drops = context;

	drops->id = segment->id;
	drops->count += segment->sent;
}

/* An image that fills a segment of its own, so that the next one lies elsewhere. */
static struct image_place place_large(struct segments *segments)
{
	static uint8_t large[SEGMENT_OCTETS];
	struct image_place place;

	assert_int_equal(segments_place(segments, span_of(large, sizeof large), &place, NULL), OK);
	return place;
}

static struct image_place place_small(struct segments *segments)
{
	struct image_place place;

	assert_int_equal(segments_place(segments, image, &place, NULL), OK);
	return place;
}

TEST(a_segment_goes_when_nothing_in_it_is_read_any_more)
{
	struct segments segments;
	struct drops drops = {0};

	segments_init(&segments);
	struct image_place large = place_large(&segments), small = place_small(&segments);
	CHECK(large.segment != small.segment);
	segments_find(&segments, large.segment)->sent = true;
	segments_retire(&segments, &large, 5);
	segments_release(&segments, 4, drop, &drops);
	CHECK(drops.count == 0 && segments_find(&segments, large.segment));
	segments_hold(&segments, &large); /* an export reads it */
	segments_release(&segments, 5, drop, &drops);
	CHECK(drops.count == 0 && segments_find(&segments, large.segment));
	segments_let_go(&segments, &large);
	segments_release(&segments, 5, drop, &drops);
	CHECK(drops.count == 1 && drops.id == large.segment);
	CHECK(!segments_find(&segments, large.segment));
	CHECK(segments_bytes(&segments, &small).len == sizeof octets);
	segments_clear(&segments);
}

/* A front that is told to drop what it was never sent takes the keeper for broken. */
TEST(a_front_is_not_told_to_drop_what_it_does_not_have)
{
	struct segments segments;
	struct drops drops = {0};

	segments_init(&segments);
	struct image_place large = place_large(&segments);
	place_small(&segments);
	segments_find(&segments, large.segment)->sent = true;
	segments_forget_sent(&segments); /* another front is there */
	segments_retire(&segments, &large, 5);
	segments_release(&segments, 5, drop, &drops);
	CHECK(drops.count == 0 && !segments_find(&segments, large.segment));
	segments_clear(&segments);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_segment_goes_when_nothing_in_it_is_read_any_more),
		cmocka_unit_test(a_front_is_not_told_to_drop_what_it_does_not_have),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
