/* SPDX-License-Identifier: Apache-2.0 */
/* limits.h - the rows of limits.def as constants. */
#ifndef ENGINE_LIMITS_H
#define ENGINE_LIMITS_H

enum {
#define LIMIT(name, value, words) name = (value),
#include "engine/limits.def"
#undef LIMIT
};

#endif
