/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image.h - the only way out: an immutable version of a zone that answers, or a layer
 * of one; view.h reads them.
 *
 * Position-independent octets: offsets only, so the same bytes lie in a file, a
 * memory segment or an arena. Never the only copy; compiled from the truth. Every
 * offset read from it is checked against its length, so a damaged image gives
 * E_DAMAGED or IMAGE_DAMAGED and never a wrong access. It depends on zone data only.
 *
 * Lookup is by keyed hash of the lower-cased name; nodes lie in canonical order, so
 * iteration is AXFR and NSEC order. A node holds only what comes from its own name's
 * records, and three facts: it exists, has a wildcard child, is a cut.
 */
#ifndef ZONE_IMAGE_H
#define ZONE_IMAGE_H

#include "zone/digest.h"
#include "zone/records.h"

enum { IMAGE_FORMAT = 2 };

/* All fields but the first are the reader's own. */
struct image {
	struct span bytes; /* borrowed from whoever mapped it */
	uint64_t seed;
	uint32_t nodes_at;
	uint32_t nodes_end;
	uint32_t buckets_at;
	uint32_t bucket_count;
	uint8_t apex_len;
};

/* What an image says of itself. The apex borrows from it; the rest is that of the version
 * which it completes. */
struct name image_apex(const struct image *image);
uint32_t image_serial(const struct image *image);
uint64_t image_record_count(const struct image *image);
uint32_t image_node_count(const struct image *image);
void image_digest(const struct image *image, struct zone_digest *out);

/* A number for the version that it completes; and the one of the version that it was made
 * over, 0 for a base. */
uint64_t image_version(const struct image *image);
uint64_t image_over(const struct image *image);

/*
 * Octets that image_build writes at most for the sorted, checked set. 0 when they could
 * be more than 16 GiB, or when the set is no zone of that apex.
 */
size_t image_size(const struct records *set, struct name apex);

/*
 * Appends the image of a whole zone to `out` (image_write.h). The same set and seed give
 * the same octets.
 *
 * E_LIMIT     as image_write_finish.
 * E_CONFLICT  the set is no zone, or an RRset has several TTLs: it was not checked.
 * After an error what stands in `out` is to be thrown away.
 */
enum code image_build(const struct records *set, struct name apex, uint64_t seed,
		      const struct zone_digest *digest, struct writer *out, struct error *err);

/*
 * Checks magic, format, lengths and the header's own checksum, not the whole body.
 * E_DAMAGED says which of them is wrong; E_UNSUPPORTED is another format: in both cases
 * the image is to be compiled anew. What is found in it borrows from `bytes`.
 */
enum code image_open(struct span bytes, struct image *out, struct error *err);

/* E_DAMAGED when the checksum over everything is wrong; for the background and for tests. */
enum code image_verify(const struct image *image, struct error *err);

/* A node that was told is whole: all its RRsets lie in its image. */
struct node {
	const uint8_t *octets; /* where it stands in its image; NULL: no node */
	struct name owner;     /* in the case it was written */
	bool is_empty;         /* it has no RRset: an empty non-terminal, or a tombstone */
	bool is_apex;
	bool is_cut; /* NS here and not the apex */
	bool has_dname;
	bool has_wildcard_child; /* "*." below this name exists */
	bool is_tombstone;       /* the name is no more; for layers only */
	bool has_links;
	bool is_lower; /* its owner has no letter in upper case */
	/* further fields are the reader's own */
	uint32_t at;
	struct span rrsets;
};

/*
 * For a name that is in no chain of NSEC or NSEC3 (RFC 4034 4, RFC 5155 3) and was in a
 * lower layer: the nearest owners before it that are. Length 0: there is none.
 */
struct node_links {
	struct name nsec, nsec3; /* borrowed from the image */
};

/* False when the node has none, and `out` says so. */
bool node_links(const struct node *node, struct node_links *out);

/*
 * Compressible names stand in a row in each record's data, the first at `name_at`:
 * two in SOA and MINFO, one in the other types of RFC 1035 that have one.
 */
struct rrset {
	uint16_t type;
	uint16_t covered; /* RRSIG: the type that all of its records cover; else 0 */
	uint16_t count;
	uint8_t name_at;
	uint8_t name_count;
	uint32_t ttl;
	struct span data; /* u16 length and data of each record, as in a message; rrset_next
			   * walks it */
	/* further fields are the reader's own */
	const uint8_t *plan; /* NULL: there is none */
	bool has_hashes;
};

struct rrset_cursor {
	struct rrset rrset;
	size_t at;
};

/* The RRset of one type (of RRSIG the first one); false when the node has none. */
bool node_rrset(const struct node *node, uint16_t type, struct rrset *out);

/* The RRSIGs that cover one type; false when the node has none. */
bool node_signatures(const struct node *node, uint16_t covered, struct rrset *out);

/*
 * RRsets of a node in canonical order (SOA first at the apex), RRSIGs as one set for
 * each type covered. A zeroed cursor starts. False at the end.
 */
bool node_next_rrset(const struct node *node, struct rrset_cursor *cursor);

/*
 * The data of the RRset's next record; `at` starts at 0. Its compressible names are
 * whole names; the rest of the data is what stands in the image. False at the end,
 * when `at` is data.len, and at damage, when it is less: then `count` was no promise.
 */
bool rrset_next(const struct rrset *rrset, size_t *at, struct span *rdata);

/*
 * How a name in the data of an RRset goes out in an answer whose question ends with the
 * RRset's owner (with what follows "*." in it, for a wildcard's), so that the owner is a
 * pointer, or the root.
 */
struct rrset_target {
	uint8_t kept;     /* octets that are written before a pointer; all of the name if none */
	uint16_t pointer; /* 0: none; 1 to 255: so many octets before the end of the question's
			   * name; 256 + n: n octets behind the first octet of the RRset, each
			   * owner counted as a pointer's two octets, the root as one */
	bool is_local;    /* it lies at or below the apex */
	uint64_t hash;    /* of a local name; the same in all layers */
};

/*
 * Of the `index`-th compressible name in the RRset, in the order of its records. False when
 * nothing was worked out (there are many names): they are compressed by whoever writes them.
 * It is the writer's word: in a damaged image `kept` may be more than the name has.
 */
bool rrset_target(const struct rrset *rrset, unsigned index, struct rrset_target *out);

#endif
