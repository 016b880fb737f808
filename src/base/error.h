/* SPDX-License-Identifier: Apache-2.0 */
/*
 * error.h - one failure, told to a human.
 *
 * A function that can fail takes `struct error *err` last and fills it where the
 * place is known; callers add a prefix only where they know more. `err` may be
 * NULL: then nobody wants the sentence.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include "base/code.h"

enum { ERROR_TEXT_MAX = 1024 };

struct error {
	enum code code;
	char text[ERROR_TEXT_MAX]; /* one sentence, no final dot, cut with "..." when too long */
};

/* Sets code and sentence, and returns the code: `return error_set(err, E_IO, ...)`. */
enum code error_set(struct error *err, enum code code, const char *format, ...) printf_like(3, 4);

/* Puts "PREFIX: " before the sentence that is there; returns err's code (E_IO if err is NULL). */
enum code error_prefix(struct error *err, const char *format, ...) printf_like(2, 3);

#endif
