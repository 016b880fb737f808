/* SPDX-License-Identifier: Apache-2.0 */
/*
 * encoding.h - base16, base32hex and base64 (RFC 4648), strict.
 *
 * Decoders take no white space, demand correct padding (base32hex as NSEC3 writes
 * it: none) and zero trailing bits. They return false and leave `w` as it was for
 * the caller to rewind when the text is wrong; a full writer sets its overflow.
 */
#ifndef BASE_ENCODING_H
#define BASE_ENCODING_H

#include "base/span.h"
#include "base/writer.h"

/* The value of a digit of base16, 16 for anything else. */
extern const uint8_t base16_values[256];

bool base16_decode(struct span text, struct writer *w);
bool base32hex_decode(struct span text, struct writer *w);
bool base64_decode(struct span text, struct writer *w);

void base16_encode(struct span bytes, struct writer *w);    /* lower case */
void base32hex_encode(struct span bytes, struct writer *w); /* lower case, no padding */
void base64_encode(struct span bytes, struct writer *w);

#endif
