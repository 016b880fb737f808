/* SPDX-License-Identifier: Apache-2.0 */
/* serial.h - the serial that a changed zone gets (DESIGN section 4, RFC 1982). */
#ifndef ENGINE_KEEPER_SERIAL_H
#define ENGINE_KEEPER_SERIAL_H

#include "base/error.h"
#include "engine/policy.h"

/* The serial that the policy gives after `current` at this time; always newer than it. */
uint32_t serial_next(enum serial_policy policy, uint32_t current, uint64_t now_unix_s);

/*
 * The serial of a zone file whose content differs from the version `current`.
 * The larger of the policy's and the file's own when that is newer. E_REFUSED under
 * SERIAL_FILE when the file's own is not newer: the sentence names both.
 */
enum code serial_for_file(enum serial_policy policy, uint32_t current, uint32_t in_file,
			  uint64_t now_unix_s, uint32_t *out, struct error *err);

#endif
