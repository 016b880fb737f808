/* SPDX-License-Identifier: Apache-2.0 */
/* port_holder.h - who holds a port that we wanted, for the sentence that says so. */
#ifndef HOST_PORT_HOLDER_H
#define HOST_PORT_HOLDER_H

#include "host/socket.h"

enum { PORT_HOLDER_TEXT_MAX = 256 };

/*
 * Writes "named (pid 612)", several with commas, or "another program" when /proc
 * does not tell us (a process of somebody else, when we are not root). Reads
 * /proc; for the moment of failure only. Returns `text`.
 */
char *port_holder_print(enum transport transport, const struct endpoint *at,
			char text[static PORT_HOLDER_TEXT_MAX]);

#endif
