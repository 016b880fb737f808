/* SPDX-License-Identifier: Apache-2.0 */
/*
 * question.h - the file of questions that make_zones writes and blast asks.
 *
 * A head, then for each question a struct question_row and the question itself in wire
 * form (name, type, class). In the order of octets of the machine: it never leaves it.
 */
#ifndef BENCH_QUESTION_H
#define BENCH_QUESTION_H

#include <stdint.h>

static const char question_magic[8] = "questns1";

enum { QUESTION_OCTETS_MAX = 255 + 4 };

/* What a right answer has; every answer is held to the first four, a sample to the rest. */
enum {
	WANTS_AA = 1 << 0,
	WANTS_NO_AA = 1 << 1,
	WANTS_ANSWER = 1 << 2,    /* the answer section is not empty */
	WANTS_AUTHORITY = 1 << 3, /* the answer section is empty, the authority section is not */
	WANTS_RRSIG = 1 << 4,     /* one anywhere, when the questions are asked with DO */
	WANTS_DENIAL = 1 << 5,    /* an NSEC or NSEC3 record, likewise */
};

struct question_head {
	char magic[8];
	uint64_t count;
};

struct question_row {
	uint16_t len;
	uint8_t rcode;
	uint8_t wants;
};

#endif
