/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"
int command_LIMITS(const struct invocation *invocation)
{
	(void)invocation;
	return cli_failed("not built");
}
