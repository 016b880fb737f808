/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What signed zones say of what they do not have: which links, in which order, and, over
 * random zones, whether a validator that knows nothing else would believe it. Signatures
 * are dummies.
 */
#include "answer_fixture.h"

#include "dns/nsec3.h"

enum { NAMES_MAX = 24, ZONES = 400, QUESTIONS = 150, SEEN_MAX = 200, ZONE_TEXT_MAX = 1 << 18 };

enum chain { CHAIN_NSEC, CHAIN_NSEC3, CHAIN_OPT_OUT, CHAIN_TWO_NSEC3, CHAIN_COUNT };

enum kind { KIND_APEX, KIND_DATA, KIND_CUT, KIND_SECURE_CUT, KIND_CNAME, KIND_DNAME, KIND_NONE };

struct entry {
	struct name name;
	enum kind kind; /* KIND_NONE: an empty non-terminal */
	bool occluded;
	uint8_t hash[NSEC3_HASH_OCTETS];
};

static struct world world;
static struct entry entries[4 * NAMES_MAX];
static size_t entry_count;
static char zone_text[ZONE_TEXT_MAX];
static size_t zone_len;
static uint32_t seed;
static struct nsec3_params params = {.algorithm = NSEC3_SHA1, .iterations = 1};

static uint32_t random_below(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

static void put(const char *format, ...) printf_like(1, 2);

static void put(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	zone_len +=
		(size_t)vsnprintf(zone_text + zone_len, sizeof zone_text - zone_len, format, args);
	va_end(args);
	CHECK(zone_len < sizeof zone_text);
}

/* ---- signing ---- */

/* Owners with this type mnemonic, signed: a wildcard's label does not count (RFC 4034 3.1.3). */
static void put_signature(struct name owner, const char *type)
{
	char text[NAME_TEXT_MAX];
	unsigned labels = name_label_count(owner) - name_is_wildcard(owner);

	put("%s RRSIG %s 13 %u 3600 20270101000000 20260101000000 1 z. AAAA\n",
	    name_to_text(owner, text), type, labels);
}

static void put_set(struct name owner, const char *type, const char *rdata)
{
	char text[NAME_TEXT_MAX];

	put("%s %s %s\n", name_to_text(owner, text), type, rdata);
	put_signature(owner, type);
}

static const char *types_of_kind(enum kind kind)
{
	switch (kind) {
	case KIND_APEX: return "NS SOA RRSIG DNSKEY";
	case KIND_DATA: return "A TXT RRSIG";
	case KIND_CUT: return "NS";
	case KIND_SECURE_CUT: return "NS DS RRSIG";
	case KIND_CNAME: return "CNAME RRSIG";
	case KIND_DNAME: return "DNAME RRSIG";
	case KIND_NONE: return "";
	}
	return "";
}

static void put_data(const struct entry *entry)
{
	char text[NAME_TEXT_MAX];
	static const char *const targets[] = {"a.z.",  "b.a.z.", "x.c.z.",
					      "else.", "c.z.",   "a.b.c.z."};
	const char *target = targets[random_below(ARRAY_COUNT(targets))];

	name_to_text(entry->name, text);
	if (entry->occluded) {
		put("%s A 192.0.2.9\n", text);
		return;
	}
	switch (entry->kind) {
	case KIND_APEX:
		put_set(entry->name, "SOA", "a.z. b.z. 1 1 1 1 60");
		put_set(entry->name, "NS", "ns.else.");
		put_set(entry->name, "DNSKEY", "256 3 13 AAAA");
		break;
	case KIND_DATA:
		put_set(entry->name, "A", "192.0.2.1");
		put_set(entry->name, "TXT", "x");
		break;
	case KIND_SECURE_CUT:
	case KIND_CUT:
		put("%s NS ns.else.\n", text);
		if (entry->kind == KIND_SECURE_CUT)
			put_set(entry->name, "DS",
				"1 13 2 00000000000000000000000000000000"
				"00000000000000000000000000000000");
		break;
	case KIND_CNAME: put_set(entry->name, "CNAME", target); break;
	case KIND_DNAME: put_set(entry->name, "DNAME", target); break;
	case KIND_NONE: break;
	}
}

static void put_nsec_chain(void)
{
	size_t in_chain[ARRAY_COUNT(entries)], count = 0;
	char owner[NAME_TEXT_MAX], next[NAME_TEXT_MAX];

	for (size_t i = 0; i < entry_count; i++)
		if (!entries[i].occluded && entries[i].kind != KIND_NONE) in_chain[count++] = i;
	for (size_t i = 0; i < count; i++) {
		const struct entry *entry = &entries[in_chain[i]];
		put("%s NSEC %s %s %s NSEC\n", name_to_text(entry->name, owner),
		    name_to_text(entries[in_chain[(i + 1) % count]].name, next),
		    types_of_kind(entry->kind), entry->kind == KIND_CUT ? "RRSIG" : "");
		put_signature(entry->name, "NSEC");
	}
}

/* An empty non-terminal above nothing but delegations without DS (RFC 5155 7.1). */
static bool stands_above_cuts_only(const struct entry *entry)
{
	if (entry->kind != KIND_NONE) return false;
	for (size_t i = 0; i < entry_count; i++) {
		const struct entry *other = &entries[i];
		if (other->occluded || other->kind == KIND_CUT || other->kind == KIND_NONE)
			continue;
		if (name_is_below(other->name, entry->name)) return false;
	}
	return true;
}

static void put_nsec3_chain(enum chain chain)
{
	const struct entry *sorted[ARRAY_COUNT(entries)];
	size_t count = 0;
	struct name apex = entries[0].name;

	for (size_t i = 0; i < entry_count; i++) {
		struct entry *entry = &entries[i];
		size_t to = count;
		if (entry->occluded) continue;
		if (chain == CHAIN_OPT_OUT &&
		    (entry->kind == KIND_CUT || stands_above_cuts_only(entry)))
			continue;
		CHECK(nsec3_hash(world.crypto, &params, entry->name, entry->hash));
		for (; to > 0 && memcmp(sorted[to - 1]->hash, entry->hash, 20) > 0; to--)
			sorted[to] = sorted[to - 1];
		sorted[to] = entry;
		count++;
	}
	for (size_t i = 0; i < count; i++) {
		struct name_buffer owner, next;
		char owner_text[NAME_TEXT_MAX], next_text[NAME_TEXT_MAX];
		CHECK(nsec3_owner(sorted[i]->hash, apex, &owner));
		CHECK(nsec3_owner(sorted[(i + 1) % count]->hash, apex, &next));
		name_to_text(name_of(&next), next_text)[32] = '\0';
		put("%s NSEC3 1 %d %u - %s %s%s\n", name_to_text(name_of(&owner), owner_text),
		    chain == CHAIN_OPT_OUT, params.iterations, next_text,
		    types_of_kind(sorted[i]->kind),
		    sorted[i]->kind == KIND_APEX ? " NSEC3PARAM" : "");
		put_signature(name_of(&owner), "NSEC3");
	}
}

/* ---- random zones ---- */

static struct name random_name(unsigned labels_max)
{
	static const char *const labels[] = {"a.", "b.", "c.", "*.", "a.", "b."};
	char text[64] = "";
	unsigned count = random_below(labels_max + 1);

	for (unsigned i = 0; i < count; i++) strcat(text, labels[random_below(6)]);
	return world_name(&world, strcat(text, "z."));
}

static struct entry *entry_of(struct name name)
{
	for (size_t i = 0; i < entry_count; i++)
		if (name_equal(entries[i].name, name)) return &entries[i];
	return NULL;
}

static void add_entry(struct name name, enum kind kind)
{
	size_t to = entry_count++;

	CHECK(entry_count <= ARRAY_COUNT(entries));
	for (; to > 0 && name_compare(entries[to - 1].name, name) > 0; to--)
		entries[to] = entries[to - 1];
	entries[to] = (struct entry){.name = name, .kind = kind};
}

/* A name that cannot stand in a zone with DNAME above or below it is not taken. */
static void add_random(void)
{
	struct name name = random_name(3);
	enum kind kind = KIND_DATA + random_below(KIND_NONE - KIND_DATA);

	if (entry_of(name)) return;
	for (size_t i = 0; i < entry_count; i++) {
		struct entry *other = &entries[i];
		if (kind == KIND_DNAME && name_is_below(other->name, name)) return;
		if (other->kind == KIND_DNAME && name_is_below(name, other->name)) return;
	}
	add_entry(name, kind);
}

static void add_empty_non_terminals(void)
{
	for (size_t i = 0; i < entry_count; i++) {
		struct name name = name_parent(entries[i].name);
		if (entries[i].name.len <= 3 || entry_of(name)) continue;
		add_entry(name, KIND_NONE);
		i = (size_t)-1;
	}
	for (size_t i = 0; i < entry_count; i++)
		for (size_t j = 0; j < entry_count; j++) {
			bool is_cut =
				entries[j].kind == KIND_CUT || entries[j].kind == KIND_SECURE_CUT;
			if (i != j && is_cut && name_is_below(entries[i].name, entries[j].name))
				entries[i].occluded = true;
		}
}

static void build_zone(enum chain chain)
{
	entry_count = zone_len = 0;
	add_entry(world_name(&world, "z."), KIND_APEX);
	for (unsigned n = random_below(NAMES_MAX); n > 0; n--) add_random();
	add_empty_non_terminals();
	for (size_t i = 0; i < entry_count; i++) put_data(&entries[i]);
	if (chain == CHAIN_NSEC) {
		put_nsec_chain();
	} else {
		put_set(entries[0].name, "NSEC3PARAM", "1 0 1 -");
		put_nsec3_chain(chain);
	}
	if (chain == CHAIN_TWO_NSEC3) {
		/* One that comes or goes: nobody names it at the apex (RFC 5155 10.4). */
		params.iterations = 2;
		put_nsec3_chain(chain);
		params.iterations = 1;
	}
	world_publish(&world, "z.", zone_text);
}

/* ---- the validator: it sees the response and nothing else ---- */

struct seen {
	enum section section;
	struct record record;
};

static struct seen seen[SEEN_MAX];
static size_t seen_count;
static uint8_t seen_octets[1 << 18];
static struct message response;
static struct name_buffer owners[SEEN_MAX];

static void read_response(void)
{
	struct message_cursor cursor;
	struct message_record raw;
	struct writer w = writer_of(seen_octets, sizeof seen_octets);

	seen_count = 0;
	CHECK(message_parse(world.wire, &response));
	cursor = message_cursor_of(&response);
	while (message_next_record(&cursor, &raw)) {
		if (raw.type == RRTYPE_OPT) continue;
		CHECK(seen_count < SEEN_MAX);
		struct writer part = writer_of(w.ptr + w.len, w.cap - w.len);
		struct seen *into = &seen[seen_count];
		CHECK(message_expand_record(&response, &raw, &part, &into->record, NULL) == OK);
		into->section = raw.section;
		owners[seen_count] = raw.owner;
		into->record.owner = name_of(&owners[seen_count++]);
		w.len += part.len;
	}
}

static const struct record *find(enum section section, struct name owner, uint16_t type)
{
	for (size_t i = 0; i < seen_count; i++)
		if (seen[i].section == section && seen[i].record.type == type &&
		    name_equal(seen[i].record.owner, owner))
			return &seen[i].record;
	return NULL;
}

static bool bitmap_has(struct span bitmap, uint16_t type)
{
	struct reader r = reader_of(bitmap);

	while (reader_left(&r)) {
		uint8_t window = read_u8(&r);
		struct span bits = read_span(&r, read_u8(&r));
		if (window != type >> 8) continue;
		size_t at = (type & 0xff) / 8u;
		return at < bits.len && (bits.ptr[at] >> (7 - type % 8) & 1);
	}
	return false;
}

/* One link as the validator reads it. */
struct reading {
	struct name owner, next; /* NSEC */
	uint8_t hash[NSEC3_HASH_OCTETS];
	struct nsec3 nsec3;
	struct span types;
};

static bool reading_of(const struct seen *from, uint16_t type, struct reading *out)
{
	struct reader r = reader_of(from->record.rdata);

	if (from->section != SECTION_AUTHORITY || from->record.type != type) return false;
	CHECK(find(SECTION_AUTHORITY, from->record.owner, RRTYPE_RRSIG));
	out->owner = from->record.owner;
	if (type == RRTYPE_NSEC) {
		CHECK(name_read_plain(&r, &out->next));
		out->types = read_rest(&r);
		return true;
	}
	CHECK(nsec3_read(from->record.rdata, &out->nsec3));
	CHECK(nsec3_params_equal(&out->nsec3.params, &params));
	CHECK(nsec3_owner_hash(out->owner, out->hash));
	size_t fixed = 5 + out->nsec3.params.salt.len + 1 + out->nsec3.next.len;
	out->types = span_of(from->record.rdata.ptr + fixed, from->record.rdata.len - fixed);
	return true;
}

static bool matching(uint16_t type, struct name name, struct reading *out)
{
	uint8_t hash[NSEC3_HASH_OCTETS];

	CHECK(nsec3_hash(world.crypto, &params, name, hash));
	for (size_t i = 0; i < seen_count; i++) {
		if (!reading_of(&seen[i], type, out)) continue;
		if (type == RRTYPE_NSEC && name_equal(out->owner, name)) return true;
		if (type == RRTYPE_NSEC3 && !memcmp(out->hash, hash, sizeof hash)) return true;
	}
	return false;
}

static bool between(int behind_owner, int before_next, int next_behind_owner)
{
	if (next_behind_owner > 0) return behind_owner > 0 && before_next < 0;
	return behind_owner > 0 || before_next < 0;
}

static bool covering(uint16_t type, struct name name, struct reading *out)
{
	uint8_t hash[NSEC3_HASH_OCTETS];

	CHECK(nsec3_hash(world.crypto, &params, name, hash));
	for (size_t i = 0; i < seen_count; i++) {
		if (!reading_of(&seen[i], type, out)) continue;
		if (type == RRTYPE_NSEC) {
			/* RFC 6840 4.1: a delegation or DNAME says nothing of what is below. */
			bool ends = bitmap_has(out->types, RRTYPE_DNAME) ||
				    (bitmap_has(out->types, RRTYPE_NS) &&
				     !bitmap_has(out->types, RRTYPE_SOA));
			if (ends && name_is_below(name, out->owner)) continue;
			if (between(name_compare(name, out->owner), name_compare(name, out->next),
				    name_compare(out->next, out->owner)))
				return true;
		} else if (between(memcmp(hash, out->hash, 20),
				   memcmp(hash, out->nsec3.next.ptr, 20),
				   memcmp(out->nsec3.next.ptr, out->hash, 20))) {
			return true;
		}
	}
	return false;
}

static bool lacks(const struct reading *link, uint16_t type)
{
	return !bitmap_has(link->types, type) && !bitmap_has(link->types, RRTYPE_CNAME);
}

static struct name common(struct name a, struct name b)
{
	while (!name_is_below(b, a)) a = name_parent(a);
	return a;
}

static struct name wildcard_of(struct name encloser)
{
	static struct name_buffer wildcard;

	CHECK(name_wildcard_child(encloser, &wildcard));
	return name_of(&wildcard);
}

/* RFC 4035 5.4: what lies on both sides of the name tells its closest encloser. */
static bool nsec_encloser(struct name name, struct name *encloser)
{
	struct reading link;

	if (!covering(RRTYPE_NSEC, name, &link)) return false;
	struct name a = common(name, link.owner), b = common(name, link.next);
	*encloser = a.len > b.len ? a : b;
	return encloser->len < name.len; /* else the name is an empty non-terminal */
}

/* RFC 5155 8.3: the candidates from the name itself upwards. */
static bool nsec3_encloser(struct name name, struct name *encloser, bool *opt_out)
{
	struct reading link;
	struct name next = name;

	for (*encloser = name; encloser->len > 1; *encloser = name_parent(*encloser)) {
		if (!matching(RRTYPE_NSEC3, *encloser, &link)) {
			next = *encloser;
			continue;
		}
		if (next.len == encloser->len) return false;
		CHECK(!bitmap_has(link.types, RRTYPE_DNAME));
		CHECK(!bitmap_has(link.types, RRTYPE_NS) || bitmap_has(link.types, RRTYPE_SOA));
		if (!covering(RRTYPE_NSEC3, next, &link)) return false;
		*opt_out = link.nsec3.params.flags & NSEC3_OPT_OUT;
		return true;
	}
	return false;
}

static bool encloser_is_proven(uint16_t type, struct name name, struct name *encloser,
			       bool *opt_out)
{
	*opt_out = false;
	return type == RRTYPE_NSEC ? nsec_encloser(name, encloser)
				   : nsec3_encloser(name, encloser, opt_out);
}

/*
 * Where the encloser stands above cuts that were left out of the chain, a wildcard further
 * up, which does not match, cannot be denied: nothing proves that answer.
 */
static bool name_is_denied(uint16_t type, struct name name)
{
	struct reading link;
	struct name encloser;
	bool opt_out;

	if (!encloser_is_proven(type, name, &encloser, &opt_out)) return false;
	return covering(type, wildcard_of(encloser), &link) ||
	       (opt_out && entry_of(wildcard_of(encloser)));
}

static bool type_is_denied(uint16_t type, struct name name, uint16_t qtype)
{
	struct reading link;
	struct name encloser;
	bool opt_out;

	if (matching(type, name, &link)) return lacks(&link, qtype);
	if (type == RRTYPE_NSEC && covering(type, name, &link) && name_is_below(link.next, name))
		return true; /* an empty non-terminal */
	if (!encloser_is_proven(type, name, &encloser, &opt_out)) return false;
	if (opt_out) return true; /* insecure: RFC 5155 8.6, and 9.2 for what is below */
	if (matching(type, wildcard_of(encloser), &link)) return lacks(&link, qtype);
	/* An empty non-terminal as wildcard, which NSEC can only cover. */
	return type == RRTYPE_NSEC && covering(type, wildcard_of(encloser), &link) &&
	       name_is_below(link.next, wildcard_of(encloser));
}

/* RFC 4035 5.3.4, RFC 5155 8.8: that nothing closer than the wildcard is there. */
static bool expansions_are_proven(uint16_t type)
{
	struct reading link;

	for (size_t i = 0; i < seen_count; i++) {
		const struct record *record = &seen[i].record;
		if (seen[i].section != SECTION_ANSWER || record->type != RRTYPE_RRSIG) continue;
		unsigned labels = name_label_count(record->owner), from = record->rdata.ptr[3];
		if (labels == from || (labels == from + 1 && name_is_wildcard(record->owner)))
			continue;
		struct name next = record->owner;
		if (type == RRTYPE_NSEC3) next = name_without_labels(next, labels - from - 1);
		if (!covering(type, next, &link)) return false;
	}
	return true;
}

static bool follow(struct name *name)
{
	const struct record *record;
	static struct name_buffer last;

	if (!(record = find(SECTION_ANSWER, *name, RRTYPE_CNAME))) return false;
	last.len = 0;
	name_copy(&last, (struct name){record->rdata.ptr, (uint8_t)record->rdata.len});
	*name = name_of(&last);
	return true;
}

static bool is_believed(uint16_t type, struct name qname, uint16_t qtype)
{
	struct name name = qname, zone = entries[0].name;
	unsigned steps = 0;

	if (!expansions_are_proven(type)) return false;
	while (qtype != RRTYPE_CNAME && steps <= ALIAS_STEPS_MAX && follow(&name)) steps++;
	if (steps > ALIAS_STEPS_MAX) return true; /* the client goes on from there */
	if (!name_is_below(name, zone) || find(SECTION_ANSWER, name, qtype)) return true;
	if (find(SECTION_ANSWER, name, RRTYPE_CNAME)) return true; /* a loop */
	if (response.header.rcode == RCODE_NXDOMAIN) return name_is_denied(type, name);
	if (find(SECTION_AUTHORITY, zone, RRTYPE_SOA)) return type_is_denied(type, name, qtype);
	for (size_t i = 0; i < seen_count; i++) {
		struct name cut = seen[i].record.owner;
		if (seen[i].record.type != RRTYPE_NS || seen[i].section != SECTION_AUTHORITY)
			continue;
		return find(SECTION_AUTHORITY, cut, RRTYPE_DS) ||
		       type_is_denied(type, cut, RRTYPE_DS);
	}
	return false;
}

/* Each RRset of the response stands there once, its signatures behind it. */
static void check_no_repetition(void)
{
	for (size_t i = 0; i < seen_count; i++)
		for (size_t j = 0; j < i; j++) {
			const struct record *a = &seen[i].record, *b = &seen[j].record;
			if (a->type == b->type && name_equal(a->owner, b->owner) &&
			    span_equal(a->rdata, b->rdata))
				fail_msg("a record twice in %s", world.text);
		}
}

TEST(rfc4035_5_4_and_rfc5155_8_a_validator_believes_every_answer_of_random_zones)
{
	static const uint16_t types[] = {RRTYPE_A,     RRTYPE_TXT,  RRTYPE_DS,   RRTYPE_NS,
					 RRTYPE_CNAME, RRTYPE_AAAA, RRTYPE_DNAME};
	char name[NAME_TEXT_MAX], type[RRTYPE_TEXT_MAX], question[NAME_TEXT_MAX + 64];

	for (unsigned round = 0; round < ZONES; round++) {
		enum chain chain = round % CHAIN_COUNT;
		seed = round;
		world_open(&world);
		build_zone(chain);
		for (unsigned i = 0; i < QUESTIONS; i++) {
			struct name qname = random_name(5);
			uint16_t qtype = types[random_below(ARRAY_COUNT(types))];
			snprintf(question, sizeof question, "%s %s do tcp",
				 name_to_text(qname, name), rrtype_to_text(qtype, type));
			world_ask(&world, question);
			read_response();
			check_no_repetition();
			uint16_t of = chain == CHAIN_NSEC ? RRTYPE_NSEC : RRTYPE_NSEC3;
			if (!is_believed(of, qname, qtype))
				fail_msg("%s\n%s\n%s", question, world.text, zone_text);
		}
		world_close(&world);
	}
}

/* ---- which links, in which order ---- */

#define SIG(type, labels)                                                                          \
	" RRSIG " type " 13 " labels " 3600 20270101000000 20260101000000 1 z. AAAA\n"

static const char nsec_zone[] = "@ SOA a b 1 1 1 1 60\n@ NS ns.else.\n@" SIG(
	"SOA",
	"1") "@ NSEC *.b SOA NS RRSIG "
	     "NSEC\n@" SIG("NSEC", "1") "*.b TXT x\n*.b" SIG(
		     "TXT",
		     "2") "*.b NSEC c TXT RRSIG NSEC\n*.b" SIG("NSEC",
							       "2") "c NS ns.else.\nc NSEC x.e NS "
								    "RRSIG "
								    "NSEC\nc" SIG(
									    "NSEC",
									    "2") "x.e TXT "
										 "x\nx.e NSEC "
										 "f TXT RRSIG "
										 "NSEC\nx."
										 "e" SIG("NSE"
											 "C",
											 "3") "f "
											      "TXT "
											      "x\nf"
											      " "
											      "NSEC"
											      " @ "
											      "TXT "
											      "RRSI"
											      "G "
											      "NSEC"
											      "\n"
											      "f" SIG("N"
												      "S"
												      "E"
												      "C",
												      "2");

/* Owners of the NSEC of the last response in their order, and its EDE if any. */
static void check_links(const char *question, const char *expected)
{
	char text[4096] = "", name[NAME_TEXT_MAX];

	world_ask(&world, question);
	read_response();
	for (size_t i = 0; i < seen_count; i++) {
		if (seen[i].record.type != RRTYPE_NSEC && seen[i].record.type != RRTYPE_NSEC3)
			continue;
		CHECK(seen[i].section == SECTION_AUTHORITY);
		strcat(strcat(text, name_to_text(seen[i].record.owner, name)), " ");
	}
	const char *ede = strstr(world.text, "ede=");
	if (ede) strncat(text, ede, 6);
	assert_string_equal(text, expected);
}

TEST(rfc4035_3_1_3_the_links_of_nsec_and_their_order)
{
	world_open(&world);
	world_publish(&world, "z.", nsec_zone);
	check_links("d.z. A do", "c.z. z. ");    /* no name */
	check_links("a.z. A do", "z. ");         /* both proofs by one */
	check_links("f.z. A do", "f.z. ");       /* no type */
	check_links("e.z. A do", "c.z. ");       /* an empty non-terminal */
	check_links("y.b.z. TXT do", "*.b.z. "); /* from the wildcard */
	check_links("y.b.z. A do", "*.b.z. ");   /* no type at the wildcard */
	check_links("0.b.z. A do", "*.b.z. ");
	check_links("!.b.z. A do", "z. *.b.z. "); /* before the wildcard in order */
	check_links("b.z. A do", "z. ");
	check_links("x.c.z. A do", "c.z. "); /* a delegation without DS */
	check_links("c.z. DS do", "c.z. ");
	check_links("z. DS do", "z. ");
	check_links("d.z. A edns", ""); /* nobody asked */
	world_close(&world);
}

TEST(a_link_that_is_missing_is_told_and_what_covers_nothing_is_not_sent)
{
	world_open(&world);
	world_publish(&world, "z.",
		      "@ SOA a b 1 1 1 1 60\n@ NS ns.else.\n@" SIG(
			      "SOA", "1") "@ NSEC c SOA NS RRSIG NSEC\nc TXT x\nf TXT x\nf NSEC @ "
					  "TXT RRSIG NSEC\n");
	check_links("b.z. A do", "z. ");
	check_links("c.z. A do", "ede=12");
	check_links("d.z. A do", "z. ede=12");
	check_links("f.z. A do", "f.z. ");
	check_links("x.f.z. A do", "f.z. ");
	world_close(&world);
}

TEST(b4_rfc9276_3_2_more_than_50_iterations_are_not_hashed)
{
	world_open(&world);
	world_publish(&world, "z.", "@ SOA a b 1 1 1 1 60\n@ NS ns.else.\n@ NSEC3PARAM 1 0 51 -\n");
	check_links("b.z. A do", "ede=27");
	world_publish(&world, "z.", "@ SOA a b 2 1 1 1 60\n@ NS ns.else.\n@ NSEC3PARAM 1 0 50 -\n");
	check_links("b.z. A do", "ede=12");
	world_close(&world);
}

TEST(b4_an_apex_that_leaves_no_room_for_a_hash_is_answered_without_proof)
{
	char origin[NAME_TEXT_MAX] = "", question[NAME_TEXT_MAX + 16];

	while (strlen(origin) < 222) strcat(origin, "a.");
	world_open(&world);
	world_publish(&world, origin,
		      "@ SOA . . 1 1 1 1 60\n@ NS ns.else.\n@ NSEC3PARAM 1 0 0 -\n");
	snprintf(question, sizeof question, "b.%s A do", origin);
	check_links(question, "ede=12");
	world_close(&world);
}

TEST(rfc5155_7_2_8_owners_of_nsec3_are_not_there)
{
	static const char hashed[] = "@ SOA a b 1 1 1 1 60\n@ NS ns.else.\n@ NSEC3PARAM 1 0 1 -\n"
				     "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom NSEC3 1 0 1 - "
				     "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom NS SOA\n"
				     "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom" SIG("NSEC3", "2");
	static const char negative[] = "NXDOMAIN aa\nau z. 60 IN SOA a.z. b.z. 1 1 1 1 60\n";

	world_open(&world);
	world_publish(&world, "z.", hashed);
	CHECK_ANSWER(&world, "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.z. NSEC3", negative);
	CHECK_ANSWER(&world, "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.z. ANY tcp", negative);
	CHECK_ANSWER(&world, "x.0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.z. A", negative);
	snprintf(zone_text, sizeof zone_text, "%s* TXT x\n", hashed);
	world_publish(&world, "z.", zone_text);
	CHECK_ANSWER(&world, "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.z. TXT",
		     "NOERROR aa\nan 0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.z. 3600 IN TXT \"x\"\n");
	CHECK_ANSWER(&world, "x.0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.z. TXT",
		     "NOERROR aa\nan x.0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.z. 3600 IN TXT \"x\"\n");
	/* With data of its own it is a name like others. */
	snprintf(zone_text, sizeof zone_text, "%s0p9mhaveqvm6t7vbl5lop2u3t2rp3tom TXT y\n", hashed);
	world_publish(&world, "z.", zone_text);
	CHECK_ANSWER(&world, "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.z. TXT",
		     "NOERROR aa\nan 0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.z. 3600 IN TXT \"y\"\n");
	world_close(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc4035_3_1_3_the_links_of_nsec_and_their_order),
		cmocka_unit_test(
			a_link_that_is_missing_is_told_and_what_covers_nothing_is_not_sent),
		cmocka_unit_test(b4_rfc9276_3_2_more_than_50_iterations_are_not_hashed),
		cmocka_unit_test(
			b4_an_apex_that_leaves_no_room_for_a_hash_is_answered_without_proof),
		cmocka_unit_test(rfc5155_7_2_8_owners_of_nsec3_are_not_there),
		cmocka_unit_test(
			rfc4035_5_4_and_rfc5155_8_a_validator_believes_every_answer_of_random_zones),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
