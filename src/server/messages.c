/* SPDX-License-Identifier: Apache-2.0 */
#include "server/messages.h"
#include "server/channel.h"

#include <assert.h>

/* The words of the table's columns. */
#define FD              true
#define NO_FD           false
#define ROLE(name)      ROLE_##name
#define ROLE_SUPERVISOR (1U << PROCESS_SUPERVISOR)
#define ROLE_KEEPER     (1U << PROCESS_KEEPER)
#define ROLE_COURIER    (1U << PROCESS_COURIER)
#define ROLE_FRONT      (1U << PROCESS_FRONT)
#define ROLE_ANY        (ROLE_KEEPER | ROLE_COURIER | ROLE_FRONT)

static const struct message_rule rules[MESSAGE_KIND_COUNT] = {
#define MESSAGE(kind, type, tail_max, descriptor, from, to)                                        \
	[MESSAGE_##kind] = {#kind,      sizeof(struct type), sizeof(struct type) + (tail_max),     \
			    descriptor, ROLE(from),          ROLE(to)},
#include "server/messages.def"
#undef MESSAGE
};

#define MESSAGE(kind, type, tail_max, descriptor, from, to)                                        \
	static_assert(sizeof(struct type) + (tail_max) <= MESSAGE_LEN_MAX,                         \
		      #kind " is longer than a message may be");
#include "server/messages.def"
#undef MESSAGE

const struct message_table message_table = {rules, MESSAGE_KIND_COUNT};

const char *process_role_name(enum process_role role)
{
	static const char *const names[PROCESS_COUNT] = {
		[PROCESS_SUPERVISOR] = "supervisor",
		[PROCESS_KEEPER] = "keeper",
		[PROCESS_COURIER] = "courier",
		[PROCESS_FRONT] = "front",
	};
	assert(role < PROCESS_COUNT);
	return names[role];
}
