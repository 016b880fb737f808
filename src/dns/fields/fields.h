/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fields.h - the kinds of fields that are more than a number or a name.
 *
 * X_from_text takes the words of its field and writes octets; X_print takes octets
 * that X_check admits and writes text, or returns false when its text cannot express
 * them (then the whole RDATA is printed as \#); X_check steps over one well-formed field.
 */
#ifndef DNS_FIELDS_FIELDS_H
#define DNS_FIELDS_FIELDS_H

#include "dns/words.h"

/* address.c */
enum code ipv4_field_from_text(struct words *in);
enum code ipv6_field_from_text(struct words *in);

/* time.c: intervals (1h30m) and RRSIG's times, RFC 4034 3.2 */
enum code period_from_text(struct words *in);
enum code time_from_text(struct words *in);
bool time_print(struct reader *r, struct writer *w);

/* keyword.c: numbers that have mnemonics */
enum code type_from_text(struct words *in);
bool type_print(struct reader *r, struct writer *w);
enum code algorithm_from_text(struct words *in);

/* string.c: character-strings, RFC 1035 3.3 */
enum code string_from_text(struct words *in);
bool string_print(struct reader *r, struct writer *w);
bool string_check(struct reader *r);
enum code strings_from_text(struct words *in);
bool strings_print(struct reader *r, struct writer *w);
bool strings_check(struct reader *r);

/* blob.c: octets in base16, base32hex, base64; all but salt and hash go to the end */
enum code hex_from_text(struct words *in);
bool hex_print(struct reader *r, struct writer *w);
enum code digest_from_text(struct words *in);
bool digest_check(struct reader *r);
enum code base64_from_text(struct words *in);
bool base64_print(struct reader *r, struct writer *w);
bool rest_check(struct reader *r);

/* bitmap.c: sets of RR types, RFC 4034 4.1.2 */
enum code bitmap_from_text(struct words *in);
bool bitmap_print(struct reader *r, struct writer *w);
bool bitmap_check(struct reader *r);

#endif
