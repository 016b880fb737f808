/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mailbox.h - what workers have to tell the keeper, on its way to the thread that may.
 *
 * Any thread posts, one takes. Bounded: what does not fit is lost, and the poster
 * knows. A NOTIFY that says what another one says already replaces it (RFC 1996 4.4).
 */
#ifndef SERVER_FRONT_MAILBOX_H
#define SERVER_FRONT_MAILBOX_H

#include "host/loop.h"
#include "server/messages.h"

#include <pthread.h>

enum { MAILBOX_NOTES_MAX = 512 };

struct note {
	enum { NOTE_NOTIFY, NOTE_TRANSFER_SENT } kind;
	union {
		struct message_notify notify;
		struct message_transfer_sent sent;
	};
};

struct mailbox {
	pthread_mutex_t mutex;
	struct wakeup wakeup; /* rings whenever something was posted, or lost */
	size_t first, count;
	struct note notes[MAILBOX_NOTES_MAX];
};

/* `rung` is called in the loop's thread. E_IO leaves nothing to be closed. */
must_use enum code mailbox_open(struct mailbox *mailbox, struct loop *loop,
				void (*rung)(void *context), void *context, struct error *err);
void mailbox_close(struct mailbox *mailbox, struct loop *loop);

/* False: it was lost. */
bool mailbox_post(struct mailbox *mailbox, const struct note *note);

/* The oldest note; false when there is none. */
bool mailbox_take(struct mailbox *mailbox, struct note *note);

#endif
