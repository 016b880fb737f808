/* SPDX-License-Identifier: Apache-2.0 */
/* show.h - numbers, ages and tables as people read them. */
#ifndef CLI_SHOW_H
#define CLI_SHOW_H

#include "base/instant.h"
#include "base/json.h"

enum { NUMBER_TEXT_MAX = 32, TABLE_COLUMNS_MAX = 6, TABLE_CELL_MAX = 256 };

/* JSON on standard output; the end adds the newline. */
void json_begin_stdout(struct json *j);
void json_end_stdout(struct json *j);

/* "1,204"; "1.2 GB"; how long ago a wall time was, or how long it is until then: "6d 21h". */
char *number_show(unsigned long long number, char text[static NUMBER_TEXT_MAX]);
char *octets_show(unsigned long long octets, char text[static NUMBER_TEXT_MAX]);
char *since_show(unsigned long long unix_s, char text[static DURATION_TEXT_MAX]);
char *until_show(unsigned long long unix_s, char text[static DURATION_TEXT_MAX]);

/* Rows are kept until the end, then printed with columns as wide as their cells. */
struct table {
	size_t column_count, row_count, capacity;
	char (*cells)[TABLE_COLUMNS_MAX][TABLE_CELL_MAX];
};

void table_begin(struct table *table, size_t column_count, const char *const *headings);
/* Cells are copied, cut at TABLE_CELL_MAX - 1 octets, with control characters shown as "?". */
void table_row(struct table *table, const char *const *cells);
void table_end(struct table *table);

#endif
