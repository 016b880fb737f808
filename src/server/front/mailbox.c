/* SPDX-License-Identifier: Apache-2.0 */
#include "server/front/mailbox.h"

#include <assert.h>

enum code mailbox_open(struct mailbox *mailbox, struct loop *loop, void (*rung)(void *context),
		       void *context, struct error *err)
{
	*mailbox = (struct mailbox){.mutex = PTHREAD_MUTEX_INITIALIZER};
	mailbox->wakeup.rung = rung;
	mailbox->wakeup.context = context;
	return wakeup_open(loop, &mailbox->wakeup, err);
}

void mailbox_close(struct mailbox *mailbox, struct loop *loop)
{
	wakeup_close(loop, &mailbox->wakeup);
	pthread_mutex_destroy(&mailbox->mutex);
}

static bool is_same_news(const struct note *a, const struct note *b)
{
	return a->kind == NOTE_NOTIFY && b->kind == NOTE_NOTIFY &&
	       a->notify.primary == b->notify.primary &&
	       name_equal(name_of(&a->notify.zone), name_of(&b->notify.zone));
}

static struct note *note_place(struct mailbox *mailbox, const struct note *note)
{
	for (size_t i = 0; i < mailbox->count; i++) {
		size_t at = (mailbox->first + i) % MAILBOX_NOTES_MAX;
		if (is_same_news(&mailbox->notes[at], note)) return &mailbox->notes[at];
	}
	if (mailbox->count == MAILBOX_NOTES_MAX) return NULL;
	return &mailbox->notes[(mailbox->first + mailbox->count++) % MAILBOX_NOTES_MAX];
}

bool mailbox_post(struct mailbox *mailbox, const struct note *note)
{
	pthread_mutex_lock(&mailbox->mutex);
	struct note *place = note_place(mailbox, note);
	if (place) *place = *note;
	pthread_mutex_unlock(&mailbox->mutex);
	wakeup_ring(&mailbox->wakeup);
	return place != NULL;
}

bool mailbox_take(struct mailbox *mailbox, struct note *note)
{
	pthread_mutex_lock(&mailbox->mutex);
	bool found = mailbox->count > 0;
	if (found) {
		*note = mailbox->notes[mailbox->first];
		mailbox->first = (mailbox->first + 1) % MAILBOX_NOTES_MAX;
		mailbox->count--;
	}
	pthread_mutex_unlock(&mailbox->mutex);
	return found;
}
