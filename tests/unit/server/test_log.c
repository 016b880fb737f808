/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "server/log.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define AT UINT64_C(1795358101123)

static void line_is(const struct log_field *fields, size_t count, const char *tail)
{
	char line[LOG_LINE_MAX], expected[LOG_LINE_MAX];
	size_t len = log_line_print(line, AT, "keeper", EVENT_STOP, fields, count);

	snprintf(expected, sizeof expected,
		 "2026-11-22T14:35:01.123Z NOTICE stop keeper: the server stops%s\n", tail);
	CHECK(len == strlen(expected) && memcmp(line, expected, len) == 0);
}

TEST(a_line_has_time_level_id_process_sentence_and_values)
{
	struct endpoint endpoint = {{4, {192, 0, 2, 1}}, 5300};
	const struct log_field fields[] = {
		log_text("name", "front"),
		log_uint("count", UINT64_MAX),
		log_int("value", -7),
		log_duration("after", 90 * NS_PER_S),
		log_endpoint("peer", &endpoint),
		log_address("address", &endpoint.address),
		log_text("none", NULL),
	};

	line_is(NULL, 0, "");
	line_is(fields, ARRAY_COUNT(fields),
		" name=front count=18446744073709551615 value=-7 after=1m30s "
		"peer=192.0.2.1@5300 address=192.0.2.1 none=\"\"");
}

TEST(a_stranger_cannot_write_a_line_of_his_own)
{
	const struct log_field fields[] = {
		log_text("a", "x\n2026 ERROR stop keeper: forged"),
		log_text("b", "quote\" back\\slash"),
		log_text("c", "k=v"),
		log_span("d", span_of("\0\x1b[31m\x7f\xff", 8)),
	};

	line_is(fields, ARRAY_COUNT(fields),
		" a=\"x\\x0a2026 ERROR stop keeper: forged\" b=\"quote\\\" back\\\\slash\" "
		"c=\"k=v\" d=\"\\x00\\x1b[31m\\x7f\\xff\"");
}

TEST(a_long_line_is_cut_and_says_so)
{
	char line[LOG_LINE_MAX];
	static char text[3 * LOG_LINE_MAX];

	for (size_t n = 3900; n < sizeof text; n += n < 4200 ? 1 : 1000) {
		memset(text, '\n', sizeof text);
		struct log_field field = log_span("text", span_of(text, n));
		size_t len = log_line_print(line, AT, "keeper", EVENT_STOP, &field, 1);
		CHECK(len <= LOG_LINE_MAX && memcmp(line + len - 4, "...\n", 4) == 0);
		CHECK(memchr(line, '\n', len) == line + len - 1);
	}
}

/* Standard error becomes `fd` for the while; what it was is given back. */
static int stderr_replace(int fd)
{
	int before = dup(STDERR_FILENO);

	CHECK(before >= 0 && dup2(fd, STDERR_FILENO) >= 0);
	return before;
}

TEST(lines_that_nobody_reads_are_counted_and_never_waited_for)
{
	static char text[1000], got[1 << 20];
	int ends[2];
	size_t len = 0;

	CHECK(pipe(ends) == 0 && fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0);
	memset(text, 'x', sizeof text);
	int before = stderr_replace(ends[1]);
	log_open("test");
	for (int i = 0; i < 500; i++) LOG(EVENT_STOP, log_span("t", span_of(text, sizeof text)));
	for (ssize_t n; (n = read(ends[0], got + len, sizeof got - 1 - len)) > 0;) len += (size_t)n;
	LOG(EVENT_STOPPED, log_uint("n", 1));
	for (ssize_t n; (n = read(ends[0], got + len, sizeof got - 1 - len)) > 0;) len += (size_t)n;
	stderr_replace(before);
	close(before);

	size_t lines = 0;
	for (size_t i = 0; i < len; i++) lines += got[i] == '\n';
	got[len] = '\0';
	char *lost = strstr(got, "log-lost test: ");
	CHECK(lost && strstr(lost, " stopped test: "));
	CHECK(strtoul(strstr(lost, "lines=") + 6, NULL, 10) == 500 - (lines - 2));
	close(ends[0]);
	close(ends[1]);
}

TEST(the_journal_gets_priorities_and_a_level_filters)
{
	char path[] = "/tmp/lockstep-log-XXXXXX", told[64], got[1024];
	int fd = mkstemp(path);
	struct stat status;

	CHECK(fd >= 0 && unlink(path) == 0 && fstat(fd, &status) == 0);
	snprintf(told, sizeof told, "%llu:%llu", (unsigned long long)status.st_dev,
		 (unsigned long long)status.st_ino);
	CHECK(setenv("JOURNAL_STREAM", told, 1) == 0);
	int before = stderr_replace(fd);
	log_open("test");
	log_level_set(LEVEL_WARNING);
	LOG(EVENT_STOP, log_uint("hidden", 1));
	LOG(EVENT_LISTEN_SKIPPED, log_uint("n", 1));
	LOG(EVENT_START_FAILED, log_uint("n", 2));
	log_level_set(LEVEL_INFO);
	CHECK(unsetenv("JOURNAL_STREAM") == 0);
	stderr_replace(before);
	close(before);

	ssize_t len = pread(fd, got, sizeof got - 1, 0);
	CHECK(len > 0);
	got[len] = '\0';
	CHECK(strncmp(got, "<4>20", 5) == 0 && strstr(got, "\n<3>20") && !strstr(got, "hidden"));
	close(fd);
}

static void *log_many(void *name)
{
	for (int i = 0; i < 200; i++) LOG(EVENT_STOP, log_text("who", name), log_int("i", i));
	return NULL;
}

TEST(threads_do_not_mix_their_lines)
{
	static char names[4][2] = {"a", "b", "c", "d"};
	char path[] = "/tmp/lockstep-log-XXXXXX";
	int fd = mkstemp(path), lines = 0;
	pthread_t threads[4];
	char line[512];

	CHECK(fd >= 0 && unlink(path) == 0 && fcntl(fd, F_SETFL, O_APPEND) == 0);
	int before = stderr_replace(fd);
	log_open("test");
	for (int i = 0; i < 4; i++)
		CHECK(pthread_create(&threads[i], NULL, log_many, names[i]) == 0);
	for (int i = 0; i < 4; i++) CHECK(pthread_join(threads[i], NULL) == 0);
	stderr_replace(before);
	close(before);

	FILE *file = fdopen(fd, "r");
	CHECK(file != NULL);
	rewind(file);
	for (; fgets(line, sizeof line, file); lines++) {
		char who;
		int i;
		CHECK(sscanf(line, "%*s NOTICE stop test: the server stops who=%c i=%d\n", &who,
			     &i) == 2);
	}
	CHECK(lines == 800);
	fclose(file);
}

TEST(levels_have_names)
{
	for (enum log_level level = 0; level < LEVEL_COUNT; level++)
		CHECK(log_level_by_name(span_of_text(log_level_name(level))) == level);
	CHECK(log_level_by_name(span_of_text("loud")) == LEVEL_COUNT);
}

/* People match on ids: each is there once, in lower case with hyphens. */
TEST(event_ids_are_unique_words)
{
	for (enum event a = 0; a < EVENT_COUNT; a++) {
		const char *name = event_name(a);
		CHECK(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(name));
		for (enum event b = 0; b < a; b++) CHECK(strcmp(name, event_name(b)) != 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_has_time_level_id_process_sentence_and_values),
		cmocka_unit_test(a_stranger_cannot_write_a_line_of_his_own),
		cmocka_unit_test(a_long_line_is_cut_and_says_so),
		cmocka_unit_test(lines_that_nobody_reads_are_counted_and_never_waited_for),
		cmocka_unit_test(the_journal_gets_priorities_and_a_level_filters),
		cmocka_unit_test(threads_do_not_mix_their_lines),
		cmocka_unit_test(levels_have_names),
		cmocka_unit_test(event_ids_are_unique_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
