/* SPDX-License-Identifier: Apache-2.0 */
/* transport.h - how a message came, as a value. */
#ifndef BASE_TRANSPORT_H
#define BASE_TRANSPORT_H

enum transport {
	TRANSPORT_UDP,
	TRANSPORT_TCP,
	TRANSPORT_COUNT,
};

#endif
