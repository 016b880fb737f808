/* SPDX-License-Identifier: Apache-2.0 */
/*
 * disk.h - a disk that fails when it is told to, and that knows what it would still
 * hold after a power cut.
 *
 * Both ways to the disk are counted as one row of steps: SQLite's through a VFS of
 * its own (with the first version of the file methods only: no shared memory, no
 * map), snapshot files through the fault of host/file.h. What was synced is mirrored
 * into a second folder; a name is there once its folder was synced.
 */
#ifndef TESTS_STORE_DISK_H
#define TESTS_STORE_DISK_H

#include "store/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>

struct disk {
	sqlite3_vfs vfs, *real;
	char mirror[100]; /* "": none */
	long step;
	long fail_at;  /* the step that fails; 0: none */
	bool for_good; /* and all after it */
	bool tear;     /* what fails to be written is written half */
	bool reads;    /* count reads too */
	int number;    /* EIO or ENOSPC */
	bool has_failed;
};

static struct disk disk;

struct disk_file {
	sqlite3_file base;
	char name[32]; /* without its folder */
	char path[120];
	sqlite3_file real[];
};

static inline bool disk_step(void)
{
	disk.step++;
	bool fails = disk.fail_at &&
		     (disk.step == disk.fail_at || (disk.for_good && disk.step > disk.fail_at));
	disk.has_failed = disk.has_failed || fails;
	return fails;
}

static inline struct disk_file *disk_file(sqlite3_file *file)
{
	return (struct disk_file *)file;
}

static inline sqlite3_file *real_file(sqlite3_file *file)
{
	return disk_file(file)->real;
}

static inline int real_write(sqlite3_file *file, const void *from, int len, sqlite3_int64 at)
{
	return real_file(file)->pMethods->xWrite(real_file(file), from, len, at);
}

static int disk_write(sqlite3_file *file, const void *from, int len, sqlite3_int64 at)
{
	if (!disk_step()) return real_write(file, from, len, at);
	if (disk.tear) real_write(file, from, len / 2, at);
	return disk.number == ENOSPC ? SQLITE_FULL : SQLITE_IOERR_WRITE;
}

static int disk_truncate(sqlite3_file *file, sqlite3_int64 len)
{
	if (disk_step()) return SQLITE_IOERR_TRUNCATE;
	return real_file(file)->pMethods->xTruncate(real_file(file), len);
}

static int disk_sync(sqlite3_file *file, int flags)
{
	(void)flags;
	if (disk_step()) return SQLITE_IOERR_FSYNC;
	if (disk.mirror[0])
		run("cp %s %s/%s", disk_file(file)->path, disk.mirror, disk_file(file)->name);
	return SQLITE_OK;
}

static int disk_read(sqlite3_file *file, void *to, int len, sqlite3_int64 at)
{
	if (disk.reads && disk_step()) return SQLITE_IOERR_READ;
	return real_file(file)->pMethods->xRead(real_file(file), to, len, at);
}

static int disk_close(sqlite3_file *file)
{
	return real_file(file)->pMethods->xClose(real_file(file));
}

static int disk_size(sqlite3_file *file, sqlite3_int64 *len)
{
	return real_file(file)->pMethods->xFileSize(real_file(file), len);
}

static int disk_lock(sqlite3_file *file, int level)
{
	return real_file(file)->pMethods->xLock(real_file(file), level);
}

static int disk_unlock(sqlite3_file *file, int level)
{
	return real_file(file)->pMethods->xUnlock(real_file(file), level);
}

static int disk_locked(sqlite3_file *file, int *is)
{
	return real_file(file)->pMethods->xCheckReservedLock(real_file(file), is);
}

static int disk_control(sqlite3_file *file, int what, void *with)
{
	return real_file(file)->pMethods->xFileControl(real_file(file), what, with);
}

static int disk_sector(sqlite3_file *file)
{
	(void)file;
	return 512;
}

static int disk_traits(sqlite3_file *file)
{
	(void)file;
	return 0;
}

static const sqlite3_io_methods disk_methods = {
	.iVersion = 1,
	.xClose = disk_close,
	.xRead = disk_read,
	.xWrite = disk_write,
	.xTruncate = disk_truncate,
	.xSync = disk_sync,
	.xFileSize = disk_size,
	.xLock = disk_lock,
	.xUnlock = disk_unlock,
	.xCheckReservedLock = disk_locked,
	.xFileControl = disk_control,
	.xSectorSize = disk_sector,
	.xDeviceCharacteristics = disk_traits,
};

static int disk_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
		     int *out_flags)
{
	struct disk_file *opened = disk_file(file);

	(void)vfs;
	opened->base.pMethods = NULL;
	if ((flags & SQLITE_OPEN_CREATE) && disk_step()) return SQLITE_CANTOPEN;
	int result = disk.real->xOpen(disk.real, name, opened->real, flags, out_flags);
	if (result == SQLITE_OK) opened->base.pMethods = &disk_methods;
	if (name) {
		snprintf(opened->path, sizeof opened->path, "%s", name);
		snprintf(opened->name, sizeof opened->name, "%s", strrchr(name, '/') + 1);
	}
	return result;
}

/* What is removed stays in the mirror, as a cut may bring it back, until the folder is synced. */
static int disk_delete(sqlite3_vfs *vfs, const char *name, int sync_folder)
{
	(void)vfs;
	if (disk_step()) return SQLITE_IOERR_DELETE;
	if (disk.mirror[0] && sync_folder)
		run("rm -f %s/%s%s", disk.mirror, strrchr(name, '/'), "");
	return disk.real->xDelete(disk.real, name, 0);
}

/* Names come and go for good. */
static inline void disk_mirror_names(const struct stage *stage)
{
	run("find %s/synced -type f -exec mv -t %s/snapshots {} +%s", disk.mirror, disk.mirror, "");
	run("cd %s && for f in lockstep.db-*; do test -e %s/$f || rm -f $f; done%s", disk.mirror,
	    stage->path, "");
}

/* The same disk, for snapshot files; see host/file.h. */
static int disk_fault(void *context, enum file_step step, const char *name)
{
	struct stage *stage = context;
	char path[FILE_NAME_MAX + 100];

	if (step == FILE_STEP_READ && !disk.reads) return 0;
	if (disk_step()) return disk.number;
	if (disk.mirror[0] && step == FILE_STEP_SYNC) {
		snprintf(path, sizeof path, "%s/snapshots/%s", stage->path, name);
		run("cp %s %s/synced/%s", path, disk.mirror, "");
	}
	if (disk.mirror[0] && step == FILE_STEP_FOLDER_SYNC) disk_mirror_names(stage);
	return 0;
}

static inline void disk_begin(struct stage *stage)
{
	disk = (struct disk){.number = EIO, .real = sqlite3_vfs_find(NULL)};
	disk.vfs = *disk.real;
	disk.vfs.szOsFile = (int)sizeof(struct disk_file) + disk.real->szOsFile;
	disk.vfs.zName = "lockstep-test";
	disk.vfs.xOpen = disk_open;
	disk.vfs.xDelete = disk_delete;
	CHECK(sqlite3_vfs_register(&disk.vfs, 0) == SQLITE_OK);
	stage->options.vfs = disk.vfs.zName;
	stage->options.fault = disk_fault;
	stage->options.fault_context = stage;
}

static inline void disk_end(void)
{
	sqlite3_vfs_unregister(&disk.vfs);
}

/* From now on what is synced is also in a second folder. */
static inline void disk_mirror(const struct stage *stage)
{
	strcpy(disk.mirror, stage->path);
	strcat(disk.mirror, ".synced");
	run("mkdir -p %s/synced %s/snapshots%s", disk.mirror, disk.mirror, "");
}

static inline void disk_break(long step, bool for_good, bool tear, int number)
{
	disk.step = 0;
	disk.fail_at = step;
	disk.for_good = for_good;
	disk.tear = tear;
	disk.number = number;
	disk.has_failed = false;
}

static inline void disk_mend(void)
{
	disk.fail_at = 0;
}

#endif
