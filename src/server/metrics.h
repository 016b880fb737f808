/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.h - the rows of metrics.def: their numbers and names. */
#ifndef SERVER_METRICS_H
#define SERVER_METRICS_H

#include "base/json.h"
#include "server/messages.h"

enum metric {
#define METRIC(identifier, name, kind, words) METRIC_##identifier,
#include "server/metrics.def"
#undef METRIC
	METRIC_COUNT,
};

/* "queries-udp" */
const char *metric_name(enum metric metric);

/* One sentence about it, without the final dot. */
const char *metric_words(enum metric metric);

/* It may also fall. */
bool metric_is_gauge(enum metric metric);

/* Writes an object: each metric's name and its value. */
void metrics_write(const struct message_front_stats *stats, struct json *j);

#endif
