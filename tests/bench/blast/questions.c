/* SPDX-License-Identifier: Apache-2.0 */
#include "../question.h"
#include "blast.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TRAIN_PACKETS = 16 };

/* A row of the file and where its question lies. */
struct entry {
	const uint8_t *question;
	struct question_row row;
};

static uint64_t random_state = 20261122;

static uint64_t random_below(uint64_t limit)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state % limit;
}

static struct entry *entries_read(const char *path, size_t *count)
{
	struct stat status;
	struct question_head head;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &status) < 0) die("%s: %s", path, strerror(errno));
	size_t len = (size_t)status.st_size;
	if (len < sizeof head) die("%s: too short for a file of questions", path);
	const uint8_t *file = mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, 0);
	if (file == MAP_FAILED) die("%s: cannot be mapped", path);
	close(fd);

	memcpy(&head, file, sizeof head);
	if (memcmp(head.magic, question_magic, sizeof head.magic) != 0)
		die("%s: not a file of questions; make_zones writes one", path);
	if (head.count == 0 || head.count > len / sizeof(struct question_row))
		die("%s: says that it has %llu questions", path, (unsigned long long)head.count);
	struct entry *entries = calloc(head.count, sizeof *entries);
	if (!entries) die("no memory for %llu questions", (unsigned long long)head.count);

	size_t at = sizeof head;
	for (size_t i = 0; i < head.count; i++) {
		struct entry *e = &entries[i];
		if (len - at < sizeof e->row) die("%s: ends inside question %zu", path, i);
		memcpy(&e->row, file + at, sizeof e->row);
		at += sizeof e->row;
		if (e->row.len > QUESTION_OCTETS_MAX || len - at < e->row.len)
			die("%s: ends inside question %zu", path, i);
		e->question = file + at;
		at += e->row.len;
	}
	*count = head.count;
	return entries;
}

/* Header with RD clear, question, OPT with 1232 octets: as a resolver asks. */
static void packet_write(uint8_t *to, const struct entry *e, bool dnssec_ok, bool has_length)
{
	static const uint8_t header[HEADER_OCTETS] = {[5] = 1, [11] = 1};
	uint8_t opt[OPT_OCTETS] = {0, 0, 41, 1232 >> 8, 1232 & 0xff, 0, 0, 0, 0, 0, 0};
	size_t len = HEADER_OCTETS + e->row.len + OPT_OCTETS;

	opt[7] = dnssec_ok ? 0x80 : 0;
	if (has_length) {
		*to++ = (uint8_t)(len >> 8);
		*to++ = (uint8_t)len;
	}
	memcpy(to, header, sizeof header);
	memcpy(to + HEADER_OCTETS, e->question, e->row.len);
	memcpy(to + HEADER_OCTETS + e->row.len, opt, sizeof opt);
}

static void trains_shuffle(struct questions *q)
{
	for (size_t i = q->train_count; i > 1; i--) {
		size_t other = random_below(i);
		struct train swapped = q->trains[i - 1];
		q->trains[i - 1] = q->trains[other];
		q->trains[other] = swapped;
	}
}

/* Entries of one length, in the order of the file, which is random. */
static void trains_of_length(struct questions *q, const struct entry *entries, size_t count,
			     uint16_t len, const struct options *o, uint64_t *at)
{
	size_t front = q->has_length ? 2 : 0;
	struct train *train = NULL;

	for (size_t i = 0; i < count; i++) {
		if (entries[i].row.len != len) continue;
		if (!train || train->count == TRAIN_PACKETS) {
			train = &q->trains[q->train_count++];
			*train = (struct train){
				*at, (uint32_t)q->packet_count, 0,
				(uint16_t)(front + HEADER_OCTETS + len + OPT_OCTETS)};
		}
		packet_write(q->packets + *at, &entries[i], o->dnssec_ok, q->has_length);
		q->expected[q->packet_count++] =
			(struct expectation){entries[i].row.rcode, entries[i].row.wants};
		*at += train->len;
		train->count++;
	}
}

void questions_read(struct questions *q, const struct options *o, bool has_length)
{
	size_t count, octets = 0, lengths[QUESTION_OCTETS_MAX + 1] = {0}, trains = 0;
	struct entry *entries = entries_read(o->questions, &count);
	uint64_t at = 0;

	*q = (struct questions){.has_length = has_length};
	for (size_t i = 0; i < count; i++) {
		octets += (has_length ? 2U : 0U) + HEADER_OCTETS + entries[i].row.len + OPT_OCTETS;
		lengths[entries[i].row.len]++;
	}
	for (size_t len = 0; len <= QUESTION_OCTETS_MAX; len++)
		trains += (lengths[len] + TRAIN_PACKETS - 1) / TRAIN_PACKETS;
	q->packets = malloc(octets);
	q->trains = calloc(trains, sizeof *q->trains);
	q->expected = calloc(count, sizeof *q->expected);
	if (!q->packets || !q->trains || !q->expected) die("no memory for the questions");
	for (size_t len = 0; len <= QUESTION_OCTETS_MAX; len++)
		if (lengths[len]) trains_of_length(q, entries, count, (uint16_t)len, o, &at);
	free(entries);
	trains_shuffle(q);
}

void questions_free(struct questions *q)
{
	free(q->packets);
	free(q->trains);
	free(q->expected);
	*q = (struct questions){0};
}

unsigned questions_next_train(struct questions *q, unsigned max, struct packet *first)
{
	const struct train *train = &q->trains[q->next_train];
	size_t skipped = q->next_in_train;
	size_t left = train->count - skipped;
	unsigned count = left < max ? (unsigned)left : max;

	*first = (struct packet){q->packets + train->at + skipped * train->len, train->len,
				 train->first + (uint32_t)skipped};
	q->next_in_train += count;
	if (q->next_in_train == train->count) {
		q->next_in_train = 0;
		q->next_train = (q->next_train + 1) % q->train_count;
	}
	return count;
}

struct packet questions_next(struct questions *q)
{
	struct packet packet;

	questions_next_train(q, 1, &packet);
	return packet;
}
