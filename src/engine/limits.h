/* SPDX-License-Identifier: Apache-2.0 */
/* limits.h - caps of the machines that no setting moves; limits.def says what each bounds. */
#ifndef ENGINE_LIMITS_H
#define ENGINE_LIMITS_H

enum {
	/* answer */
	ALIAS_STEPS_MAX = 8,
	ADDITIONAL_TARGETS_MAX = 13,
	UDP_OCTETS_MAX = 1232,

	/* transfers out */
	TRANSFER_MESSAGE_OCTETS = 16384,

	/* stream */
	STREAM_UNSENT_MAX = 65536,
	STREAM_PENDING_MAX = 100,
	STREAM_PACE_OCTETS = 10240, /* in STREAM_PACE_S, while some are unsent */
	STREAM_PACE_S = 10,
};

#endif
