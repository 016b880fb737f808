/* SPDX-License-Identifier: Apache-2.0 */
#include "server/keeper/segments.h"

#include "host/memfd.h"

#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

struct retired_image {
	struct image_place place;
	uint64_t generation;
};

void segments_init(struct segments *segments)
{
	*segments = (struct segments){0};
}

static void segment_close(struct segment *segment)
{
	if (!segment) return;
	if (segment->is_pack) {
		pack_close(&segment->pack);
		free(segment);
		return;
	}
	if (segment->map.ptr) memfd_unmap(segment->map);
	if (segment->reader_fd >= 0) close(segment->reader_fd);
	if (segment->fd >= 0) close(segment->fd);
	free(segment);
}

void segments_clear(struct segments *segments)
{
	while (segments->list) {
		struct segment *next = segments->list->next;
		segment_close(segments->list);
		segments->list = next;
	}
	free(segments->retired);
	segments_init(segments);
}

struct segment *segments_find(const struct segments *segments, uint32_t id)
{
	struct segment *segment = segments->list;

	while (segment && segment->id != id) segment = segment->next;
	return segment;
}

static void segment_link(struct segments *segments, struct segment *segment)
{
	segment->id = ++segments->last_id;
	segment->next = segments->list;
	segments->list = segment;
}

enum code segments_add_pack(struct segments *segments, struct pack *pack, uint64_t number,
			    struct segment **out, struct error *err)
{
	struct segment *segment = calloc(1, sizeof *segment);

	if (!segment) return error_set(err, E_NOMEM, "no memory for a pack of images");
	*segment = (struct segment){.fd = -1,
				    .reader_fd = old_file_fd(pack->file),
				    .map = pack->map,
				    .used = pack->map.len,
				    .is_pack = true,
				    .number = number,
				    .pack = *pack};
	*pack = (struct pack){0};
	segment_link(segments, segment);
	*out = segment;
	return OK;
}

bool image_place_equal(const struct image_place *a, const struct image_place *b)
{
	return a->segment == b->segment && a->offset == b->offset && a->len == b->len;
}

bool image_places_equal(const struct image_places *a, const struct image_places *b)
{
	for (unsigned i = 0; i < a->count && a->count == b->count; i++)
		if (!image_place_equal(&a->list[i], &b->list[i])) return false;
	return a->count == b->count;
}

bool image_places_have(const struct image_places *places, const struct image_place *place)
{
	for (unsigned i = 0; i < places->count; i++)
		if (image_place_equal(&places->list[i], place)) return true;
	return false;
}

uint64_t image_places_octets(const struct image_places *places)
{
	uint64_t octets = 0;

	for (unsigned i = 0; i < places->count; i++) octets += places->list[i].len;
	return octets;
}

const struct image_place *image_places_in(const struct image_places *places, uint32_t segment)
{
	for (unsigned i = 0; i < places->count; i++)
		if (places->list[i].segment == segment) return &places->list[i];
	return NULL;
}

static enum code segment_new(struct segments *segments, size_t len, struct segment **out,
			     struct error *err)
{
	struct segment *segment = calloc(1, sizeof *segment);
	enum code code = E_NOMEM;

	if (!segment) return error_set(err, code, "no memory for a segment of images");
	segment->fd = segment->reader_fd = -1;
	if ((code = memfd_open("lockstep-images", len, &segment->fd, err))) goto out;
	if ((code = memfd_reader(segment->fd, &segment->reader_fd, err))) goto out;
	if ((code = memfd_map(segment->reader_fd, len, &segment->map, err))) goto out;
	segment_link(segments, segment);
	*out = segment;
	segment = NULL;
out:
	segment_close(segment);
	return code;
}

enum code segments_place(struct segments *segments, struct span image, struct image_place *place,
			 struct error *err)
{
	size_t room = (image.len + PACK_ALIGNMENT - 1) / PACK_ALIGNMENT * PACK_ALIGNMENT;
	struct segment *segment = segments->filling;
	enum code code;

	if (!segment || room > segment->map.len - segment->used) {
		code = segment_new(segments, room > SEGMENT_OCTETS ? room : SEGMENT_OCTETS,
				   &segment, err);
		if (code) return code;
		segments->filling = segment;
	}
	if ((code = memfd_write(segment->fd, segment->used, image, err))) return code;
	*place = (struct image_place){segment->id, segment->used, image.len};
	segment->used += room;
	segment->live += image.len;
	return OK;
}

void segments_forget_sent(struct segments *segments)
{
	for (struct segment *segment = segments->list; segment; segment = segment->next)
		segment->sent = false;
}

struct span segments_bytes(const struct segments *segments, const struct image_place *place)
{
	const struct segment *segment = segments_find(segments, place->segment);

	assert(segment && place->offset + place->len <= segment->map.len);
	return span_of(segment->map.ptr + place->offset, place->len);
}

void segments_retire(struct segments *segments, const struct image_place *place,
		     uint64_t generation)
{
	if (place->len == 0) return;
	if (segments->retired_count == segments->retired_capacity) {
		size_t capacity = segments->retired_capacity ? 2 * segments->retired_capacity : 64;
		struct retired_image *grown = realloc(segments->retired, capacity * sizeof *grown);
		if (!grown) return; /* its octets stay counted as live: nothing worse */
		segments->retired = grown;
		segments->retired_capacity = capacity;
	}
	segments->retired[segments->retired_count++] = (struct retired_image){*place, generation};
}

void segments_hold(struct segments *segments, const struct image_place *place)
{
	segments_find(segments, place->segment)->live += place->len;
}

void segments_let_go(struct segments *segments, const struct image_place *place)
{
	segments_find(segments, place->segment)->live -= place->len;
}

void segments_hold_all(struct segments *segments, const struct image_places *places)
{
	for (unsigned i = 0; i < places->count; i++) segments_hold(segments, &places->list[i]);
}

void segments_let_go_all(struct segments *segments, const struct image_places *places)
{
	for (unsigned i = 0; i < places->count; i++) segments_let_go(segments, &places->list[i]);
}

enum code segments_view(const struct segments *segments, const struct image_places *places,
			struct view *view, struct error *err)
{
	struct span layers[VIEW_LAYERS_MAX];

	for (unsigned i = 0; i < places->count; i++)
		layers[i] = segments_bytes(segments, &places->list[i]);
	return view_open(layers, places->count, view, err);
}

/* Nothing in it is read, and nothing will be. */
static bool has_ended(const struct segments *segments, const struct segment *segment)
{
	if (segment->live) return false;
	if (segment != segments->filling || segment->used > SEGMENT_IDLE_OCTETS) return true;
	return segment->used == segment->map.len;
}

void segments_release(struct segments *segments, uint64_t generation,
		      void (*drop)(void *context, const struct segment *segment), void *context)
{
	size_t kept = 0;

	for (size_t i = 0; i < segments->retired_count; i++) {
		const struct retired_image *image = &segments->retired[i];
		struct segment *segment = segments_find(segments, image->place.segment);
		if (image->generation > generation)
			segments->retired[kept++] = *image;
		else if (segment)
			segment->live -= image->place.len;
	}
	segments->retired_count = kept;

	struct segment **link = &segments->list;
	while (*link) {
		struct segment *segment = *link;
		if (!has_ended(segments, segment)) {
			link = &segment->next;
			continue;
		}
		*link = segment->next;
		if (segments->filling == segment) segments->filling = NULL;
		drop(context, segment);
		segment_close(segment);
	}
}

struct segments_sum segments_sum(const struct segments *segments, bool packs)
{
	struct segments_sum sum = {0};

	for (const struct segment *segment = segments->list; segment; segment = segment->next) {
		if (segment->is_pack != packs) continue;
		sum.count++;
		sum.octets += segment->used;
		sum.live += segment->live;
	}
	return sum;
}
