/* SPDX-License-Identifier: Apache-2.0 */
/* notify.h - tells the service manager how we are: sd_notify(3), without its library. */
#ifndef HOST_NOTIFY_H
#define HOST_NOTIFY_H

/*
 * Opens the manager's socket and forgets its address, so that no child finds it.
 * Returns the descriptor; -1 when there is no manager, or it cannot be reached.
 */
int notify_open(void);

/* Sends lines such as "READY=1" or "STOPPING=1\nSTATUS=..."; nothing for -1. Never waits. */
void notify_send(int fd, const char *lines);

#endif
