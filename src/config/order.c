/* SPDX-License-Identifier: Apache-2.0 */
#include "config/order.h"

/*
 * Labels from the root on, each ended by 0; an octet of 0 or 1 within one becomes 1 and
 * itself plus one, so that the end of a label is below everything.
 */
static size_t key_write(struct name name, uint8_t key[static NAME_KEY_MAX])
{
	uint8_t starts[LABEL_COUNT_MAX];
	size_t count = 0, len = 0;

	for (size_t at = 0; name.wire[at]; at += name.wire[at] + 1u) starts[count++] = (uint8_t)at;
	while (count--) {
		const uint8_t *label = name.wire + starts[count];
		for (size_t i = 1; i <= label[0]; i++) {
			if (label[i] <= 1) key[len++] = 1;
			key[len++] = label[i] <= 1 ? (uint8_t)(label[i] + 1) : label[i];
		}
		key[len++] = 0;
	}
	return len;
}

bool name_order_make(struct arena *arena, struct name name, uint32_t place, struct name_order *out)
{
	uint8_t key[NAME_KEY_MAX];

	out->len = (uint32_t)key_write(name, key);
	out->key = arena_copy(arena, span_of(key, out->len));
	out->place = place;
	return out->key;
}

static size_t common_len(const struct name_order *list, size_t count)
{
	size_t len = count ? list[0].len : 0;

	for (size_t i = 1; i < count; i++) {
		size_t same = 0;
		if (list[i].len < len) len = list[i].len;
		while (same < len && list[i].key[same] == list[0].key[same]) same++;
		len = same;
	}
	return len;
}

static int order_compare(const struct name_order *a, const struct name_order *b)
{
	if (a->head != b->head) return a->head < b->head ? -1 : 1;
	int order = memcmp(a->key, b->key, a->len < b->len ? a->len : b->len);
	return order ? order : (a->len > b->len) - (a->len < b->len);
}

bool name_order_equal(const struct name_order *a, const struct name_order *b)
{
	return order_compare(a, b) == 0;
}

static void merge(const struct name_order *from, size_t len, size_t middle, struct name_order *to)
{
	size_t left = 0, right = middle;

	for (size_t i = 0; i < len; i++) {
		if (right == len ||
		    (left < middle && order_compare(&from[left], &from[right]) <= 0))
			to[i] = from[left++];
		else
			to[i] = from[right++];
	}
}

bool names_order(struct arena *arena, struct name_order *list, size_t count)
{
	size_t common = common_len(list, count);
	struct name_order *spare = arena_alloc_array(arena, count + 1, sizeof *spare);

	if (!spare) return false;
	for (size_t i = 0; i < count; i++) {
		list[i].head = 0;
		for (size_t k = common; k < common + 8; k++)
			list[i].head = list[i].head << 8 | (k < list[i].len ? list[i].key[k] : 0);
	}
	for (size_t run = 1; run < count; run *= 2) {
		for (size_t at = 0; at + run < count; at += 2 * run) {
			size_t len = count - at < 2 * run ? count - at : 2 * run;
			if (order_compare(&list[at + run - 1], &list[at + run]) <= 0) continue;
			merge(list + at, len, run, spare);
			memcpy(list + at, spare, len * sizeof *list);
		}
	}
	return true;
}
