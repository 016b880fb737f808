/* SPDX-License-Identifier: Apache-2.0 */
/*
 * code.h - what a function that can fail returns.
 *
 * The code is for the program; the sentence for the human is in `struct error`
 * (error.h), made by the deepest function that knows the place.
 */
#ifndef BASE_CODE_H
#define BASE_CODE_H

#include "base/attributes.h"

enum code {
	OK = 0,
	E_NOMEM,     /* an arena's or the system's memory ran out */
	E_LIMIT,     /* a named limit was reached */
	E_SYNTAX,    /* text or wire form that no rule of its format admits */
	E_RANGE,     /* well-formed, but out of the values that are allowed */
	E_NOT_FOUND, /* what was named does not exist */
	E_EXISTS,    /* what was to be made is there already */
	E_CONFLICT,  /* true by itself, but not beside what is there */
	E_REFUSED,   /* policy says no */
	E_AUTH,      /* a signature, MAC or identity is wrong */
	E_IO,        /* the kernel or the disk said no */
	E_DAMAGED,   /* stored bytes do not match their checksum or format */
	E_BUSY,      /* it is taken or under way; try again later */
	E_AGAIN,     /* nothing to do now; wait for readiness */
	E_UNSUPPORTED,
	CODE_COUNT,
};

/* The code's name in logs and JSON: "io", "not-found", ... */
const char *code_name(enum code code);

#endif
