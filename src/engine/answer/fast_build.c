/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/answer/batch.h"
#include "engine/answer/fast_cache.h"
#include "engine/answer/fast_links.h"
#include "zone/image_probe.h"

enum {
	QUESTION_TAIL_OCTETS = 4,
	SOA_TAIL_OCTETS = 5 * 4, /* behind its names */
	POINTER_OCTETS = 2,
	TARGET_IN_RRSET = 256, /* struct rrset_target: from here on the RRset's own octets */
	FLAGS_KEPT = 0x0110,   /* RD and CD */
	FLAGS_QR = 0x8000,
	FLAGS_AA = 0x0400,
};

/* A response in the making. */
struct build {
	struct fast *f;
	struct fast_cache *cache;
	struct crypto *crypto;
	struct fast_out out;
	bool aa;
	enum rcode rcode;
	size_t set_at; /* where the RRset with the targets begins */
	unsigned target_count;
	struct fast_target targets[FAST_TARGETS_MAX];
	bool has_denial;
	struct fast_chain *chain;
};

static struct name name_asked(const struct fast *f)
{
	return (struct name){.wire = f->lower, .len = f->name_len};
}

/* The last octets of it: an ancestor as it was asked. */
static struct name name_end(const struct fast *f, uint8_t len)
{
	return (struct name){.wire = f->lower + f->name_len - len, .len = len};
}

/* A label begins at this octet of the name. */
static bool label_begins(struct name name, unsigned at)
{
	unsigned start = 0;

	while (start < at) start += name.wire[start] + 1u;
	return start == at;
}

/* `name` is `end` or below it; both from an image, whose names may be no names. */
static bool ends_with(struct name name, struct name end)
{
	if (name.len < end.len) return false;
	unsigned at = (unsigned)name.len - end.len;
	return name_equal((struct name){name.wire + at, end.len}, end) && label_begins(name, at);
}

/* ---- RRsets ---- */

/* Each once: an exchange may have several preferences. */
static void target_keep(struct build *b, const struct fast_target *target, bool may_repeat)
{
	for (unsigned i = 0; may_repeat && i < b->target_count; i++)
		if (b->targets[i].hash == target->hash &&
		    name_equal(b->targets[i].name, target->name))
			return;
	if (b->target_count < FAST_TARGETS_MAX) b->targets[b->target_count++] = *target;
}

/*
 * One name in the data of a record: `name_len` octets, of which some become a pointer.
 * Pointers only make it shorter, so there is room if there is for all of it.
 */
static inline bool write_name(struct build *b, size_t set_at, const struct rrset_target *target,
			      const uint8_t *wire, size_t name_len, struct fast_target *told)
{
	struct fast_out *out = &b->out;
	size_t kept = target->kept, to = 0;

	if (kept + (target->pointer ? POINTER_OCTETS : 0U) > name_len) return false;
	if (target->pointer >= TARGET_IN_RRSET)
		to = set_at + target->pointer - TARGET_IN_RRSET;
	else if (target->pointer)
		to = HEADER_OCTETS + (size_t)b->f->name_len - target->pointer;
	told->name = (struct name){wire, (uint8_t)name_len};
	told->hash = target->hash;
	told->pointer = target->pointer;
	told->kept = (uint8_t)kept;
	told->at = (uint16_t)(kept ? out->len : to);
	fast_copy_few(out->start + out->len, wire, kept);
	out->len += kept;
	if (to) {
		put_u16(out->start + out->len, (uint16_t)(FAST_POINTER_BITS | to));
		out->len += POINTER_OCTETS;
	}
	return true;
}

/* The data of a record that begins with two names: SOA, MINFO. */
static bool write_two_names(struct build *b, const struct rrset *set, size_t set_at, unsigned index,
			    struct span rdata)
{
	struct fast_out *out = &b->out;
	struct reader r = reader_of(rdata);
	struct rrset_target target;
	struct fast_target told;
	struct name name;

	for (unsigned i = 0; i < 2; i++) {
		if (!name_read_plain(&r, &name) || !rrset_plan_read(set, index + i, &target) ||
		    !write_name(b, set_at, &target, name.wire, name.len, &told))
			return false;
		if (target.is_local) target_keep(b, &told, true);
	}
	struct span tail = read_rest(&r);
	memcpy(out->start + out->len, tail.ptr, tail.len);
	out->len += tail.len;
	return true;
}

/* That of one that ends with its only name: NS, CNAME, PTR, MX. */
static inline bool write_last_name(struct build *b, const struct rrset *set, size_t set_at,
				   unsigned index, struct span rdata)
{
	struct fast_out *out = &b->out;
	struct rrset_target target;
	struct fast_target told;

	if (rdata.len <= set->name_at || rdata.len - set->name_at > NAME_OCTETS_MAX) return false;
	if (!rrset_plan_read(set, index, &target)) return false;
	fast_copy_few(out->start + out->len, rdata.ptr, set->name_at);
	out->len += set->name_at;
	if (!write_name(b, set_at, &target, rdata.ptr + set->name_at, rdata.len - set->name_at,
			&told))
		return false;
	if (target.is_local) target_keep(b, &told, set->name_at > 0);
	return true;
}

/* All records of an RRset with names that become pointers. */
static bool write_named(struct build *b, enum section section, struct fast_owner owner,
			const struct rrset *set, uint32_t ttl)
{
	struct fast_out *out = &b->out;
	uint64_t head = fast_head(set->type, ttl);
	size_t set_at = out->len, left = set->data.len, len;
	const uint8_t *p = set->data.ptr;
	unsigned count = 0;

	for (; left >= 2; left -= 2 + len, p += 2 + len, count++) {
		len = (size_t)(p[0] << 8 | p[1]);
		if (len > left - 2) return false;
		if (owner.len + FAST_RECORD_FIXED_OCTETS + len > out->max - out->len) return false;
		fast_put_head(out->start + out->len, owner, head);
		out->len += owner.len + FAST_RECORD_FIXED_OCTETS;
		size_t rdata_at = out->len;
		struct span rdata = span_of(p + 2, len);
		if (set->name_count > 1 ? !write_two_names(b, set, set_at, 2 * count, rdata)
					: !write_last_name(b, set, set_at, count, rdata))
			return false;
		put_u16(out->start + rdata_at - 2, (uint16_t)(out->len - rdata_at));
	}
	out->counts[section] = (uint16_t)(out->counts[section] + count);
	return left == 0;
}

/* The RRset and, for who wants them, its signatures; they have its TTL (RFC 4034 3). */
static bool write_set(struct build *b, enum section section, struct fast_owner owner,
		      const struct node *node, const struct rrset *set)
{
	struct rrset signatures;

	if (set->count > 1 && b->f->zone->rotates) return false;
	if (set->name_count ? !write_named(b, section, owner, set, set->ttl)
			    : !fast_write_plain(&b->out, section, owner, set, set->ttl))
		return false;
	if (!b->f->dnssec_ok || !node_signatures(node, set->type, &signatures)) return true;
	return fast_write_plain(&b->out, section, owner, &signatures, set->ttl);
}

/* ---- addresses ---- */

/* The owner of a target's addresses: where it was written, or the question (0013, rule 1). */
static struct fast_owner target_owner(const struct fast *f, const struct fast_target *target)
{
	struct name name = target->name;

	if (name.len <= f->name_len && f->lower[f->name_len - name.len] == name.wire[0] &&
	    ends_with(name_asked(f), name))
		return fast_owner_in_question(f->name_len, name.len);
	return fast_owner_at(target->at);
}

static bool write_addresses(struct build *b, const struct fast_target *target)
{
	struct rrset_cursor cursor = {0};
	struct rrset signatures;
	struct node node;

	if (!view_probe_quick(&b->f->zone->view, target->hash, target->name, &node)) return true;
	struct fast_owner owner = target_owner(b->f, target);
	/* In ascending order of types but for the SOA. */
	while (node_rrset_step(&node, &cursor) && cursor.rrset.type <= RRTYPE_AAAA) {
		const struct rrset *set = &cursor.rrset;
		if (set->type != RRTYPE_A && set->type != RRTYPE_AAAA) continue;
		if (set->count > 1 && b->f->zone->rotates) return false;
		if (!fast_write_plain(&b->out, SECTION_ADDITIONAL, owner, set, set->ttl))
			return false;
		if (b->f->dnssec_ok && node_signatures(&node, set->type, &signatures) &&
		    !fast_write_plain(&b->out, SECTION_ADDITIONAL, owner, &signatures, set->ttl))
			return false;
	}
	return true;
}

/*
 * The target is the cut or below it. What it shares with the cut's name, or with a target
 * before it, is told by where it points: there is no longer end that could be shared.
 */
static bool is_below_cut(const struct build *b, const struct fast_target *target, struct name cut)
{
	if (target->pointer < TARGET_IN_RRSET) return target->pointer == cut.len;
	if (target->name.len - target->kept < cut.len) return false;
	size_t to = b->set_at + target->pointer - TARGET_IN_RRSET;
	for (const struct fast_target *before = b->targets; before < target; before++)
		if (to >= before->at && to < (size_t)before->at + before->kept)
			return before->is_below_cut;
	return false;
}

/* RFC 9471 3: first the glue of servers below the cut. */
static bool write_glue(struct build *b, struct name cut)
{
	unsigned below = 0;

	for (unsigned i = 0; i < b->target_count; i++) {
		struct fast_target *target = &b->targets[i];
		target->is_below_cut = is_below_cut(b, target, cut);
		if (!target->is_below_cut) continue;
		below++;
		if (!write_addresses(b, target)) return false;
	}
	for (unsigned i = 0; i < b->target_count && below < b->target_count; i++)
		if (!b->targets[i].is_below_cut && !write_addresses(b, &b->targets[i]))
			return false;
	return true;
}

/* ---- RFC 1034 4.3.2 ---- */

static struct fast_owner owner_in_question(const struct fast *f, struct name ancestor)
{
	return fast_owner_in_question(f->name_len, ancestor.len);
}

static bool find_apex(const struct fast *f, struct node *out)
{
	const struct view *view = &f->zone->view;

	if (f->found.encloser.octets && f->found.encloser.is_apex)
		*out = f->found.encloser;
	else if (f->found.node.octets && f->found.node.is_apex)
		*out = f->found.node;
	else
		return view_find_exact(view, view_apex(view), out);
	return true;
}

/*
 * Whether what is not there is to be proven, and by which chain. False when it cannot be: that
 * is to be told.
 */
static bool denial_prepare(struct build *b)
{
	struct fast_chain *chain = b->chain;
	struct denial *d = &chain->denial;

	b->has_denial = false;
	if (!b->f->dnssec_ok) return true;
	if (chain->zone != b->f->zone) {
		chain->zone = b->f->zone;
		chain->is_needed = denial_begin(d, &chain->zone->view, b->crypto);
		chain->is_missing = d->ede_text;
	}
	d->link_count = 0;
	d->ede_text = NULL;
	b->has_denial = chain->is_needed;
	return !chain->is_missing;
}

/* The links that were found; where one is missing, that is to be told. */
static bool write_denial(struct build *b)
{
	return !b->chain->denial.ede_text &&
	       fast_links_write(&b->out, b->f, &b->chain->denial, b->targets, b->target_count);
}

static struct fast_cache_key key_of(const struct fast *f, const void *node)
{
	return (struct fast_cache_key){.id = f->zone->id,
				       .node = node,
				       .dnssec_ok = f->dnssec_ok,
				       .name_len = f->name_len};
}

static bool write_no_ds(struct build *b, const struct node *cut)
{
	if (!denial_prepare(b)) return false;
	if (!b->has_denial) return true;
	denial_of_type(&b->chain->denial, name_end(b->f, cut->owner.len), cut);
	return write_denial(b);
}

/* NS, with DS or what it takes that there is none, and glue. */
static bool write_referral(struct build *b, const struct node *cut)
{
	struct fast_owner owner = owner_in_question(b->f, cut->owner);
	struct rrset ns, ds;

	if (!node_rrset(cut, RRTYPE_NS, &ns)) return false;
	if (ns.count > FAST_TARGETS_MAX) return false;
	b->set_at = b->out.len;
	if (!write_set(b, SECTION_AUTHORITY, owner, cut, &ns)) return false;
	if (b->f->dnssec_ok && node_rrset(cut, RRTYPE_DS, &ds)) {
		if (!write_set(b, SECTION_AUTHORITY, owner, cut, &ds)) return false;
	} else if (!write_no_ds(b, cut)) {
		return false;
	}
	return write_glue(b, cut->owner);
}

/* The label of the name that stands below one of its ancestors; 0 bits when it is that. */
static uint64_t label_below(struct name name, size_t ancestor_len)
{
	unsigned at = 0, label = 0;

	while (name.len - at > ancestor_len) {
		label = at;
		at += name.wire[at] + 1u;
	}
	return at ? fast_label_bit(name.wire + label) : 0;
}

/*
 * Step 3b. A question that is, or is below, a server's name below the cut has that
 * server's addresses point at itself, so it takes nothing that was built for others.
 */
static bool build_referral(struct build *b)
{
	const struct node *cut = &b->f->found.node;
	struct fast_cache_key key = key_of(b->f, cut->octets);
	size_t at = b->out.len;
	uint64_t labels = 0;

	/* Its plan tells nothing of what is below it. */
	if (name_is_wildcard(cut->owner)) return false;
	key.label = label_below(name_asked(b->f), cut->owner.len);
	if (b->cache && fast_cache_take(b->cache, &key, &b->out)) return true;
	if (!write_referral(b, cut)) return false;
	if (!b->cache || !key.is_wanted) return true;
	for (unsigned i = 0; i < b->target_count; i++)
		if (b->targets[i].is_below_cut)
			labels |= label_below(b->targets[i].name, cut->owner.len);
	if (!(labels & key.label)) fast_cache_keep(b->cache, &key, &b->out, at, labels);
	return true;
}

static bool write_soa(struct build *b)
{
	struct node apex;
	struct rrset soa;

	if (!find_apex(b->f, &apex) || !node_rrset(&apex, RRTYPE_SOA, &soa)) return false;
	if (soa.data.len < SOA_TAIL_OCTETS) return false;
	/* RFC 2308 3: how long the absence may be believed. */
	struct reader r = reader_of(soa.data);
	r.at = r.len - sizeof(uint32_t);
	uint32_t minimum = read_u32(&r);
	if (soa.ttl > minimum) soa.ttl = minimum;
	return write_set(b, SECTION_AUTHORITY, owner_in_question(b->f, apex.owner), &apex, &soa);
}

/* RFC 4035 3.1.3, RFC 5155 7.2. */
static bool write_no_data(struct build *b)
{
	const struct view_lookup *found = &b->f->found;
	struct name asked = name_asked(b->f);
	struct denial *d = &b->chain->denial;

	if (!b->has_denial) return true;
	if (found->result == VIEW_NOTHING)
		denial_of_name(d, asked, name_end(b->f, found->encloser.owner.len));
	else if (found->result == VIEW_WILDCARD)
		denial_of_wildcard_type(d, asked, name_end(b->f, found->encloser.owner.len),
					&found->node);
	else
		denial_of_type(d, asked, &found->node);
	return write_denial(b);
}

/*
 * RFC 2308: no such name, or no such type. Unproven these are the same records for all of a
 * zone; what proves that a node lacks a type is the node's. The rest is not kept.
 */
static bool build_negative(struct build *b, enum rcode rcode)
{
	const struct view_lookup *found = &b->f->found;
	struct fast_cache_key key = key_of(b->f, b->f->zone);
	struct fast_cache *cache = b->cache;
	size_t at = b->out.len;
	struct rrset other;

	b->rcode = rcode;
	if (!denial_prepare(b)) return false;
	/* RFC 5155 7.2.8: the hash of a name is no name, and nothing is below it. */
	const struct node *near = found->result == VIEW_NOTHING ? &found->encloser : &found->node;
	if (!near->is_apex && node_rrset(near, RRTYPE_NSEC3, &other)) return false;
	if (b->has_denial) {
		key.node = found->node.octets;
		key.is_no_type = true;
		if (found->result == VIEW_NOTHING || found->result == VIEW_WILDCARD) cache = NULL;
	}
	if (cache && fast_cache_take(cache, &key, &b->out)) return true;
	if (!write_soa(b) || !write_no_data(b)) return false;
	if (cache) fast_cache_keep(cache, &key, &b->out, at, 0);
	return true;
}

/* Types whose data, in an answer, calls for nothing else or for addresses of its names. */
static bool type_is_simple(uint16_t type)
{
	switch (type) {
	case RRTYPE_A:
	case RRTYPE_AAAA:
	case RRTYPE_CAA:
	case RRTYPE_CNAME:
	case RRTYPE_DNSKEY:
	case RRTYPE_DS:
	case RRTYPE_MX:
	case RRTYPE_NS:
	case RRTYPE_NSEC3PARAM:
	case RRTYPE_PTR:
	case RRTYPE_SOA:
	case RRTYPE_SSHFP:
	case RRTYPE_TLSA:
	case RRTYPE_TXT: return true;
	default: return false;
	}
}

/* That the name itself is not there, for what came from a wildcard. */
static bool write_expanded(struct build *b)
{
	const struct fast *f = b->f;

	if (!denial_prepare(b)) return false;
	if (!b->has_denial) return true;
	denial_of_expanded(&b->chain->denial, name_asked(f),
			   name_label_count(f->found.encloser.owner));
	return write_denial(b);
}

/* What the node says about the question's name. */
static bool build_answer(struct build *b)
{
	const struct fast *f = b->f;
	const struct node *node = &f->found.node;
	struct rrset set;

	b->aa = true;
	if (!node_rrset(node, f->type, &set)) {
		if (node_rrset(node, RRTYPE_CNAME, &set)) return false;
		return build_negative(b, RCODE_NOERROR);
	}
	if (!type_is_simple(f->type) || set.count > FAST_TARGETS_MAX) return false;
	if (!write_set(b, SECTION_ANSWER, owner_in_question(f, name_asked(f)), node, &set))
		return false;
	if (f->found.result == VIEW_WILDCARD && !write_expanded(b)) return false;
	if (f->type != RRTYPE_NS && f->type != RRTYPE_MX) return true;
	for (unsigned i = 0; i < b->target_count; i++)
		if (!write_addresses(b, &b->targets[i])) return false;
	return true;
}

static bool build_records(struct build *b)
{
	const struct fast *f = b->f;

	switch (f->found.result) {
	case VIEW_CUT:
		/* RFC 4035 3.1.4.1: DS is the parent's data at the cut itself. */
		if (f->type != RRTYPE_DS || f->found.node.owner.len != f->name_len)
			return build_referral(b);
		return build_answer(b);
	case VIEW_EXACT:
	case VIEW_WILDCARD: return build_answer(b);
	case VIEW_NOTHING: b->aa = true; return build_negative(b, RCODE_NXDOMAIN);
	default: return false;
	}
}

/* ---- the message ---- */

/* The question as it came. Whole blocks are copied: what is too much is written over. */
static void write_question(struct fast_out *out, const uint8_t *request, size_t name_len)
{
	size_t end = HEADER_OCTETS + name_len + QUESTION_TAIL_OCTETS;

	for (size_t at = 0; at < end; at += FOLD_BLOCK_OCTETS)
		memcpy(out->start + at, request + at, FOLD_BLOCK_OCTETS);
	out->len = end;
}

static void write_opt(const struct answer_batch *batch, size_t index, struct fast_out *out)
{
	const struct fast *f = &batch->fast[index];
	static const uint8_t opt[OPT_OCTETS] = {
		[2] = RRTYPE_OPT, [3] = UDP_OCTETS_MAX >> 8, [4] = UDP_OCTETS_MAX & 0xff};
	uint8_t *p = out->start + out->len;

	memcpy(p, opt, sizeof opt);
	p[7] = f->dnssec_ok ? 0x80 : 0;
	out->len += sizeof opt;
	if (f->wants_nsid || f->cookie) {
		uint8_t *end = fast_options_write(batch, index, p + sizeof opt);
		put_u16(p + sizeof opt - sizeof(uint16_t), (uint16_t)(end - (p + sizeof opt)));
		out->len = (size_t)(end - out->start);
	}
	out->counts[SECTION_ADDITIONAL]++;
}

static void write_header(const struct build *b, const uint8_t *request)
{
	uint8_t *p = b->out.start;
	uint16_t flags = (uint16_t)((request[2] << 8 | request[3]) & FLAGS_KEPT);

	flags = (uint16_t)(flags | FLAGS_QR | (b->aa ? FLAGS_AA : 0) | b->rcode);
	put_u16(p + 2, flags);
	put_u16(p + 6, b->out.counts[SECTION_ANSWER]);
	put_u16(p + 8, b->out.counts[SECTION_AUTHORITY]);
	put_u16(p + 10, b->out.counts[SECTION_ADDITIONAL]);
}

/* For OPT; where its options have no place some are left out, and that is not for us. */
static bool keep_room(const struct answer_server *server, const struct fast *f,
		      struct fast_out *out)
{
	size_t octets = OPT_OCTETS;

	if (f->wants_nsid || f->cookie) octets += fast_options_octets(server, f);
	if (HEADER_OCTETS + (size_t)f->name_len + QUESTION_TAIL_OCTETS + octets > out->max)
		return false;
	out->max -= octets;
	return true;
}

bool fast_build(struct answer_batch *batch, size_t index)
{
	struct fast *f = &batch->fast[index];
	struct answer_item *item = &batch->items[index];
	struct build b;

	b.f = f;
	b.cache = batch->cache;
	b.crypto = batch->server->crypto;
	b.chain = &batch->chain;
	b.aa = false;
	b.rcode = RCODE_NOERROR;
	b.target_count = 0;
	b.out = (struct fast_out){.start = item->reply, .max = f->octets_max};
	if (f->has_edns && !keep_room(batch->server, f, &b.out)) return false;
	write_question(&b.out, item->wire.ptr, f->name_len);
	if (!build_records(&b)) return false;
	if (f->has_edns) write_opt(batch, index, &b.out);
	write_header(&b, item->wire.ptr);
	item->reply_len = (uint16_t)b.out.len;
	item->rcode = (uint16_t)b.rcode;
	item->zone = f->zone;
	return true;
}
