/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zone_text_reprint - reads a zone file and prints it as we would hand it to others.
 *
 *   zone_text_reprint ORIGIN < FILE
 */
#include "dns/zone_text.h"

#include <stdio.h>
#include <stdlib.h>

enum { TEXT_MAX = 64 << 20, LINE_MAX_OCTETS = 1 << 20 };

static enum code record_reprint(void *context, const struct record *record, struct place place)
{
	struct writer w = writer_of(context, LINE_MAX_OCTETS);

	(void)place;
	zone_text_print(record, &w);
	if (w.overflow) return E_LIMIT;
	return fwrite(w.ptr, 1, w.len, stdout) == w.len ? OK : E_IO;
}

static enum code reprint(struct name origin, struct span text, uint8_t *line)
{
	struct arena *arena = arena_new(TEXT_MAX);
	struct diagnostics diagnostics = {.arena = arena};
	struct zone_text_parser parser = {.origin = origin,
					  .sink = record_reprint,
					  .context = line,
					  .arena = arena,
					  .diagnostics = &diagnostics};
	char told[2048];

	if (!arena) return E_NOMEM;
	enum code code = zone_text_parse(&parser, "stdin", text);
	for (size_t i = 0; i < diagnostics.count; i++) {
		diagnostic_print(&diagnostics.list[i], told, sizeof told);
		fputs(told, stderr);
	}
	arena_free(arena);
	return code;
}

int main(int argc, char **argv)
{
	uint8_t *text = malloc(TEXT_MAX), *line = malloc(LINE_MAX_OCTETS);
	struct name root = name_root();
	struct name_buffer origin;
	enum code code = E_NOMEM;

	if (argc != 2 || name_from_text(span_of_text(argv[1]), &root, &origin, NULL)) {
		fprintf(stderr, "usage: zone_text_reprint ORIGIN < FILE\n");
		code = E_SYNTAX;
	} else if (text && line) {
		size_t len = fread(text, 1, TEXT_MAX, stdin);
		code = reprint(name_of(&origin), span_of(text, len), line);
	}
	free(text);
	free(line);
	return code != OK;
}
