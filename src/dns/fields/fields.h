/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fields.h - the kinds of fields that are more than a number.
 *
 * X_from_text takes the words of its field and writes octets; X_print takes octets
 * that X_check admits and writes text, or returns false when its text cannot express
 * them (then the whole RDATA is printed as \#); X_check steps over one well-formed field.
 */
#ifndef DNS_FIELDS_FIELDS_H
#define DNS_FIELDS_FIELDS_H

#include "dns/words.h"

/* rdata_text.c: a number of 1, 2, 4 or 8 octets */
enum code number_from_text(struct words *in, unsigned octets);

/* address.c */
enum code ipv4_field_from_text(struct words *in);
enum code ipv6_field_from_text(struct words *in);

/* names.c */
enum code name_field_from_text(struct words *in);
bool name_field_print(struct reader *r, struct writer *w);
enum code names_from_text(struct words *in);
bool names_print(struct reader *r, struct writer *w);
bool names_check(struct reader *r);

/* time.c: intervals (1h30m) and RRSIG's times, RFC 4034 3.2 */
enum code period_from_text(struct words *in);
enum code time_from_text(struct words *in);
bool time_print(struct reader *r, struct writer *w);

/* keyword.c: numbers that have mnemonics */
enum code type_from_text(struct words *in);
bool type_print(struct reader *r, struct writer *w);
enum code algorithm_from_text(struct words *in);
enum code cert_type_from_text(struct words *in);
bool cert_type_print(struct reader *r, struct writer *w);
enum code scheme_from_text(struct words *in);
bool scheme_print(struct reader *r, struct writer *w);

/* string.c: character-strings, RFC 1035 3.3, and text that goes to the end */
enum code string_from_text(struct words *in);
bool string_print(struct reader *r, struct writer *w);
bool string_print_bare(struct reader *r, struct writer *w);
bool string_check(struct reader *r);
enum code strings_from_text(struct words *in);
bool strings_print(struct reader *r, struct writer *w);
bool strings_check(struct reader *r);
enum code digits_from_text(struct words *in);
bool digits_check(struct reader *r);
enum code coordinate_from_text(struct words *in);
bool coordinate_check(struct reader *r);
enum code tag_from_text(struct words *in);
bool tag_check(struct reader *r);
enum code text_from_text(struct words *in, size_t octets_min);
bool text_print(struct reader *r, struct writer *w);

/* blob.c: octets in base16 and base64 that go to the end */
enum code hex_from_text(struct words *in);
bool hex_print(struct reader *r, struct writer *w);
enum code digest_from_text(struct words *in);
bool digest_check(struct reader *r);
enum code zone_digest_from_text(struct words *in);
bool zone_digest_check(struct reader *r);
enum code base64_from_text(struct words *in);
bool base64_print(struct reader *r, struct writer *w);
enum code base64_dash_from_text(struct words *in);
bool base64_dash_print(struct reader *r, struct writer *w);
bool rest_check(struct reader *r);

/* octets.c: octets in one word, each kind with its own marks between the digits */
enum code salt_from_text(struct words *in);
bool salt_print(struct reader *r, struct writer *w);
enum code hash_from_text(struct words *in);
bool hash_print(struct reader *r, struct writer *w);
bool hash_check(struct reader *r);
enum code eui_from_text(struct words *in, unsigned octets);
bool eui_print(struct span octets, struct writer *w);
enum code locator_from_text(struct words *in);
bool locator_print(struct reader *r, struct writer *w);
enum code nsap_from_text(struct words *in);
bool nsap_print(struct reader *r, struct writer *w);
enum code atm_from_text(struct words *in);
bool atm_print(struct reader *r, struct writer *w);
bool atm_check(struct reader *r);

/* bitmap.c: sets of RR types, RFC 4034 4.1.2 and RFC 2535 5.2 */
enum code bitmap_from_text(struct words *in);
bool bitmap_print(struct reader *r, struct writer *w);
bool bitmap_check(struct reader *r);
enum code old_bitmap_from_text(struct words *in);
bool old_bitmap_print(struct reader *r, struct writer *w);
bool old_bitmap_check(struct reader *r);

/* services.c: protocol and ports of WKS, RFC 1035 3.4.2 */
enum code services_from_text(struct words *in);
bool services_print(struct reader *r, struct writer *w);
bool services_check(struct reader *r);

/* loc.c: RFC 1876 */
enum code location_from_text(struct words *in);
bool location_print(struct reader *r, struct writer *w);
bool location_check(struct reader *r);

/* apl.c: RFC 3123 */
enum code prefixes_from_text(struct words *in);
bool prefixes_print(struct reader *r, struct writer *w);
bool prefixes_check(struct reader *r);

/* a6.c: RFC 2874 3.1 */
enum code prefixed_from_text(struct words *in);
bool prefixed_print(struct reader *r, struct writer *w);
bool prefixed_check(struct reader *r);

/* The octets in front of the name in an A6 field that was checked. */
size_t prefixed_name_at(uint8_t prefix_len);

/* gateway.c: IPSECKEY (RFC 4025 2) and AMTRELAY (RFC 8777 4) */
enum code key_gateway_from_text(struct words *in);
bool key_gateway_print(struct reader *r, struct writer *w);
bool key_gateway_check(struct reader *r);
enum code relay_from_text(struct words *in);
bool relay_print(struct reader *r, struct writer *w);
bool relay_check(struct reader *r);

/* hip.c: RFC 8005 5 */
enum code host_identity_from_text(struct words *in);
bool host_identity_print(struct reader *r, struct writer *w);
bool host_identity_check(struct reader *r);

/* svcb.c: RFC 9460 2.1, 2.2 */
enum code service_params_from_text(struct words *in);
bool service_params_print(struct reader *r, struct writer *w);
bool service_params_check(struct reader *r);

#endif
