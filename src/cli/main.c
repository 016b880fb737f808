/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - one program: the commands for people, and the server's processes. */
#include "cli/cli.h"

#include "server/courier/courier.h"
#include "server/front/front.h"
#include "server/keeper/keeper.h"
#include "server/reader.h"

int main(int argc, char **argv)
{
	static const struct process_programs programs = {
		.mains = {[PROCESS_KEEPER] = keeper_main,
			  [PROCESS_COURIER] = courier_main,
			  [PROCESS_FRONT] = front_main},
		.read = plan_read,
	};

	if (process_is_meant(argc, argv)) process_main(&programs, argc, argv);
	return cli_main(argc, argv);
}
