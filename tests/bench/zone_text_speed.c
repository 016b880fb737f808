/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zone_text_speed - how fast each kernel reads a zone file into a sink that only counts.
 *
 *   zone_text_speed FILE [ORIGIN [ROUNDS [KERNEL]]]
 *
 * Prints the best round of each kernel; the file is in memory before the clock starts.
 */
#include "dns/zone_text_parse.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct counts {
	uint64_t records, octets;
};

static enum code count_record(void *context, const struct record *record, struct place place)
{
	struct counts *counts = context;

	(void)place;
	counts->records++;
	counts->octets += record->rdata.len;
	return OK;
}

/* Of processor time: what others run beside us should not count. */
static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static struct span file_map(const char *path)
{
	struct stat status;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &status) != 0 || status.st_size == 0) {
		fprintf(stderr, "zone_text_speed: cannot read %s\n", path);
		exit(1);
	}
	size_t len = (size_t)status.st_size;
	const void *text = mmap(NULL, len, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	close(fd);
	if (text == MAP_FAILED) exit(1);
	return span_of(text, len);
}

static void complain(const struct diagnostics *diagnostics)
{
	char text[2048];

	for (size_t i = 0; i < diagnostics->count; i++) {
		diagnostic_print(&diagnostics->list[i], text, sizeof text);
		fputs(text, stderr);
	}
}

/* Seconds of one parse. */
static double parse_once(const struct text_kernel *kernel, struct name origin, const char *path,
			 struct span text, struct counts *counts)
{
	struct arena *arena = arena_new(1u << 30);
	struct diagnostics diagnostics = {.arena = arena};
	struct zone_text_parser parser = {.origin = origin,
					  .sink = count_record,
					  .context = counts,
					  .arena = arena,
					  .diagnostics = &diagnostics};

	*counts = (struct counts){0};
	double start = now_s();
	enum code code = zone_text_parse_with(kernel, &parser, path, text);
	double taken = now_s() - start;
	complain(&diagnostics);
	if (code) fprintf(stderr, "zone_text_speed: %s\n", code_name(code));
	arena_free(arena);
	return taken;
}

int main(int argc, char **argv)
{
	const struct text_kernel *kernels[TEXT_KERNELS_MAX];
	struct name_buffer origin;
	struct name root = name_root();
	struct error err;

	if (argc < 2 || argc > 5) {
		fprintf(stderr, "usage: zone_text_speed FILE [ORIGIN [ROUNDS [KERNEL]]]\n");
		return 2;
	}
	if (name_from_text(span_of_text(argc > 2 ? argv[2] : "."), &root, &origin, &err)) {
		fprintf(stderr, "zone_text_speed: %s\n", err.text);
		return 2;
	}
	int rounds = argc > 3 ? atoi(argv[3]) : 5;
	struct span text = file_map(argv[1]);
	size_t count = text_kernels(kernels);
	for (size_t i = 0; i < count; i++) {
		struct counts counts;
		double best = 1e9;
		if (argc > 4 && strcmp(argv[4], kernels[i]->name) != 0) continue;
		for (int round = 0; round < rounds; round++) {
			double taken =
				parse_once(kernels[i], name_of(&origin), argv[1], text, &counts);
			if (taken < best) best = taken;
		}
		printf("%-6s %8.0f MB/s %8.2f M records/s  %llu records, %llu octets of data\n",
		       kernels[i]->name, (double)text.len / best / 1e6,
		       (double)counts.records / best / 1e6, (unsigned long long)counts.records,
		       (unsigned long long)counts.octets);
	}
	return 0;
}
