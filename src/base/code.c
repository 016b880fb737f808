/* SPDX-License-Identifier: Apache-2.0 */
#include "base/code.h"

#include <assert.h>

const char *code_name(enum code code)
{
	static const char *const names[CODE_COUNT] = {
		[OK] = "ok",
		[E_NOMEM] = "no-memory",
		[E_LIMIT] = "limit",
		[E_SYNTAX] = "syntax",
		[E_RANGE] = "range",
		[E_NOT_FOUND] = "not-found",
		[E_EXISTS] = "exists",
		[E_CONFLICT] = "conflict",
		[E_REFUSED] = "refused",
		[E_AUTH] = "auth",
		[E_IO] = "io",
		[E_DAMAGED] = "damaged",
		[E_BUSY] = "busy",
		[E_AGAIN] = "again",
		[E_UNSUPPORTED] = "unsupported",
	};
	assert(code < CODE_COUNT);
	return names[code];
}
