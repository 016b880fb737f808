/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/policy.h"

const struct zone_policy *policy_zone(const struct policy *policy, struct name name)
{
	size_t low = 0, high = policy->zone_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = name_compare(name, policy->zones[middle].name);
		if (order == 0) return &policy->zones[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}
