/* SPDX-License-Identifier: Apache-2.0 */
/* time.h - intervals of zone files. */
#ifndef DNS_FIELDS_TIME_H
#define DNS_FIELDS_TIME_H

#include "base/span.h"

/*
 * Reads "3600" or "1w2d3h4m5s" (any case, any order, each number with its unit) into
 * seconds. False: it is neither, or above 4294967295.
 */
bool period_read(struct span text, uint32_t *seconds);

#endif
