/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void error_format(struct error *err, const char *format, va_list args)
{
	int needed = vsnprintf(err->text, sizeof err->text, format, args);

	if (needed < 0) err->text[0] = '\0';
	if (needed >= (int)sizeof err->text) memcpy(err->text + sizeof err->text - 4, "...", 4);
}

enum code error_set(struct error *err, enum code code, const char *format, ...)
{
	va_list args;

	if (!err) return code;
	err->code = code;
	va_start(args, format);
	error_format(err, format, args);
	va_end(args);
	return code;
}

enum code error_prefix(struct error *err, const char *format, ...)
{
	struct error prefixed;
	va_list args;
	size_t len;

	if (!err) return E_IO;
	va_start(args, format);
	error_format(&prefixed, format, args);
	va_end(args);
	len = strlen(prefixed.text);
	if (len + 2 < sizeof prefixed.text) {
		int needed = snprintf(prefixed.text + len, sizeof prefixed.text - len, ": %s",
				      err->text);
		if (needed >= (int)(sizeof prefixed.text - len))
			memcpy(prefixed.text + sizeof prefixed.text - 4, "...", 4);
	}
	memcpy(err->text, prefixed.text, sizeof err->text);
	return err->code;
}
