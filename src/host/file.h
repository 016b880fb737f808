/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file.h - files that are on the disk when we say so.
 *
 * A durable file is written once, under a name that was never used before, synced,
 * and its folder is synced; only then may anything refer to it. It is never written
 * again. A power cut may leave a file that nothing refers to, never one that is
 * referred to and not whole.
 *
 * Everything of a folder goes through `struct folder`, which may be used by several
 * threads at a time. Sentences name the full path.
 */
#ifndef HOST_FILE_H
#define HOST_FILE_H

#include "base/arena.h"
#include "base/error.h"

enum { FILE_NAME_MAX = 255 };

/* What is asked of the disk, for those who let it fail in tests. */
enum file_step {
	FILE_STEP_CREATE,
	FILE_STEP_WRITE,
	FILE_STEP_SYNC,
	FILE_STEP_READ,
	FILE_STEP_REMOVE,
	FILE_STEP_FOLDER_SYNC,
};

/* Returns 0, or the errno that the step is to fail with before it is done. */
typedef int file_fault(void *context, enum file_step step, const char *name);

struct folder;

/* E_NOT_FOUND: there is none. E_IO: it is no folder, or the kernel refuses. */
enum code folder_open(const char *path, struct folder **out, struct error *err) must_use;

/* Opens the folder `name` inside `parent`; made, and durable, when it is not there. */
enum code folder_open_inside(const struct folder *parent, const char *name, struct folder **out,
			     struct error *err) must_use;

/* Accepts NULL. Gives up a lock that was taken with folder_lock. */
void folder_close(struct folder *folder);

const char *folder_path(const struct folder *folder);

/* From now on `fault` is asked before each step in this folder (tests only; NULL: nobody). */
void folder_set_fault(struct folder *folder, file_fault *fault, void *context);

/*
 * Takes the folder for this process: an open-file-description lock on the file
 * `name` in it. It ends with the folder or with the last process that inherited
 * the descriptor, however that process ends; no stale lock is possible. E_BUSY names
 * the holder's process id.
 */
enum code folder_lock(struct folder *folder, const char *name, struct error *err) must_use;

/* What was created or removed in it is so after a power cut too. */
enum code folder_sync(const struct folder *folder, struct error *err) must_use;

/* Calls `visit` for each entry but "." and "..", in no order, until it returns another code than
 * OK. */
enum code folder_list(const struct folder *folder,
		      enum code (*visit)(void *context, const char *name, struct error *err),
		      void *context, struct error *err) must_use;

/* Removes a file. One that is not there is no error. */
enum code folder_remove(const struct folder *folder, const char *name, struct error *err) must_use;

/*
 * Asks the kernel to forget what it keeps of a file, so that the next read is from
 * the disk. Best effort: nothing is said when it will not, or there is no such file.
 */
void folder_drop_cached(const struct folder *folder, const char *name);

/* Octets that an ordinary user may still write. */
enum code folder_free_space(const struct folder *folder, uint64_t *octets,
			    struct error *err) must_use;

/* A file that is being written. */
struct new_file;

/*
 * Creates an empty file. E_EXISTS: the name is taken, nothing was touched. `folder`
 * is borrowed until new_file_close.
 */
enum code new_file_create(const struct folder *folder, const char *name, struct new_file **out,
			  struct error *err) must_use;

/* After E_IO (disk full, broken) the file is worthless: remove it. */
enum code new_file_append(struct new_file *file, struct span octets, struct error *err) must_use;

/* All that was appended is on the disk. The name is so only after folder_sync. */
enum code new_file_sync(struct new_file *file, struct error *err) must_use;

/* Accepts NULL; syncs nothing. */
void new_file_close(struct new_file *file);

/* An open file that is read; stays readable after its name is removed. */
struct old_file;

/* E_NOT_FOUND: no such file. */
enum code old_file_open(const struct folder *folder, const char *name, struct old_file **out,
			struct error *err) must_use;
uint64_t old_file_len(const struct old_file *file);

/* Reads exactly `len` octets at `offset`. E_DAMAGED: the file ends before that. */
enum code old_file_read(const struct old_file *file, uint64_t offset, uint8_t *to, size_t len,
			struct error *err) must_use;

/*
 * Maps the whole file read-only until old_file_close; it must not be empty. A disk
 * that fails while the octets are read kills the process: only for what is disposable.
 */
enum code old_file_map(struct old_file *file, struct span *octets, struct error *err) must_use;

/* Its descriptor, which stays the file's and can only read: for a process that maps it too. */
int old_file_fd(const struct old_file *file);

/* Accepts NULL. */
void old_file_close(struct old_file *file);

/*
 * Maps a file that another process has opened and never shortens. E_DAMAGED: it is no
 * file, or has less than `len_min` octets. The mapping outlives the descriptor.
 */
enum code file_map(int fd, size_t len_min, struct span *map, struct error *err) must_use;
void file_unmap(struct span map);

/* What tells one content of a file from the next without reading it. */
struct file_identity {
	uint64_t len;
	uint64_t inode;
	int64_t modified_ns; /* since 1970 UTC */
	int64_t changed_ns;  /* of the inode: also a copy that keeps the other time alters it */
};

bool file_identity_equal(const struct file_identity *a, const struct file_identity *b);

/* E_NOT_FOUND: no such file. E_RANGE: it is no regular file. */
enum code file_identify(const char *path, struct file_identity *out, struct error *err) must_use;

/*
 * Reads a file that somebody else may be writing. E_LIMIT: it is longer than
 * `limit`. E_AGAIN: it changed meanwhile. Others as file_identify.
 */
enum code file_read(const char *path, size_t limit, struct arena *arena, struct span *octets,
		    struct file_identity *identity, struct error *err) must_use;

#endif
