/* SPDX-License-Identifier: Apache-2.0 */
/* attributes.h - what a prototype promises to the compiler. */
#ifndef BASE_ATTRIBUTES_H
#define BASE_ATTRIBUTES_H

#define must_use              __attribute__((warn_unused_result))
#define printf_like(fmt, arg) __attribute__((format(printf, fmt, arg)))
#define unlikely(x)           __builtin_expect(!!(x), 0)
#define likely(x)             __builtin_expect(!!(x), 1)

#define ARRAY_COUNT(a) (sizeof(a) / sizeof((a)[0]))

#endif
