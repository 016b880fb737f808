/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memfd.h - memory that one process writes and others read.
 *
 * The size is sealed when it is made, so a reader that mapped it can never be
 * killed by a shrinking file. The writer writes with pwrite, never through a map.
 */
#ifndef HOST_MEMFD_H
#define HOST_MEMFD_H

#include "base/error.h"
#include "base/span.h"

/* `size` octets of zeros; `name` shows up in /proc/PID/maps. Close it when done. */
must_use enum code memfd_open(const char *name, size_t size, int *fd, struct error *err);

/* A second descriptor of it that can only read: what other processes are given. */
must_use enum code memfd_reader(int fd, int *reader, struct error *err);

/* Writes all of `bytes` at `offset`. E_RANGE beyond the size; E_IO may leave a part. */
must_use enum code memfd_write(int fd, uint64_t offset, struct span bytes, struct error *err);

/*
 * Maps all of it, read-only. The descriptor may come from a process that is not
 * trusted: E_DAMAGED unless its size is sealed and at least `size_min`.
 * The mapping outlives the descriptor.
 */
must_use enum code memfd_map(int fd, size_t size_min, struct span *map, struct error *err);
void memfd_unmap(struct span map);

#endif
