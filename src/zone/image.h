/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image.h - the only way out: an immutable version of a zone that answers.
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

enum { IMAGE_FORMAT = 1, RRSET_NAMES_MAX = RDATA_NAME_COUNT_MAX };

struct image {
	struct span bytes; /* borrowed from whoever mapped it */
	struct name apex;
	uint32_t serial;
	uint64_t record_count;
	uint32_t node_count;
	struct zone_digest digest;
	/* further fields are the reader's own */
	uint64_t seed;
	uint32_t bucket_count;
	uint32_t buckets_at;
	uint32_t nodes_at;
	uint32_t nodes_end;
};

/* Octets that image_build needs for the sorted, checked set; 0 when it is too large. */
size_t image_size(const struct records *set, struct name apex);

/* Writes the image (image_size octets at `out`). `seed` keys the name hash. */
enum code image_build(const struct records *set, struct name apex, uint64_t seed,
		      const struct zone_digest *digest, struct arena *scratch, struct writer *out,
		      struct error *err);

/* Checks magic, format, lengths and the header's own checksum, not the whole body. */
enum code image_open(struct span bytes, struct image *out, struct error *err);

/* Checks the checksum over everything; for the background and for tests. */
enum code image_verify(const struct image *image, struct error *err);

struct node {
	uint32_t at;       /* offset of the node in the image; 0: no node */
	struct name owner; /* in the case it was written */
	uint16_t rrset_count;
	bool is_apex;
	bool is_cut;             /* NS here and not the apex */
	bool has_wildcard_child; /* "*." below this name exists */
	struct span rrsets;      /* the reader's own */
};

struct rrset {
	uint16_t type;
	uint16_t count;
	uint32_t ttl;
	struct span data; /* the reader's own; rrset_next walks it */
};

struct rrset_cursor {
	struct rrset rrset;
	size_t at;
	uint16_t index;
};

/* What a name means in a zone (RFC 1034 4.3.2 step 3, RFC 4592). */
enum image_result {
	IMAGE_EXACT,    /* `node` is the name itself (it may be an empty non-terminal) */
	IMAGE_CUT,      /* `node` is the highest zone cut at or above the name */
	IMAGE_DNAME,    /* `node` is an ancestor with DNAME that redirects the name */
	IMAGE_WILDCARD, /* `node` is "*." below `encloser`, the source of synthesis */
	IMAGE_NOTHING,  /* the name does not exist; `encloser` is its closest encloser */
	IMAGE_OUTSIDE,  /* the name is not below the apex */
	IMAGE_DAMAGED,
};

struct image_lookup {
	enum image_result result;
	struct node node;
	struct node encloser; /* for WILDCARD and NOTHING */
};

/*
 * Finds `name`. A cut above or at the name wins over everything below it
 * (occlusion), and is found at the name itself too: whoever wants DS there, or what
 * lies below, uses image_find_exact.
 */
void image_find(const struct image *image, struct name name, struct image_lookup *out);

/* The node of exactly this name, occluded or not; false when there is none. */
bool image_find_exact(const struct image *image, struct name name, struct node *out);

/* Nodes in canonical order: the apex first. False at the end. Node.at == 0 starts. */
bool image_next(const struct image *image, struct node *node);

/* The RRset of one type; false when the node has none. */
bool node_rrset(const struct node *node, uint16_t type, struct rrset *out);

/* RRsets of a node in the image's order (SOA first at the apex). index 0 starts. */
bool node_next_rrset(const struct node *node, struct rrset_cursor *cursor);

/* The data of the RRset's next record; `at` starts at 0. False at the end. */
bool rrset_next(const struct rrset *rrset, size_t *at, struct span *rdata);

/* All records back into a set, in canonical order, borrowed from the image's octets where
 * possible, else copied into the set's arena. */
enum code image_records(const struct image *image, struct records *out, struct error *err);

#endif
