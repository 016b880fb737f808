/* SPDX-License-Identifier: Apache-2.0 */
/* zone_text_split.h - the splitter for entries with quotes, comments, parentheses, escapes. */
#ifndef DNS_ZONE_TEXT_SPLIT_H
#define DNS_ZONE_TEXT_SPLIT_H

#include "dns/zone_text_scan.h"

/*
 * Splits the entry at the scan's position, whatever it holds, octet by octet, and moves
 * behind it. No words: it was empty, or wrong and told to the diagnostics.
 * OK or E_NOMEM.
 */
enum code zone_split(struct zone_scan *scan) must_use;

#endif
