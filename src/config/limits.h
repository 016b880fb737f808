/* SPDX-License-Identifier: Apache-2.0 */
/* limits.h - caps of a configuration; reading_limits.def says what each bounds. */
#ifndef CONFIG_LIMITS_H
#define CONFIG_LIMITS_H

#include <stddef.h>

enum {
	CONFIG_INCLUDE_DEPTH_MAX = 8,
	CONFIG_FILES_MAX = 65535,
	CONFIG_PATH_MAX = 4095,
	CONFIG_SECRET_OCTETS_MAX = 1024,
	CONFIG_SECRET_BITS_MIN = 128, /* fewer: a warning */
	YAML_DEPTH_MAX = 16,
	YAML_NODES_MAX = 32 << 20,       /* of one text */
	YAML_OCTETS_MAX = 256 << 20,     /* likewise */
	ACL_DEPTH_MAX = 16,              /* acls within acls */
	ALLOW_ITEMS_MAX = 65536,         /* of one list, acls resolved */
	ALLOW_ITEMS_TOTAL_MAX = 1 << 24, /* of all lists together, likewise */
	CONDITION_VALUES_MAX = 256,      /* addresses or keys in one condition */
};

/* Octets of an arena for reading; enough for a million zones. */
#define CONFIG_SCRATCH_MAX ((size_t)4 << 30)

#endif
