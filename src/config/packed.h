/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packed.h - the form of a packed policy; pack.c writes it, unpack.c reads it.
 *
 * Integers as in wire form, texts with two octets of length (PACKED_NO_TEXT: NULL),
 * counts with four. In this order:
 *
 *   magic  audience  server  limits  path  keys  remotes  remote lists  access lists  zones
 *
 * Key and remote are named by their place, lists by theirs plus one (0: empty).
 */
#ifndef CONFIG_PACKED_H
#define CONFIG_PACKED_H

enum {
	PACKED_MAGIC = 0x4c535032, /* "LSP2" */
	PACKED_NO_TEXT = 0xffff,
	PACKED_NONE = 0x7fffffff, /* no key, no remote */
};

/* What conditions an access item has. */
enum {
	PACKED_DENY = 1,
	PACKED_ANY_ADDRESS = 2,
	PACKED_PREFIX = 4,
	PACKED_ITEM_FLAGS = 7,
};

#endif
