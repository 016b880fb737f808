/* SPDX-License-Identifier: Apache-2.0 */
/*
 * supervisor.h - `lockstep serve`: the process that starts the others.
 *
 * It holds the ports, the control socket and the processes, and parses nothing that
 * comes from the network: a process that dies is started anew with the same sockets,
 * so what arrives meanwhile waits in the kernel.
 */
#ifndef SERVER_SUPERVISOR_H
#define SERVER_SUPERVISOR_H

/*
 * Serves with the configuration at `config_path` until SIGTERM or SIGINT. Prints
 * "ready" on standard output, and tells the service manager, once the front answers.
 * SIGHUP goes to the keeper. Whoever calls this must hand the command lines of its
 * children to process_main() (process.h).
 *
 * Ends the program itself, as behind its walls nothing else is left to do: with 0 when
 * it was told to end and everything did, with 1 when it could not start (that was
 * logged or printed).
 */
_Noreturn void supervisor_main(const char *config_path);

#endif
