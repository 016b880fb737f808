/* SPDX-License-Identifier: Apache-2.0 */
#include "host/file.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { FOLDER_MODE = 0750, FILE_MODE = 0640 };

struct folder {
	char *path;
	int fd;
	int lock_fd;
	file_fault *fault;
	void *fault_context;
};

struct new_file {
	const struct folder *folder;
	int fd;
	char name[FILE_NAME_MAX + 1];
};

struct old_file {
	const struct folder *folder;
	int fd;
	uint64_t len;
	void *map;
	char name[FILE_NAME_MAX + 1];
};

/* Whoever starts a server as root may forget that it becomes somebody else. */
static const char *reason(int number)
{
	static _Thread_local char denied[64];
	const char *text = strerrordesc_np(number);

	if (number == EACCES && text && geteuid() != 0) {
		snprintf(denied, sizeof denied, "%s for user id %u", text, (unsigned)geteuid());
		return denied;
	}
	return text ? text : "unknown error";
}

/* 0, or what the test that listens wants the step to fail with. */
static int fault_at(const struct folder *folder, enum file_step step, const char *name)
{
	return folder->fault ? folder->fault(folder->fault_context, step, name) : 0;
}

static enum code io_error(struct error *err, const struct folder *folder, const char *name,
			  const char *what, int number)
{
	if (number == ENOSPC || number == EDQUOT)
		return error_set(err, E_IO, "cannot %s %s/%s: %s; free some space there", what,
				 folder->path, name, reason(number));
	return error_set(err, number == ENOENT ? E_NOT_FOUND : E_IO, "cannot %s %s/%s: %s", what,
			 folder->path, name, reason(number));
}

static enum code folder_new(int fd, const char *parent, const char *name, struct folder **out,
			    struct error *err)
{
	struct folder *folder = calloc(1, sizeof *folder);

	if (!folder || asprintf(&folder->path, "%s%s%s", parent, *name ? "/" : "", name) < 0) {
		free(folder);
		close(fd);
		return error_set(err, E_NOMEM, "no memory to open folder %s", parent);
	}
	folder->fd = fd;
	folder->lock_fd = -1;
	*out = folder;
	return OK;
}

enum code folder_open(const char *path, struct folder **out, struct error *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return error_set(err, errno == ENOENT ? E_NOT_FOUND : E_IO,
				 "cannot open folder %s: %s", path, reason(errno));
	return folder_new(fd, path, "", out, err);
}

enum code folder_open_inside(const struct folder *parent, const char *name, struct folder **out,
			     struct error *err)
{
	bool made = mkdirat(parent->fd, name, FOLDER_MODE) == 0;
	enum code code;

	if (!made && errno != EEXIST) return io_error(err, parent, name, "make folder", errno);
	if (made && (code = folder_sync(parent, err))) return code;
	int fd = openat(parent->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0) return io_error(err, parent, name, "open folder", errno);
	if ((code = folder_new(fd, parent->path, name, out, err))) return code;
	folder_set_fault(*out, parent->fault, parent->fault_context);
	return OK;
}

void folder_close(struct folder *folder)
{
	if (!folder) return;
	if (folder->lock_fd >= 0) close(folder->lock_fd);
	close(folder->fd);
	free(folder->path);
	free(folder);
}

const char *folder_path(const struct folder *folder)
{
	return folder->path;
}

void folder_set_fault(struct folder *folder, file_fault *fault, void *context)
{
	folder->fault = fault;
	folder->fault_context = context;
}

/* The holder wrote its process id into the file; it only serves this sentence. */
static enum code lock_taken(struct folder *folder, int fd, struct error *err)
{
	char text[24] = "";
	ssize_t n = pread(fd, text, sizeof text - 1, 0);
	long pid = n > 0 ? strtol(text, NULL, 10) : 0;

	if (pid > 0)
		return error_set(
			err, E_BUSY,
			"folder %s is in use by process %ld; one server at a time may have it",
			folder->path, pid);
	return error_set(err, E_BUSY,
			 "folder %s is in use by another process; one server at a time may have it",
			 folder->path);
}

enum code folder_lock(struct folder *folder, const char *name, struct error *err)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	enum code code = OK;
	char pid[24];

	assert(folder->lock_fd < 0);
	int fd = openat(folder->fd, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
	if (fd < 0) return io_error(err, folder, name, "open", errno);
	if (fcntl(fd, F_OFD_SETLK, &whole)) {
		int number = errno;
		code = number == EAGAIN || number == EACCES
			       ? lock_taken(folder, fd, err)
			       : io_error(err, folder, name, "lock", number);
		close(fd);
		return code;
	}
	int len = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
	/* On a full disk the sentence for the next one lacks our id; the lock holds all the same.
	 */
	if (ftruncate(fd, 0) == 0 && pwrite(fd, pid, (size_t)len, 0) != len) errno = 0;
	folder->lock_fd = fd;
	return OK;
}

enum code folder_sync(const struct folder *folder, struct error *err)
{
	int number = fault_at(folder, FILE_STEP_FOLDER_SYNC, "");

	if (!number && fsync(folder->fd)) number = errno;
	return number ? error_set(err, E_IO, "cannot sync folder %s: %s", folder->path,
				  reason(number))
		      : OK;
}

enum code folder_list(const struct folder *folder,
		      enum code (*visit)(void *context, const char *name, struct error *err),
		      void *context, struct error *err)
{
	int fd = openat(folder->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = fd >= 0 ? fdopendir(fd) : NULL;
	enum code code = OK;
	int number;

	if (!list) {
		number = errno;
		if (fd >= 0) close(fd);
		return error_set(err, E_IO, "cannot list folder %s: %s", folder->path,
				 reason(number));
	}
	while (!code) {
		errno = 0;
		struct dirent *entry = readdir(list);
		if (!entry) break;
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			code = visit(context, entry->d_name, err);
	}
	number = errno;
	closedir(list);
	if (!code && number)
		code = error_set(err, E_IO, "cannot list folder %s: %s", folder->path,
				 reason(number));
	return code;
}

enum code folder_remove(const struct folder *folder, const char *name, struct error *err)
{
	int number = fault_at(folder, FILE_STEP_REMOVE, name);

	if (!number && unlinkat(folder->fd, name, 0)) number = errno;
	return number && number != ENOENT ? io_error(err, folder, name, "remove", number) : OK;
}

void folder_drop_cached(const struct folder *folder, const char *name)
{
	int fd = openat(folder->fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0) return;
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	close(fd);
}

enum code folder_free_space(const struct folder *folder, uint64_t *octets, struct error *err)
{
	struct statvfs space;

	if (fstatvfs(folder->fd, &space))
		return error_set(err, E_IO, "cannot ask for the free space of %s: %s", folder->path,
				 reason(errno));
	*octets = (uint64_t)space.f_bavail * space.f_frsize;
	return OK;
}

enum code new_file_create(const struct folder *folder, const char *name, struct new_file **out,
			  struct error *err)
{
	struct new_file *file = calloc(1, sizeof *file);

	if (!file) return error_set(err, E_NOMEM, "no memory to create %s", name);
	assert(strlen(name) <= FILE_NAME_MAX && !strchr(name, '/'));
	strcpy(file->name, name);
	file->folder = folder;
	int number = fault_at(folder, FILE_STEP_CREATE, name);
	if (!number) {
		file->fd = openat(folder->fd, name,
				  O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
		if (file->fd < 0) number = errno;
	}
	if (number) {
		free(file);
		if (number == EEXIST)
			return error_set(err, E_EXISTS, "%s/%s exists already", folder->path, name);
		return io_error(err, folder, name, "create", number);
	}
	*out = file;
	return OK;
}

enum code new_file_append(struct new_file *file, struct span octets, struct error *err)
{
	int number = fault_at(file->folder, FILE_STEP_WRITE, file->name);

	while (!number && octets.len > 0) {
		ssize_t n = write(file->fd, octets.ptr, octets.len);
		if (n < 0 && errno != EINTR) number = errno;
		if (n <= 0) continue;
		octets.ptr += n;
		octets.len -= (size_t)n;
	}
	return number ? io_error(err, file->folder, file->name, "write", number) : OK;
}

enum code new_file_sync(struct new_file *file, struct error *err)
{
	int number = fault_at(file->folder, FILE_STEP_SYNC, file->name);

	if (!number && fsync(file->fd)) number = errno;
	return number ? io_error(err, file->folder, file->name, "sync", number) : OK;
}

void new_file_close(struct new_file *file)
{
	if (!file) return;
	close(file->fd);
	free(file);
}

enum code old_file_open(const struct folder *folder, const char *name, struct old_file **out,
			struct error *err)
{
	struct old_file *file = calloc(1, sizeof *file);
	struct stat status;

	if (!file || strlen(name) > FILE_NAME_MAX) {
		free(file);
		return error_set(err, E_NOMEM, "no memory to open %s", name);
	}
	strcpy(file->name, name);
	file->folder = folder;
	int number = fault_at(folder, FILE_STEP_READ, name);
	file->fd =
		number ? -1
		       : openat(folder->fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (!number && (file->fd < 0 || fstat(file->fd, &status))) number = errno;
	if (!number && !S_ISREG(status.st_mode)) number = EINVAL;
	if (number) {
		if (file->fd >= 0) close(file->fd);
		free(file);
		return io_error(err, folder, name, "open", number);
	}
	file->len = (uint64_t)status.st_size;
	*out = file;
	return OK;
}

uint64_t old_file_len(const struct old_file *file)
{
	return file->len;
}

enum code old_file_read(const struct old_file *file, uint64_t offset, uint8_t *to, size_t len,
			struct error *err)
{
	int number = fault_at(file->folder, FILE_STEP_READ, file->name);

	while (!number && len > 0) {
		ssize_t n = pread(file->fd, to, len, (off_t)offset);
		if (n < 0 && errno != EINTR) number = errno;
		if (n == 0)
			return error_set(err, E_DAMAGED, "%s/%s ends at %llu, %zu octets early",
					 file->folder->path, file->name, (unsigned long long)offset,
					 len);
		if (n <= 0) continue;
		to += n;
		offset += (uint64_t)n;
		len -= (size_t)n;
	}
	return number ? io_error(err, file->folder, file->name, "read", number) : OK;
}

enum code old_file_map(struct old_file *file, struct span *octets, struct error *err)
{
	if (!file->map) {
		void *map = mmap(NULL, file->len, PROT_READ, MAP_SHARED, file->fd, 0);
		if (map == MAP_FAILED) return io_error(err, file->folder, file->name, "map", errno);
		file->map = map;
	}
	*octets = span_of(file->map, file->len);
	return OK;
}

int old_file_fd(const struct old_file *file)
{
	return file->fd;
}

enum code file_map(int fd, size_t len_min, struct span *map, struct error *err)
{
	struct stat status;

	if (fstat(fd, &status) || !S_ISREG(status.st_mode) || status.st_size <= 0 ||
	    (uint64_t)status.st_size < len_min)
		return error_set(err, E_DAMAGED, "descriptor %d is no file of %zu octets or more",
				 fd, len_min);
	void *at = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		return error_set(err, E_IO, "cannot map %lld octets of a file: %s",
				 (long long)status.st_size, reason(errno));
	*map = span_of(at, (size_t)status.st_size);
	return OK;
}

void file_unmap(struct span map)
{
	if (map.len) munmap((void *)(uintptr_t)map.ptr, map.len);
}

void old_file_close(struct old_file *file)
{
	if (!file) return;
	if (file->map) munmap(file->map, file->len);
	close(file->fd);
	free(file);
}

bool file_identity_equal(const struct file_identity *a, const struct file_identity *b)
{
	return a->len == b->len && a->inode == b->inode && a->modified_ns == b->modified_ns &&
	       a->changed_ns == b->changed_ns;
}

static int64_t ns_of(struct timespec time)
{
	return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static enum code identity_of(const char *path, const struct stat *status, struct file_identity *out,
			     struct error *err)
{
	if (!S_ISREG(status->st_mode))
		return error_set(err, E_RANGE, "%s is no file but a %s", path,
				 S_ISDIR(status->st_mode) ? "folder" : "device or pipe");
	*out = (struct file_identity){
		.len = (uint64_t)status->st_size,
		.inode = status->st_ino,
		.modified_ns = ns_of(status->st_mtim),
		.changed_ns = ns_of(status->st_ctim),
	};
	return OK;
}

static enum code path_error(struct error *err, const char *path, int number)
{
	return error_set(err, number == ENOENT || number == ENOTDIR ? E_NOT_FOUND : E_IO,
			 "cannot read %s: %s", path, reason(number));
}

enum code file_identify(const char *path, struct file_identity *out, struct error *err)
{
	struct stat status;

	if (stat(path, &status)) return path_error(err, path, errno);
	return identity_of(path, &status, out, err);
}

/* Up to `cap` octets from the descriptor; *len tells how many there were. */
static int read_all(int fd, uint8_t *to, size_t cap, size_t *len)
{
	*len = 0;
	while (*len < cap) {
		ssize_t n = read(fd, to + *len, cap - *len);
		if (n < 0 && errno != EINTR) return errno;
		if (n == 0) break;
		if (n > 0) *len += (size_t)n;
	}
	return 0;
}

/* The file as it stands, into octets of the arena; E_AGAIN when it did not stand still. */
static enum code read_steady(int fd, const char *path, struct arena *arena, struct span *octets,
			     const struct file_identity *before, struct error *err)
{
	struct file_identity after;
	struct stat status;
	enum code code;
	size_t len;

	/* One octet more, so that a file which grew meanwhile shows. */
	uint8_t *to = arena_alloc_bytes(arena, before->len + 1);
	if (!to) return error_set(err, E_NOMEM, "no memory to read %s", path);
	int number = read_all(fd, to, before->len + 1, &len);
	if (!number && fstat(fd, &status)) number = errno;
	if (number) return path_error(err, path, number);
	if ((code = identity_of(path, &status, &after, err))) return code;
	if (len != before->len || !file_identity_equal(before, &after))
		return error_set(err, E_AGAIN, "%s is being written at this moment", path);
	*octets = span_of(to, len);
	return OK;
}

enum code file_read(const char *path, size_t limit, struct arena *arena, struct span *octets,
		    struct file_identity *identity, struct error *err)
{
	/* Not blocking: opening a pipe that nobody writes would wait for ever. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat status;
	enum code code = OK;

	if (fd < 0 || fstat(fd, &status))
		code = path_error(err, path, errno);
	else if (!(code = identity_of(path, &status, identity, err)) && identity->len > limit)
		code = error_set(err, E_LIMIT, "%s has %llu octets, more than the %zu allowed",
				 path, (unsigned long long)identity->len, limit);
	if (!code) code = read_steady(fd, path, arena, octets, identity, err);
	if (fd >= 0) close(fd);
	return code;
}
