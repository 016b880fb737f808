/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever is asked, and however many at a time: what the fast path answers, answer() answers
 * with the same octets, and the result that it tells is the same.
 *
 * The first octet of the input chooses the world, the transport and the form: the rest is
 * one request as it stands, or what questions about the zones are made from.
 */
#include "fuzz.h"

#include "fast_worlds.h"

enum { WORLD_ROOT = 1, OVER_TCP = 2, AS_IT_STANDS = 4, STRUCTURED_MAX = 8 };

static struct fast_world *worlds[2];
static uint8_t octets[STRUCTURED_MAX][FAST_REQUEST_OCTETS_MAX + ANSWER_SLACK_OCTETS];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct answer_request requests[STRUCTURED_MAX];
	size_t count = 0;

	if (size == 0) return 0;
	if (!worlds[0]) worlds[0] = fast_world_of_all();
	if (!worlds[1]) worlds[1] = fast_world_of_root();
	struct fast_world *w = worlds[data[0] & WORLD_ROOT];
	const struct answer_request request = {
		.transport = data[0] & OVER_TCP ? TRANSPORT_TCP : TRANSPORT_UDP,
		.address = address_of_ipv4((const uint8_t[]){192, 0, data[0] >> 6, 1}),
		.now = 5,
		.now_unix_s = 1700000000,
	};
	struct fast_dice dice = {.data = data + 1, .left = size - 1};
	if (data[0] & AS_IT_STANDS) {
		if (size - 1 > FAST_REQUEST_OCTETS_MAX) return 0;
		memcpy(octets[0], data + 1, size - 1);
		requests[0] = request;
		requests[0].wire = span_of(octets[0], size - 1);
		count = 1;
	}
	for (; !(data[0] & AS_IT_STANDS) && count < STRUCTURED_MAX && dice.left > 0; count++) {
		size_t len = fast_random_request(&dice, w, octets[count]);
		requests[count] = request;
		requests[count].wire = span_of(octets[count], len);
	}
	if (count > 0) fast_world_ask(w, requests, count);
	return 0;
}
