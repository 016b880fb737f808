/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/show.h"

#include "host/clock.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

static void to_stdout(void *context, struct span chunk)
{
	(void)context;
	fwrite(chunk.ptr, 1, chunk.len, stdout);
}

void json_begin_stdout(struct json *j)
{
	json_init(j, to_stdout, NULL);
}

void json_end_stdout(struct json *j)
{
	json_end(j);
	putchar('\n');
}

char *number_show(unsigned long long number, char text[static NUMBER_TEXT_MAX])
{
	char digits[24];
	int len = snprintf(digits, sizeof digits, "%llu", number);
	char *out = text;

	for (int i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0) *out++ = ',';
		*out++ = digits[i];
	}
	*out = '\0';
	return text;
}

char *octets_show(unsigned long long octets, char text[static NUMBER_TEXT_MAX])
{
	static const char *const units[] = {"B", "KB", "MB", "GB", "TB"};
	double value = (double)octets;
	size_t unit = 0;

	for (; value >= 1000 && unit < 4; unit++) value /= 1000;
	snprintf(text, NUMBER_TEXT_MAX, value < 10 && unit ? "%.1f %s" : "%.0f %s", value,
		 units[unit]);
	return text;
}

char *since_show(unsigned long long unix_s, char text[static DURATION_TEXT_MAX])
{
	unsigned long long now = clock_unix_s();

	return duration_print_short(now > unix_s ? (duration_ns)(now - unix_s) * NS_PER_S : 0,
				    text);
}

char *until_show(unsigned long long unix_s, char text[static DURATION_TEXT_MAX])
{
	unsigned long long now = clock_unix_s();

	return duration_print_short(unix_s > now ? (duration_ns)(unix_s - now) * NS_PER_S : 0,
				    text);
}

void table_begin(struct table *table, size_t column_count, const char *const *headings)
{
	assert(column_count <= TABLE_COLUMNS_MAX);
	*table = (struct table){.column_count = column_count};
	table_row(table, headings);
}

void table_row(struct table *table, const char *const *cells)
{
	if (table->row_count == table->capacity) {
		size_t capacity = table->capacity ? 2 * table->capacity : 64;
		void *grown = realloc(table->cells, capacity * sizeof *table->cells);
		if (!grown) return;
		table->cells = grown;
		table->capacity = capacity;
	}
	for (size_t c = 0; c < table->column_count; c++) {
		char *cell = table->cells[table->row_count][c];
		snprintf(cell, TABLE_CELL_MAX, "%s", cells[c]);
		for (; *cell; cell++)
			if ((unsigned char)*cell < 0x20 || *cell == 0x7f) *cell = '?';
	}
	table->row_count++;
}

void table_end(struct table *table)
{
	size_t widths[TABLE_COLUMNS_MAX] = {0};

	for (size_t r = 0; r < table->row_count; r++)
		for (size_t c = 0; c < table->column_count; c++)
			if (strlen(table->cells[r][c]) > widths[c])
				widths[c] = strlen(table->cells[r][c]);
	for (size_t r = 0; r < table->row_count; r++) {
		for (size_t c = 0; c + 1 < table->column_count; c++)
			printf("%-*s  ", (int)widths[c], table->cells[r][c]);
		printf("%s\n", table->cells[r][table->column_count - 1]);
	}
	free(table->cells);
	*table = (struct table){0};
}
