/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocks in a list, newest first. A piece that does not fit the newest block gets
 * a new one, twice the size of the last up to BLOCK_MAX, or its own when larger.
 */
#include "base/arena.h"

#include <assert.h>
#include <stdalign.h>
#include <stdlib.h>

enum { BLOCK_MIN = 4096, BLOCK_MAX = 4 << 20 };

struct block {
	struct block *older;
	size_t cap;
	size_t len;
	alignas(max_align_t) uint8_t bytes[];
};

struct arena {
	struct block *newest;
	size_t limit;
	size_t used;
	size_t next_cap;
};

struct arena *arena_new(size_t limit)
{
	struct arena *arena = calloc(1, sizeof *arena);

	if (!arena) return NULL;
	arena->limit = limit;
	arena->next_cap = BLOCK_MIN;
	return arena;
}

static void blocks_free(struct block *block)
{
	while (block) {
		struct block *older = block->older;
		free(block);
		block = older;
	}
}

void arena_free(struct arena *arena)
{
	if (!arena) return;
	blocks_free(arena->newest);
	free(arena);
}

void arena_reset(struct arena *arena)
{
	struct block *keep = arena->newest;

	if (!keep) return;
	blocks_free(keep->older);
	keep->older = NULL;
	keep->len = 0;
	arena->used = keep->cap;
}

static struct block *block_new(struct arena *arena, size_t size)
{
	size_t cap = arena->next_cap;

	if (size > cap) cap = size;
	if (cap > arena->limit - arena->used) cap = size;
	if (arena->used > arena->limit || cap > arena->limit - arena->used) return NULL;

	struct block *block = malloc(sizeof *block + cap);
	if (!block) return NULL;
	block->cap = cap;
	block->len = 0;
	block->older = arena->newest;
	arena->newest = block;
	arena->used += cap;
	if (arena->next_cap < BLOCK_MAX) arena->next_cap *= 2;
	return block;
}

static void *arena_take(struct arena *arena, size_t size, size_t align)
{
	struct block *block = arena->newest;

	if (size > SIZE_MAX / 4) return NULL;
	if (block) {
		size_t at = (block->len + align - 1) & ~(align - 1);
		if (at <= block->cap && size <= block->cap - at) {
			block->len = at + size;
			return block->bytes + at;
		}
	}
	block = block_new(arena, size ? size : 1);
	if (!block) return NULL;
	block->len = size;
	return block->bytes;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	void *p = arena_take(arena, size, alignof(max_align_t));

	if (p) memset(p, 0, size);
	return p;
}

void *arena_alloc_array(struct arena *arena, size_t count, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(count, size, &total)) return NULL;
	return arena_alloc(arena, total);
}

uint8_t *arena_alloc_bytes(struct arena *arena, size_t len)
{
	return arena_take(arena, len, 1);
}

void *arena_grow(struct arena *arena, void *old, size_t old_size, size_t new_size)
{
	struct block *block = arena->newest;

	assert(new_size >= old_size);
	if (old && block && (uint8_t *)old + old_size == block->bytes + block->len &&
	    new_size - old_size <= block->cap - block->len) {
		block->len += new_size - old_size;
		return old;
	}
	void *p = arena_take(arena, new_size, alignof(max_align_t));
	if (p && old_size) memcpy(p, old, old_size);
	return p;
}

uint8_t *arena_copy(struct arena *arena, struct span bytes)
{
	uint8_t *p = arena_alloc_bytes(arena, bytes.len);

	if (p && bytes.len) memcpy(p, bytes.ptr, bytes.len);
	return p;
}

char *arena_copy_text(struct arena *arena, struct span text)
{
	uint8_t *p = arena_alloc_bytes(arena, text.len + 1);

	if (!p) return NULL;
	if (text.len) memcpy(p, text.ptr, text.len);
	p[text.len] = '\0';
	return (char *)p;
}

bool arena_adopt(struct arena *to, struct arena *from)
{
	struct block **link = &to->newest;

	if (to->used > to->limit || from->used > to->limit - to->used) return false;
	/* Behind the newest, which still has room. */
	if (*link) link = &to->newest->older;
	struct block *older = *link;
	*link = from->newest;
	while (*link) link = &(*link)->older;
	*link = older;
	to->used += from->used;
	free(from);
	return true;
}

size_t arena_used(const struct arena *arena)
{
	return arena->used;
}
