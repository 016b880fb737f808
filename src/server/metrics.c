/* SPDX-License-Identifier: Apache-2.0 */
#include "server/metrics.h"

#include <assert.h>

static const struct {
	const char *name;
	const char *words;
	enum { COUNTER, GAUGE } kind;
} metrics[METRIC_COUNT] = {
#define METRIC(identifier, name, kind, words) [METRIC_##identifier] = {name, words, kind},
#include "server/metrics.def"
#undef METRIC
};

static_assert(METRIC_COUNT <= ARRAY_COUNT(((struct message_front_stats *)0)->counters),
	      "the message has a place for each metric");

const char *metric_name(enum metric metric)
{
	assert(metric < METRIC_COUNT);
	return metrics[metric].name;
}

const char *metric_words(enum metric metric)
{
	assert(metric < METRIC_COUNT);
	return metrics[metric].words;
}

bool metric_is_gauge(enum metric metric)
{
	assert(metric < METRIC_COUNT);
	return metrics[metric].kind == GAUGE;
}

void metrics_write(const struct message_front_stats *stats, struct json *j)
{
	json_object_begin(j);
	for (enum metric metric = 0; metric < METRIC_COUNT; metric++) {
		json_key(j, metric_name(metric));
		json_uint(j, stats->counters[metric]);
	}
	json_object_end(j);
}
