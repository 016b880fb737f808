/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arena.h - memory with one lifetime.
 *
 * What is allocated from an arena lives until the arena is reset or freed; there
 * is no free for a single piece. An arena has a limit in octets, so no input can
 * take more than its owner allowed. Not thread-safe: an arena has one user.
 *
 * The only file of the pure layers that calls the system's allocator.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/attributes.h"
#include "base/span.h"

struct arena;

/* An empty arena that will hold at most `limit` octets; NULL when memory ran out. */
struct arena *arena_new(size_t limit) must_use;
void arena_free(struct arena *arena);

/* Forgets everything but keeps the first block for reuse. */
void arena_reset(struct arena *arena);

/* Zeroed, aligned for any type; NULL when the limit or memory ran out. */
void *arena_alloc(struct arena *arena, size_t size) must_use;
void *arena_alloc_array(struct arena *arena, size_t count, size_t size) must_use;

/* Not zeroed and not aligned: for octets that are overwritten at once. */
uint8_t *arena_alloc_bytes(struct arena *arena, size_t len) must_use;

/*
 * Grows the last piece handed out in place where it can, else copies it. `old`
 * may be NULL. The new octets are not zeroed. For one array that grows by doubling.
 */
void *arena_grow(struct arena *arena, void *old, size_t old_size, size_t new_size) must_use;

/* Copies into the arena; the string form adds a terminating zero. NULL as above. */
uint8_t *arena_copy(struct arena *arena, struct span bytes) must_use;
char *arena_copy_text(struct arena *arena, struct span text) must_use;

/*
 * What `from` holds lives as long as `to` from now on, and `from` is freed. False when it
 * is more than `to` may hold: both are as they were.
 */
bool arena_adopt(struct arena *to, struct arena *from) must_use;

/* Octets taken from the system so far. */
size_t arena_used(const struct arena *arena);

#endif
