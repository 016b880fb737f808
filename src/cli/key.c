/* SPDX-License-Identifier: Apache-2.0 */
/* key.c - TSIG keys: made, read from BIND's files, listed. */
#include "cli/client.h"
#include "cli/show.h"

#include "base/encoding.h"
#include "base/suggest.h"
#include "crypto/crypto.h"
#include "dns/tsig.h"
#include "host/file.h"
#include "host/random.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { SECRET_OCTETS_MAX = 1024, KEY_FILE_OCTETS_MAX = 64 << 10, WORD_MAX = 512 };

/* The keys: section, as a configuration has it. */
struct key_section {
	bool as_json;
	size_t count;
	struct json json;
};

static void section_begin(struct key_section *section, const struct invocation *invocation)
{
	section->as_json = invocation->options[OPTION_JSON];
	section->count = 0;
	if (!section->as_json) return;
	json_begin_stdout(&section->json);
	json_object_begin(&section->json);
	json_key(&section->json, "keys");
	json_array_begin(&section->json);
}

static void section_add(struct key_section *section, const char *name, const char *algorithm,
			const char *secret)
{
	struct json *j = &section->json;

	section->count++;
	if (!section->as_json) {
		printf("%s  - name: %s\n    algorithm: %s\n    secret: \"%s\"\n",
		       section->count == 1 ? "keys:\n" : "", name, algorithm, secret);
		return;
	}
	json_object_begin(j);
	json_key(j, "name");
	json_text(j, name);
	json_key(j, "algorithm");
	json_text(j, algorithm);
	json_key(j, "secret");
	json_text(j, secret);
	json_object_end(j);
}

static void section_end(struct key_section *section)
{
	if (!section->as_json) return;
	json_array_end(&section->json);
	json_object_end(&section->json);
	json_end_stdout(&section->json);
}

static int name_check(const char *name)
{
	struct name root = name_root();
	struct name_buffer parsed;
	struct error err;

	if (name_from_text(span_of_text(name), &root, &parsed, &err))
		return cli_usage("\"%s\" is not a name: %s", name, err.text);
	return CLI_DONE;
}

static int algorithm_find(const char *text, enum tsig_algorithm *algorithm)
{
	size_t count;
	const char *const *texts = tsig_algorithm_texts(&count);

	if (tsig_algorithm_from_text(span_of_text(text), algorithm)) return CLI_DONE;
	const char *near = suggest(span_of_text(text), texts, count);
	return cli_usage("no algorithm \"%s\"%s%s%s", text, near ? "; did you mean \"" : "",
			 near ? near : "", near ? "\"?" : "");
}

int command_KEY_GENERATE(const struct invocation *invocation)
{
	const char *name = invocation->arguments[0],
		   *wanted = invocation->options[OPTION_ALGORITHM];
	enum tsig_algorithm algorithm;
	uint8_t secret[DIGEST_LEN_MAX], text[2 * DIGEST_LEN_MAX];
	struct writer w = writer_of(text, sizeof text - 1);
	struct key_section section;
	int status = name_check(name);

	if (!status) status = algorithm_find(wanted ? wanted : "hmac-sha256", &algorithm);
	if (status) return status;
	/* As long as the hash: more adds nothing, less is weaker (RFC 8945 6). */
	size_t len = tsig_mac_len(algorithm) < 32 ? 32 : tsig_mac_len(algorithm);
	random_bytes(secret, len);
	base64_encode(span_of(secret, len), &w);
	text[w.len] = '\0';
	section_begin(&section, invocation);
	section_add(&section, name, tsig_algorithm_text(algorithm), (const char *)text);
	section_end(&section);
	secret_wipe(secret, sizeof secret);
	secret_wipe(text, sizeof text);
	return CLI_DONE;
}

/* --- BIND's key files: key "name" { algorithm hmac-sha256; secret "..."; }; --- */

struct words {
	const char *at, *end;
};

static bool begins_with(const struct words *words, const char *text)
{
	size_t len = strlen(text);

	return (size_t)(words->end - words->at) >= len && memcmp(words->at, text, len) == 0;
}

/* White space and comments of each kind. */
static void space_skip(struct words *words)
{
	for (;;) {
		while (words->at < words->end && isspace((unsigned char)*words->at)) words->at++;
		if (begins_with(words, "/*")) {
			const char *end = memmem(words->at + 2,
						 (size_t)(words->end - words->at) - 2, "*/", 2);
			words->at = end ? end + 2 : words->end;
		} else if (begins_with(words, "#") || begins_with(words, "//")) {
			while (words->at < words->end && *words->at != '\n') words->at++;
		} else {
			return;
		}
	}
}

/* The next word, quoted or not, or one of { } ; */
static bool word_next(struct words *words, char word[static WORD_MAX])
{
	size_t len = 0;

	space_skip(words);
	if (words->at == words->end) return false;
	if (strchr("{};", *words->at)) {
		word[0] = *words->at++;
		word[1] = '\0';
		return true;
	}
	bool quoted = *words->at == '"';
	if (quoted) words->at++;
	while (words->at < words->end && len + 1 < WORD_MAX &&
	       (quoted ? *words->at != '"'
		       : !isspace((unsigned char)*words->at) && !strchr("{};\"", *words->at)))
		word[len++] = *words->at++;
	if (quoted && words->at < words->end) words->at++;
	word[len] = '\0';
	return true;
}

static bool word_is(struct words *words, const char *expected)
{
	char word[WORD_MAX];

	return word_next(words, word) && strcmp(word, expected) == 0;
}

/* Behind the word "key". */
static bool key_read(struct words *words, char name[static WORD_MAX],
		     char algorithm[static WORD_MAX], char secret[static WORD_MAX])
{
	char word[WORD_MAX];

	algorithm[0] = secret[0] = '\0';
	if (!word_next(words, name) || !word_is(words, "{")) return false;
	while (word_next(words, word) && strcmp(word, "}") != 0) {
		char *to = strcmp(word, "algorithm") == 0 ? algorithm
			   : strcmp(word, "secret") == 0  ? secret
							  : NULL;
		if (!to || !word_next(words, to) || !word_is(words, ";")) return false;
	}
	return algorithm[0] && secret[0];
}

/* Checks one key and adds it to the section; NULL: it is checked only. */
static int key_take(const char *path, struct words *words, struct key_section *section)
{
	char name[WORD_MAX], algorithm[WORD_MAX], secret[WORD_MAX];
	uint8_t octets[SECRET_OCTETS_MAX];
	struct writer w = writer_of(octets, sizeof octets);
	enum tsig_algorithm known;

	if (!key_read(words, name, algorithm, secret))
		return cli_failed("%s: expected key NAME { algorithm ...; secret \"...\"; };",
				  path);
	if (!tsig_algorithm_from_text(span_of_text(algorithm), &known))
		return cli_failed(
			"%s: key %s uses %s, which is not supported (RFC 8945 forbids new "
			"uses of hmac-md5)",
			path, name, algorithm);
	if (!base64_decode(span_of_text(secret), &w) || w.overflow)
		return cli_failed("%s: the secret of key %s is not base64", path, name);
	int status = name_check(name);
	if (!status && section) section_add(section, name, tsig_algorithm_text(known), secret);
	secret_wipe(secret, sizeof secret);
	secret_wipe(octets, sizeof octets);
	return status;
}

static int keys_take(const char *path, struct span text, struct key_section *section)
{
	struct words words = {(const char *)text.ptr, (const char *)text.ptr + text.len};
	char word[WORD_MAX];
	int status = CLI_DONE, count = 0;

	while (!status && word_next(&words, word)) {
		if (strcmp(word, "key") != 0) continue;
		status = key_take(path, &words, section);
		count++;
	}
	if (!status && !count) return cli_failed("%s: there is no key in it", path);
	return status;
}

int command_KEY_IMPORT(const struct invocation *invocation)
{
	const char *path = invocation->arguments[0];
	struct arena *arena = arena_new(1 << 20);
	struct file_identity identity;
	struct key_section section;
	struct span text;
	struct error err;

	if (!arena) return cli_failed("no memory");
	if (file_read(path, KEY_FILE_OCTETS_MAX, arena, &text, &identity, &err)) {
		arena_free(arena);
		return cli_failed("%s", err.text);
	}
	/* All of them or none: half a section would be taken for a whole one. */
	int status = keys_take(path, text, NULL);
	if (!status) {
		section_begin(&section, invocation);
		status = keys_take(path, text, &section);
		section_end(&section);
	}
	arena_free(arena);
	return status;
}

static void names_join(const json_t *names, char *text, size_t cap)
{
	size_t i, len = 0;
	json_t *name;

	text[0] = '\0';
	json_array_foreach(names, i, name)
	{
		int n = snprintf(text + len, cap - len, "%s%s", i ? ", " : "",
				 json_string_value(name));
		if (n < 0 || (size_t)n >= cap - len) return;
		len += (size_t)n;
	}
}

int command_KEY_LIST(const struct invocation *invocation)
{
	json_t *result, *key;
	struct table table;
	size_t i;
	int exit_status = client_ask(invocation, json_object(), &result);

	if (!result) return exit_status;
	table_begin(&table, 4, (const char *[]){"KEY", "ALGORITHM", "BITS", "REMOTES"});
	json_array_foreach(json_object_get(result, "keys"), i, key)
	{
		char bits[16], remotes[TABLE_CELL_MAX];
		snprintf(bits, sizeof bits, "%lld", (long long)field_int(key, "bits"));
		names_join(json_object_get(key, "remotes"), remotes, sizeof remotes);
		table_row(&table, (const char *[]){field_text(key, "name"),
						   field_text(key, "algorithm"), bits, remotes});
	}
	table_end(&table);
	json_decref(result);
	return exit_status;
}
