/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packs.h - images in files, so that a start needs not build them.
 *
 * A pack holds images of many zones, or of a huge one, and a table: whose image it is,
 * of which version, where it lies, and its checksum. It is written under a name never
 * used before: images and table, then, when the disk has them, the footer, so that a
 * footer vouches for all that is before it. It is never written again, and never the
 * only copy: whatever is wrong with one, the images are built from the store.
 *
 * A pack is of the machine that wrote it: numbers in its octets' order.
 */
#ifndef SERVER_KEEPER_PACKS_H
#define SERVER_KEEPER_PACKS_H

#include "host/file.h"
#include "zone/digest.h"

enum {
	PACK_FORMAT = 1,
	PACK_ALIGNMENT = 64, /* of images: a cache line, as in a segment */
	PACK_NAME_MAX = 32,
};

/* An image and whose it is. */
struct pack_entry {
	struct name zone; /* in lower case */
	uint64_t seq;     /* of the version in the store */
	uint32_t serial;
	struct zone_digest digest;
	uint64_t offset, len;
	uint64_t checksum; /* of the image's octets: pack_checksum */
};

/* What is to be packed. */
struct pack_item {
	struct pack_entry entry; /* `offset`, `len` and `checksum` are filled in */
	struct span image;
};

/* "pack-0123456789abcdef": a later one has a larger number. */
char *pack_name(uint64_t number, char text[static PACK_NAME_MAX]);
/* False: no pack is called so. */
bool pack_number(const char *name, uint64_t *number);

/*
 * Writes a pack; when this returns OK it is on the disk. What failed leaves no file, as
 * far as the disk lets it be removed; it has no footer in any case.
 */
enum code pack_write(const struct folder *folder, uint64_t number, struct pack_item *items,
		     size_t count, struct error *err) must_use;

/* A pack that is mapped. Its images are as proven as the disk is good: see pack_check. */
struct pack {
	struct old_file *file;
	struct span map;
	struct span table;
};

/*
 * Opens a pack and proves its table, not the images. E_DAMAGED: it is not whole.
 * E_UNSUPPORTED: it is of another format, or of another kind of machine.
 */
enum code pack_open(const struct folder *folder, uint64_t number, struct pack *out,
		    struct error *err) must_use;
void pack_close(struct pack *pack);

/* The next entry of the table; `at` starts at 0; its name borrows from the map. */
bool pack_next(const struct pack *pack, size_t *at, struct pack_entry *entry);

/*
 * Proves an image: reads it from the file, not through the map, so that a disk that
 * fails is an error. `file` is that of the pack. E_DAMAGED: another checksum.
 */
enum code pack_check(const struct old_file *file, uint64_t offset, uint64_t len, uint64_t checksum,
		     struct error *err) must_use;

/* XXH3 of the octets; of more than a MiB, of the checksums of each MiB. */
uint64_t pack_checksum(struct span octets);

#endif
