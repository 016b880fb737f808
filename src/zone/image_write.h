/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image_write.h - how an image is written: node by node, in canonical order.
 *
 * Whoever makes an image (from records, from a change, from layers to be merged) calls
 *
 *   image_write_begin
 *     image_write_node or image_write_tombstone, or image_write_copy for all of a node
 *       image_write_rrset or image_write_rrset_copy
 *         image_write_rdata
 *   image_write_finish
 *
 * and says nothing of failures until the end: what goes wrong on the way is kept, nothing
 * is written after it, and image_write_finish tells.
 */
#ifndef ZONE_IMAGE_WRITE_H
#define ZONE_IMAGE_WRITE_H

#include "zone/image.h"

/* Of the version that the image completes: what view_serial and the others tell. */
struct image_facts {
	uint32_t serial;
	uint64_t record_count;
	struct zone_digest digest;
	uint64_t over; /* image_version of the layer that it is made over; 0: it is a base */
};

/* Everything in it is the writer's own. */
struct image_writer {
	struct writer *out;
	struct name apex;
	uint64_t seed;
	enum code code;     /* the first thing that went wrong */
	size_t start;       /* of the image in `out` */
	size_t node, rrset; /* those at hand; 0: none */
	size_t rrset_data;
	uint32_t rdata_count;
	uint32_t node_count;
	uint32_t chain_counts[2];
	uint64_t plain_octets; /* of all nodes, had none shared anything */
	size_t node_saved;     /* what the one at hand shared */
	size_t shared;         /* table of RRsets, at the end of the room in `out` */
	uint32_t shared_sets;  /* 0: there is none */
	uint32_t ancestors[LABEL_COUNT_MAX + 1]; /* places of the last nodes at each depth */
};

/*
 * Begins an image in `out`, behind what stands there; `out` need not be aligned, but the
 * readers' copy begins at a multiple of 64 octets, or is slow. `seed` keys the hash of
 * names, is the same in all layers of a zone and nobody else's to know. `out` and `apex`
 * are borrowed until the end; the room that is left in `out` is scratch until then.
 */
void image_write_begin(struct image_writer *iw, struct name apex, uint64_t seed,
		       const struct image_facts *facts, struct writer *out);

/*
 * The node of `owner`, which is copied; first the apex, then each behind the one before.
 * That it is the apex, a cut or has DNAME follows from its RRsets, and that its wildcard
 * exists from a node "*.owner" in the same image; `has_wildcard_child` says it where that
 * one stands in a lower layer.
 */
void image_write_node(struct image_writer *iw, struct name owner, bool has_wildcard_child);

/* The name is no more. */
void image_write_tombstone(struct image_writer *iw, struct name owner,
			   const struct node_links *links);

/* For a live node that has lost its place in a chain; before its first RRset. */
void image_write_links(struct image_writer *iw, const struct node_links *links);

/* An RRset of the node at hand, types ascending but for SOA, which is first. RRSIGs make
 * one RRset for each type covered. At least one image_write_rdata follows. */
void image_write_rrset(struct image_writer *iw, uint16_t type, uint32_t ttl);

/* Records in canonical order, checked by rdata_check. */
void image_write_rdata(struct image_writer *iw, struct span rdata);

/* An RRset as it stands in another image. */
void image_write_rrset_copy(struct image_writer *iw, const struct rrset *rrset);

/* A node as it stands in another image of this zone, with all that is in it. */
void image_write_copy(struct image_writer *iw, const struct node *node);

/*
 * Completes the image: it ends where `out` ends then.
 *
 * E_LIMIT    larger than 16 GiB or than the room in `out`, or an RRset of more than 65,535
 *            records.
 * E_DAMAGED  what was copied from another image contradicted itself.
 * After an error what stands in `out` behind its former length is to be thrown away.
 */
enum code image_write_finish(struct image_writer *iw, struct error *err) must_use;

/* What an image may need at most, counted beforehand; zeroed, it is that of no node. */
struct image_room {
	uint64_t nodes, octets, links; /* the last: those of chains */
};

void image_room_node(struct image_room *room, struct name owner, const struct node_links *links);

/* An RRset of the node that was counted last; `data_octets` of RDATA in all its records. */
void image_room_rrset(struct image_room *room, uint16_t type, size_t record_count,
		      size_t data_octets);

/* Every node of another image. */
void image_room_image(struct image_room *room, const struct image *image);

/* Octets; 0 when they may be more than 16 GiB. */
size_t image_room_octets(const struct image_room *room, struct name apex);

#endif
