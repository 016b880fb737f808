/* SPDX-License-Identifier: Apache-2.0 */
#include "host/memfd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U /* Linux 6.3 */
#endif

static int memfd_new(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);

	if (fd < 0 && errno == EINVAL) fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return fd;
}

enum code memfd_open(const char *name, size_t size, int *out, struct error *err)
{
	int fd = memfd_new(name);
	enum code code;

	if (fd < 0) return error_set(err, E_IO, "cannot make shared memory: %s", strerror(errno));
	if (ftruncate(fd, (off_t)size) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) < 0) {
		code = error_set(err, E_IO, "cannot make %zu octets of shared memory: %s", size,
				 strerror(errno));
		close(fd);
		return code;
	}
	*out = fd;
	return OK;
}

enum code memfd_reader(int fd, int *reader, struct error *err)
{
	char path[32];

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	*reader = open(path, O_RDONLY | O_CLOEXEC);
	if (*reader < 0)
		return error_set(err, E_IO, "cannot reopen shared memory for reading: %s",
				 strerror(errno));
	return OK;
}

enum code memfd_write(int fd, uint64_t offset, struct span bytes, struct error *err)
{
	struct stat status;

	if (fstat(fd, &status) < 0)
		return error_set(err, E_IO, "shared memory: %s", strerror(errno));
	if (offset > (uint64_t)status.st_size || bytes.len > (uint64_t)status.st_size - offset)
		return error_set(err, E_RANGE, "%zu octets at %llu are outside of shared memory",
				 bytes.len, (unsigned long long)offset);
	while (bytes.len > 0) {
		ssize_t n = pwrite(fd, bytes.ptr, bytes.len, (off_t)offset);
		if (n < 0 && errno == EINTR) continue;
		if (n <= 0)
			return error_set(err, E_IO, "cannot write shared memory: %s",
					 strerror(errno));
		bytes.ptr += n;
		bytes.len -= (size_t)n;
		offset += (uint64_t)n;
	}
	return OK;
}

enum code memfd_map(int fd, size_t size_min, struct span *map, struct error *err)
{
	const int wanted = F_SEAL_SHRINK | F_SEAL_GROW;
	struct stat status;
	int seals = fcntl(fd, F_GET_SEALS);

	if (seals < 0 || (seals & wanted) != wanted || fstat(fd, &status) < 0 ||
	    (uint64_t)status.st_size < size_min || status.st_size == 0)
		return error_set(err, E_DAMAGED,
				 "descriptor %d is no sealed memory of %zu octets or more", fd,
				 size_min);
	void *at = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		return error_set(err, E_IO, "cannot map %lld octets of shared memory: %s",
				 (long long)status.st_size, strerror(errno));
	*map = span_of(at, (size_t)status.st_size);
	return OK;
}

void memfd_unmap(struct span map)
{
	if (map.len) munmap((void *)(uintptr_t)map.ptr, map.len);
}
