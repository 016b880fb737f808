/* SPDX-License-Identifier: Apache-2.0 */
/*
 * make_zones - the zones and the questions of the bench, always the same for one count.
 *
 *   make_zones root FOLDER COUNT          the root, with so many delegations
 *   make_zones delegations FOLDER COUNT   tld., each delegation with two name servers
 *   make_zones hosts FOLDER COUNT         hosts.test., names with addresses
 *   make_zones zones FOLDER COUNT         so many small zones, 13 records each
 *
 * Writes FOLDER/NAME.zone (of zones FOLDER/zones/NAME.zone), FOLDER/names (one zone a line),
 * FOLDER/records (their number), and the questions: FOLDER/hits, and FOLDER/misses, where
 * every second name does not exist. Sorted, as zone files of registries are.
 */
#include "question.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
	LABEL_MAX = 16,
	NAME_TEXT_MAX = 96,
	PATH_TEXT_MAX = 512,
	FILE_BUFFER = 1 << 20,
	SUFFIX_LETTERS = 5,
	SUFFIX_COUNT = 11881376, /* 26 to the 5th */
	COUNT_MAX = 11000000,
	QUESTIONS_MAX = 400000,
	QUESTIONS_MIN = 50000,
	HOSTERS = 5000,
	TYPE_A = 1,
	TYPE_MX = 15,
	TYPE_TXT = 16,
	TYPE_AAAA = 28,
};

struct label {
	char text[LABEL_MAX];
};

struct work {
	const char *folder;
	size_t count;
	struct label *labels; /* sorted */
	FILE *zone;
	uint64_t records;
	FILE *questions;
	uint64_t question_count;
};

static uint64_t random_state;

static __attribute__((format(printf, 1, 2))) _Noreturn void die(const char *format, ...)
{
	va_list values;

	va_start(values, format);
	fputs("make_zones: ", stderr);
	vfprintf(stderr, format, values);
	va_end(values);
	fputc('\n', stderr);
	exit(1);
}

static uint64_t random_next(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static uint64_t random_below(uint64_t limit)
{
	return (random_next() >> 16) % limit;
}

/* The same for one number, in whatever order it is asked for. */
static uint64_t mixed(uint64_t value)
{
	value = (value ^ value >> 31) * UINT64_C(0x7fb5d329728ea185);
	value = (value ^ value >> 27) * UINT64_C(0x81dadef4bc2dd44d);
	return value ^ value >> 33;
}

static FILE *file_open(const char *folder, const char *name)
{
	char path[PATH_TEXT_MAX];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *file = fopen(path, "we");
	if (!file) die("%s: %s", path, strerror(errno));
	return file;
}

static void file_close(FILE *file)
{
	if (fclose(file) != 0) die("a file could not be written: %s", strerror(errno));
}

/* --- names --- */

/* One to three syllables, then five letters that no other number has. */
static void label_make(size_t number, struct label *label)
{
	static const char consonants[] = "bcdfghjklmnprstvwz", vowels[] = "aeiou";
	uint64_t bits = mixed(number + 1);
	uint64_t suffix = (number * UINT64_C(7368787) + 12345) % SUFFIX_COUNT;
	char *to = label->text;

	for (uint64_t syllables = 1 + bits % 3; syllables > 0; syllables--) {
		*to++ = consonants[(bits >>= 5) % 18];
		*to++ = vowels[(bits >>= 3) % 5];
	}
	for (int i = 0; i < SUFFIX_LETTERS; i++) {
		*to++ = (char)('a' + suffix % 26);
		suffix /= 26;
	}
	*to = '\0';
}

static int label_compare(const void *a, const void *b)
{
	return strcmp(((const struct label *)a)->text, ((const struct label *)b)->text);
}

static void labels_make(struct work *w)
{
	w->labels = calloc(w->count, sizeof *w->labels);
	if (!w->labels) die("no memory for %zu names", w->count);
	for (size_t i = 0; i < w->count; i++) label_make(i, &w->labels[i]);
	qsort(w->labels, w->count, sizeof *w->labels, label_compare);
}

/* --- records --- */

static __attribute__((format(printf, 2, 3))) void record(struct work *w, const char *format, ...)
{
	va_list values;

	va_start(values, format);
	vfprintf(w->zone, format, values);
	va_end(values);
	fputc('\n', w->zone);
	w->records++;
}

static void zone_begin(struct work *w, const char *file, const char *origin)
{
	w->zone = file_open(w->folder, file);
	setvbuf(w->zone, NULL, _IOFBF, FILE_BUFFER);
	fprintf(w->zone, "$ORIGIN %s\n$TTL 3600\n", origin);
	record(w, "@ IN SOA ns1.bench.net. hostmaster.bench.net. 1 7200 3600 1209600 300");
}

static void names_write(struct work *w, const char *name)
{
	FILE *names = file_open(w->folder, "names");

	fprintf(names, "%s\n", name);
	file_close(names);
}

static void address_record(struct work *w, const char *owner, uint64_t key)
{
	uint64_t bits = mixed(key + 1);

	record(w, "%s IN A 10.%u.%u.%u", owner, (unsigned)(bits & 0xff),
	       (unsigned)(bits >> 8 & 0xff), (unsigned)(bits >> 16 & 0xff));
}

static void address6_record(struct work *w, const char *owner, uint64_t key)
{
	uint64_t bits = mixed(key + 1);

	record(w, "%s IN AAAA 2001:db8:%x:%x::%x", owner, (unsigned)(bits & 0xffff),
	       (unsigned)(bits >> 16 & 0xffff), (unsigned)(1 + (bits >> 32 & 0xfff)));
}

/* --- questions --- */

static void questions_begin(struct work *w, const char *file)
{
	struct question_head head = {.count = 0};

	random_state = UINT64_C(0x9e3779b97f4a7c15);
	w->questions = file_open(w->folder, file);
	setvbuf(w->questions, NULL, _IOFBF, FILE_BUFFER);
	w->question_count = 0;
	fwrite(&head, sizeof head, 1, w->questions);
}

static void questions_end(struct work *w)
{
	struct question_head head = {.count = w->question_count};

	memcpy(head.magic, question_magic, sizeof head.magic);
	rewind(w->questions);
	fwrite(&head, sizeof head, 1, w->questions);
	file_close(w->questions);
}

static void question(struct work *w, const char *name, unsigned type, unsigned rcode,
		     unsigned wants)
{
	uint8_t wire[QUESTION_OCTETS_MAX];
	size_t at = 0;

	while (*name) {
		size_t len = strcspn(name, ".");
		wire[at++] = (uint8_t)len;
		memcpy(wire + at, name, len);
		at += len;
		name += len + (name[len] == '.');
	}
	memcpy(wire + at, (uint8_t[]){0, 0, (uint8_t)type, 0, 1}, 5);
	struct question_row row = {(uint16_t)(at + 5), (uint8_t)rcode, (uint8_t)wants};
	fwrite(&row, sizeof row, 1, w->questions);
	fwrite(wire, row.len, 1, w->questions);
	w->question_count++;
}

static size_t question_wish(const struct work *w)
{
	size_t wish = 2 * w->count;

	if (wish < QUESTIONS_MIN) return QUESTIONS_MIN;
	return wish < QUESTIONS_MAX ? wish : QUESTIONS_MAX;
}

enum {
	NXDOMAIN = 3,
	WANTS_REFERRAL = WANTS_NO_AA | WANTS_AUTHORITY | WANTS_RRSIG,
	WANTS_HIT = WANTS_AA | WANTS_ANSWER | WANTS_RRSIG,
	WANTS_MISS = WANTS_AA | WANTS_AUTHORITY | WANTS_RRSIG | WANTS_DENIAL,
};

/* A name that no label_make makes: those begin with a letter. */
static void question_missing(struct work *w, const char *origin)
{
	char name[NAME_TEXT_MAX];
	struct label label;

	label_make(random_below(COUNT_MAX), &label);
	snprintf(name, sizeof name, "%u%s%s%s", (unsigned)random_below(10), label.text,
		 *origin ? "." : "", origin);
	question(w, name, TYPE_A, NXDOMAIN, WANTS_MISS);
}

/* --- the root --- */

static bool is_secure(size_t number)
{
	return number % 10 != 9;
}

static void top_level(struct work *w, size_t number)
{
	const char *tld = w->labels[number].text;
	uint64_t bits = mixed(number + 77);
	unsigned servers = 5 + bits % 2;
	bool is_own = number == 0 || bits / 2 % 3 != 0;
	/* The others share the servers of an operator, whose glue stands with its own name. */
	size_t operator= is_own ? number : bits / 8 % 20 * 3 % w->count;
	char owner[NAME_TEXT_MAX];

	for (unsigned i = 0; i < servers; i++)
		record(w, "%s IN NS %c.%s.%s.", tld, 'a' + i, is_own ? "nic" : "operator",
		       w->labels[operator].text);
	if (is_secure(number))
		record(w, "%s IN DS %u 13 2 %016llx%016llx%016llx%016llx", tld,
		       (unsigned)(bits & 0xffff), (unsigned long long)mixed(bits),
		       (unsigned long long)mixed(bits + 1), (unsigned long long)mixed(bits + 2),
		       (unsigned long long)mixed(bits + 3));
	for (unsigned i = 0; is_own && i < servers; i++) {
		snprintf(owner, sizeof owner, "%c.nic.%s", 'a' + i, tld);
		address_record(w, owner, bits + i);
		if (i < 4) address6_record(w, owner, bits + i);
	}
	if (number > 57 || number % 3 != 0) return;
	for (unsigned i = 0; i < 6; i++) {
		snprintf(owner, sizeof owner, "%c.operator.%s", 'a' + i, tld);
		address_record(w, owner, bits + 100 + i);
		if (i < 4) address6_record(w, owner, bits + 100 + i);
	}
}

static void root_questions(struct work *w, const char *file, bool with_misses)
{
	char name[NAME_TEXT_MAX];

	questions_begin(w, file);
	for (size_t i = question_wish(w); i > 0; i--) {
		size_t number = random_below(w->count);
		struct label label;
		if (with_misses && i % 2) {
			question_missing(w, "");
			continue;
		}
		label_make(random_below(COUNT_MAX), &label);
		snprintf(name, sizeof name, "%s.%s", label.text, w->labels[number].text);
		question(w, name, random_below(4) ? TYPE_A : TYPE_AAAA, 0,
			 WANTS_REFERRAL | (is_secure(number) ? 0 : WANTS_DENIAL));
	}
	questions_end(w);
}

static void root_make(struct work *w)
{
	labels_make(w);
	zone_begin(w, "root.zone", ".");
	for (unsigned i = 0; i < 13; i++)
		record(w, "@ IN NS %c.nic.%s.", 'a' + i, w->labels[0].text);
	for (size_t i = 0; i < w->count; i++) top_level(w, i);
	for (unsigned i = 6; i < 13; i++) {
		char owner[NAME_TEXT_MAX];
		snprintf(owner, sizeof owner, "%c.nic.%s", 'a' + i, w->labels[0].text);
		address_record(w, owner, 500 + i);
	}
	file_close(w->zone);
	names_write(w, ". root.zone");
	root_questions(w, "hits", false);
	root_questions(w, "misses", true);
}

/* --- delegations --- */

static void delegation(struct work *w, size_t number)
{
	const char *name = w->labels[number].text;
	char owner[NAME_TEXT_MAX];

	if (number % 10 != 0) {
		unsigned hoster = (unsigned)(mixed(number) % HOSTERS);
		record(w, "%s IN NS ns1.hoster%u.net.", name, hoster);
		record(w, "%s IN NS ns2.hoster%u.net.", name, hoster);
		return;
	}
	record(w, "%s IN NS ns1.%s", name, name);
	record(w, "%s IN NS ns2.%s", name, name);
	for (unsigned i = 1; i <= 2; i++) {
		snprintf(owner, sizeof owner, "ns%u.%s", i, name);
		address_record(w, owner, 2 * number + i);
	}
}

static void delegation_questions(struct work *w, const char *file, bool with_misses)
{
	char name[NAME_TEXT_MAX];

	questions_begin(w, file);
	for (size_t i = question_wish(w); i > 0; i--) {
		if (with_misses && i % 2) {
			question_missing(w, "tld");
			continue;
		}
		snprintf(name, sizeof name, "%s%s.tld", random_below(2) ? "www." : "",
			 w->labels[random_below(w->count)].text);
		question(w, name, random_below(4) ? TYPE_A : TYPE_AAAA, 0,
			 WANTS_REFERRAL | WANTS_DENIAL);
	}
	questions_end(w);
}

static void delegations_make(struct work *w)
{
	labels_make(w);
	zone_begin(w, "tld.zone", "tld.");
	record(w, "@ IN NS ns1.bench.net.");
	record(w, "@ IN NS ns2.bench.net.");
	for (size_t i = 0; i < w->count; i++) delegation(w, i);
	file_close(w->zone);
	names_write(w, "tld tld.zone");
	delegation_questions(w, "hits", false);
	delegation_questions(w, "misses", true);
}

/* --- hosts --- */

static void host_questions(struct work *w, const char *file, bool with_misses)
{
	char name[NAME_TEXT_MAX];

	questions_begin(w, file);
	for (size_t i = question_wish(w); i > 0; i--) {
		size_t number = random_below(w->count);
		if (with_misses && i % 2) {
			question_missing(w, "hosts.test");
			continue;
		}
		snprintf(name, sizeof name, "%s.hosts.test", w->labels[number].text);
		question(w, name, number % 2 || random_below(4) ? TYPE_A : TYPE_AAAA, 0, WANTS_HIT);
	}
	questions_end(w);
}

static void hosts_make(struct work *w)
{
	labels_make(w);
	zone_begin(w, "hosts.test.zone", "hosts.test.");
	record(w, "@ IN NS ns1.bench.net.");
	record(w, "@ IN NS ns2.bench.net.");
	for (size_t i = 0; i < w->count; i++) {
		address_record(w, w->labels[i].text, i);
		if (i % 2 == 0) address6_record(w, w->labels[i].text, i);
	}
	file_close(w->zone);
	names_write(w, "hosts.test hosts.test.zone");
	host_questions(w, "hits", false);
	host_questions(w, "misses", true);
}

/* --- many zones --- */

static const char *zone_suffix(size_t number)
{
	static const char *const suffixes[] = {"com", "de", "net", "org", "info", "shop"};

	return suffixes[number % (sizeof suffixes / sizeof suffixes[0])];
}

static void small_zone(struct work *w, size_t number)
{
	char origin[NAME_TEXT_MAX], file[NAME_TEXT_MAX + 16];
	unsigned hoster = (unsigned)(mixed(number) % HOSTERS);

	snprintf(origin, sizeof origin, "%s.%s.", w->labels[number].text, zone_suffix(number));
	snprintf(file, sizeof file, "zones/%szone", origin);
	zone_begin(w, file, origin);
	record(w, "@ IN NS ns1.hoster%u.net.", hoster);
	record(w, "@ IN NS ns2.hoster%u.net.", hoster);
	address_record(w, "@", number);
	address6_record(w, "@", number);
	record(w, "@ IN MX 10 mail");
	record(w, "@ IN TXT \"v=spf1 mx include:spf.hoster%u.net -all\"", hoster);
	record(w, "_dmarc IN TXT \"v=DMARC1; p=none\"");
	record(w, "autoconfig IN CNAME autoconfig.hoster%u.net.", hoster);
	record(w, "ftp IN CNAME www");
	address_record(w, "mail", number + 1);
	address_record(w, "www", number);
	address6_record(w, "www", number);
	file_close(w->zone);
}

static void zone_question(struct work *w)
{
	static const struct {
		const char *prefix;
		unsigned type;
	} kinds[] = {{"www.", TYPE_A}, {"www.", TYPE_A}, {"www.", TYPE_AAAA},   {"", TYPE_A},
		     {"", TYPE_AAAA},  {"", TYPE_MX},    {"_dmarc.", TYPE_TXT}, {"mail.", TYPE_A}};
	char name[NAME_TEXT_MAX];
	size_t number = random_below(w->count), kind = random_below(sizeof kinds / sizeof *kinds);

	snprintf(name, sizeof name, "%s%s.%s", kinds[kind].prefix, w->labels[number].text,
		 zone_suffix(number));
	question(w, name, kinds[kind].type, 0, WANTS_HIT);
}

static void zone_questions(struct work *w, const char *file, bool with_misses)
{
	char origin[NAME_TEXT_MAX];

	questions_begin(w, file);
	for (size_t i = question_wish(w); i > 0; i--) {
		size_t number = random_below(w->count);
		snprintf(origin, sizeof origin, "%s.%s", w->labels[number].text,
			 zone_suffix(number));
		if (with_misses && i % 2)
			question_missing(w, origin);
		else
			zone_question(w);
	}
	questions_end(w);
}

static void zones_make(struct work *w)
{
	char folder[PATH_TEXT_MAX];

	labels_make(w);
	snprintf(folder, sizeof folder, "%s/zones", w->folder);
	if (mkdir(folder, 0755) < 0 && errno != EEXIST) die("%s: %s", folder, strerror(errno));
	for (size_t i = 0; i < w->count; i++) small_zone(w, i);
	FILE *names = file_open(w->folder, "names");
	for (size_t i = 0; i < w->count; i++)
		fprintf(names, "%s.%s zones/%s.%s.zone\n", w->labels[i].text, zone_suffix(i),
			w->labels[i].text, zone_suffix(i));
	file_close(names);
	zone_questions(w, "hits", false);
	zone_questions(w, "misses", true);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*make)(struct work *w);
	} kinds[] = {{"root", root_make},
		     {"delegations", delegations_make},
		     {"hosts", hosts_make},
		     {"zones", zones_make}};
	char *end = NULL;
	struct work w = {.folder = argc == 4 ? argv[2] : ""};

	w.count = argc == 4 ? strtoull(argv[3], &end, 10) : 0;
	for (size_t i = 0; w.count && i < sizeof kinds / sizeof kinds[0]; i++) {
		if (strcmp(argv[1], kinds[i].name) != 0) continue;
		if (*end || w.count < 60 || w.count > COUNT_MAX)
			die("%s: a count from 60 to %d is needed", argv[3], COUNT_MAX);
		if (mkdir(w.folder, 0755) < 0 && errno != EEXIST)
			die("%s: %s", w.folder, strerror(errno));
		kinds[i].make(&w);
		FILE *records = file_open(w.folder, "records");
		fprintf(records, "%llu\n", (unsigned long long)w.records);
		file_close(records);
		free(w.labels);
		return 0;
	}
	fprintf(stderr, "usage: make_zones root|delegations|hosts|zones FOLDER COUNT\n");
	return 2;
}
