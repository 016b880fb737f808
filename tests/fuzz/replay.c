/* SPDX-License-Identifier: Apache-2.0 */
/* replay.c - runs a fuzz target over every file of the folders it is given, in order of name. */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

enum { SEED_OCTETS_MAX = 1 << 20 };

/* In a copy of exactly its size, so that a sanitizer sees a read beyond the end. */
static int replay_file(const char *folder, const char *name)
{
	static uint8_t room[SEED_OCTETS_MAX];
	char path[4096];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *file = fopen(path, "rb");
	if (!file) {
		perror(path);
		return -1;
	}
	size_t size = fread(room, 1, sizeof room, file);
	fclose(file);
	uint8_t *seed = malloc(size ? size : 1);
	if (!seed) abort();
	for (size_t i = 0; i < size; i++) seed[i] = room[i];
	LLVMFuzzerTestOneInput(seed, size);
	free(seed);
	return 1;
}

static int replay_folder(const char *folder)
{
	struct dirent **entries;
	int count = scandir(folder, &entries, NULL, alphasort), seeds = 0;

	if (count < 0) perror(folder);
	for (int i = 0; i < count; i++) {
		if (entries[i]->d_name[0] != '.') {
			int one = replay_file(folder, entries[i]->d_name);
			seeds = one < 0 || seeds < 0 ? -1 : seeds + one;
		}
		free(entries[i]);
	}
	if (count >= 0) free(entries);
	return count < 0 ? -1 : seeds;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		int seeds = replay_folder(argv[i]);

		if (seeds <= 0) {
			fprintf(stderr, "%s: no seeds were read\n", argv[i]);
			return 1;
		}
		printf("%s: %d seeds\n", argv[i], seeds);
	}
	return 0;
}
