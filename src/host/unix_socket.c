/* SPDX-License-Identifier: Apache-2.0 */
#include "host/unix_socket.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 64, SOCKET_MODE = 0660, FOLDER_MODE = 0750 };

/* Removes a socket that nobody listens to any more. */
static enum code stale_remove(const struct sockaddr_un *address, struct error *err)
{
	const char *path = address->sun_path;
	struct stat status;

	if (lstat(path, &status) < 0) {
		if (errno == ENOENT) return OK;
		return error_set(err, E_IO, "%s: %s", path, strerror(errno));
	}
	if (!S_ISSOCK(status.st_mode))
		return error_set(err, E_EXISTS, "%s exists and is no socket", path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) return error_set(err, E_IO, "cannot open a socket: %s", strerror(errno));
	bool is_stale = connect(fd, (const struct sockaddr *)address, sizeof *address) < 0 &&
			errno == ECONNREFUSED;
	close(fd);
	if (!is_stale)
		return error_set(err, E_EXISTS,
				 "another server answers at %s: stop it, or give this one another "
				 "server: control:",
				 path);
	if (unlink(path) < 0)
		return error_set(err, E_IO, "cannot remove the socket %s: %s", path,
				 strerror(errno));
	return OK;
}

enum code unix_socket_listen(const char *path, const struct user *user, int *out, struct error *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t len = strlen(path);
	enum code code;
	int fd = -1;

	if (len >= sizeof address.sun_path)
		return error_set(err, E_RANGE, "%s: the path of a socket has at most %zu octets",
				 path, sizeof address.sun_path - 1);
	memcpy(address.sun_path, path, len);
	if ((code = stale_remove(&address, err))) return code;

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* Closed to everybody until it has its owner. */
	mode_t before = umask(0777);
	bool bound = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
	umask(before);
	if (!bound || (user && chown(path, user->uid, user->gid) < 0) ||
	    chmod(path, SOCKET_MODE) < 0 || listen(fd, BACKLOG) < 0) {
		code = error_set(err, E_IO, "cannot listen at %s: %s", path, strerror(errno));
		if (fd >= 0) close(fd);
		return code;
	}
	*out = fd;
	return OK;
}

enum code folder_ensure(const char *path, const struct user *user, struct error *err)
{
	struct stat status;

	if (mkdir(path, FOLDER_MODE) == 0) {
		if (user && chown(path, user->uid, user->gid) < 0)
			return error_set(err, E_IO, "cannot give %s to its user: %s", path,
					 strerror(errno));
		return OK;
	}
	if (errno == ENOENT)
		return error_set(err, E_NOT_FOUND,
				 "the folder %s cannot be made: the folder above does not exist",
				 path);
	if (errno != EEXIST)
		return error_set(err, E_IO, "cannot make the folder %s: %s", path, strerror(errno));
	if (stat(path, &status) < 0 || !S_ISDIR(status.st_mode))
		return error_set(err, E_EXISTS, "%s is not a folder", path);
	return OK;
}
