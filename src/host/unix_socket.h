/* SPDX-License-Identifier: Apache-2.0 */
/* unix_socket.h - a socket in the file system, for clients on this machine. */
#ifndef HOST_UNIX_SOCKET_H
#define HOST_UNIX_SOCKET_H

#include "base/error.h"
#include "host/machine.h"

/*
 * Listens at `path` with mode 0660, owned by `user` (NULL: as we are). A socket that
 * is left there and that nobody answers is removed first.
 *
 * E_EXISTS somebody answers there, or it is no socket. E_IO says why not.
 */
must_use enum code unix_socket_listen(const char *path, const struct user *user, int *fd,
				      struct error *err);

/*
 * Makes the last folder of a path, mode 0750 and owned by `user`, unless it exists.
 * E_NOT_FOUND: its parent does not. A folder that exists is left as it is.
 */
must_use enum code folder_ensure(const char *path, const struct user *user, struct error *err);

#endif
