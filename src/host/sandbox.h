/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox.h - the walls around a process, put up once, never taken down.
 *
 *   no_new_privs   nothing it starts can gain rights
 *   capabilities   none are left, nor can any come back
 *   landlock       only the named folders; no TCP but what the profile does; no
 *                  signals or abstract sockets to the outside
 *   seccomp        only the calls in sandbox.def
 *
 * A wall that the kernel does not have is left out; `walls` tells which stand.
 */
#ifndef HOST_SANDBOX_H
#define HOST_SANDBOX_H

#include "base/error.h"
#include "host/machine.h"

enum sandbox_profile {
	SANDBOX_NETWORK,  /* answers on the sockets it was given; opens nothing */
	SANDBOX_CONNECT,  /* connects out; opens nothing */
	SANDBOX_KEEP,     /* writes and reads the named folders; no network */
	SANDBOX_READ,     /* reads the named folders; no network */
	SANDBOX_SUPERVISE /* starts the others, binds; keeps CAP_NET_BIND_SERVICE */
};

enum wall {
	WALL_NO_NEW_PRIVS = 1,
	WALL_CAPABILITIES = 2,
	WALL_LANDLOCK = 4,
	WALL_SECCOMP = 8,
};

enum sandbox_right {
	SANDBOX_PATH_READ,
	SANDBOX_PATH_WRITE, /* also read, make, rename and remove in it */
};

struct sandbox_path {
	const char
		*path; /* a folder with all below it, or a file; one that is missing is left out */
	enum sandbox_right right;
};

struct sandbox_plan {
	enum sandbox_profile profile;
	const struct user *user; /* become him; NULL: stay who we are */
	const struct sandbox_path *paths;
	size_t path_count;
};

struct walls {
	unsigned standing;     /* enum wall */
	unsigned landlock_abi; /* 0: this kernel has none */
};

/*
 * Puts up the walls around this process, before it starts threads. E_REFUSED or
 * E_IO: it could not become the user or drop its rights, and must not go on.
 */
must_use enum code sandbox_enter(const struct sandbox_plan *plan, struct walls *walls,
				 struct error *err);

/* "no_new_privs capabilities landlock(7) seccomp", or "none"; cut at `cap`. Returns `text`. */
char *walls_print(const struct walls *walls, char *text, size_t cap);

/* Those the profile should have and has not: "landlock"; "" when all stand. */
char *walls_missing_print(const struct walls *walls, enum sandbox_profile profile, char *text,
			  size_t cap);

/* One wall each, for sandbox_enter(). False: not on this kernel. */
bool sandbox_landlock(const struct sandbox_plan *plan, unsigned *abi);
bool sandbox_seccomp(enum sandbox_profile profile);

#endif
