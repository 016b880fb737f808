/* SPDX-License-Identifier: Apache-2.0 */
#include "blast.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
	"usage: blast udp|tcp|tcp-once --port N --questions FILE [options]\n"
	"       blast axfr --port N --zone NAME [--watch PID]...\n"
	"       blast echo --port N\n"
	"\n"
	"Asks a server on 127.0.0.1 and prints JSON: the rate, the server's processor time, and\n"
	"whether its answers were right.\n"
	"\n"
	"  --seconds S       measure so long (1)       --warm S         before that (0.3)\n"
	"  --count N         instead: so many questions, all answered or lost\n"
	"  --sockets N       UDP sockets or TCP connections (8)\n"
	"  --outstanding N   questions without an answer, for each of them (16)\n"
	"  --train N         datagrams sent with one call (8)\n"
	"  --timeout S       then a question is lost (1)\n"
	"  --do              ask with DO, expect signatures where the file says so\n"
	"  --unchecked       hold answers to nothing but id and QR\n"
	"  --watch PID       count this process's time; may come often\n"
	"  --sample-cpu N    split the time into user and system by sampling that core\n";

static double number(const char *text, double min, double max)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end || !(value >= min && value <= max))
		die("\"%s\": a number from %g to %g is needed", text, min, max);
	return value;
}

static void option_apply(struct options *o, int which, const char *value)
{
	switch (which) {
	case 'p': o->port = (uint16_t)number(value, 1, 65535); break;
	case 'q': o->questions = value; break;
	case 's': o->seconds = number(value, 0.01, 3600); break;
	case 'w': o->warm_seconds = number(value, 0, 3600); break;
	case 'c': o->count = (uint64_t)number(value, 1, 1e9); break;
	case 'n': o->sockets = (unsigned)number(value, 1, CONNECTIONS_MAX); break;
	case 'o': o->outstanding = (unsigned)number(value, 1, SLOTS_MAX); break;
	case 't': o->train = (unsigned)number(value, 1, TRAIN_MAX); break;
	case 'T': o->timeout_seconds = number(value, 0.01, 3600); break;
	case 'd': o->dnssec_ok = true; break;
	case 'u': o->unchecked = true; break;
	case 'z': o->zone = value; break;
	case 'S': o->sample_cpu = (int)number(value, 0, 4096); break;
	case 'W':
		if (o->watched_count == WATCHED_MAX) die("at most %d processes", WATCHED_MAX);
		o->watched[o->watched_count++] = (pid_t)number(value, 1, 1 << 30);
		break;
	default: fputs(usage, stderr); exit(2);
	}
}

static void options_read(struct options *o, int argc, char **argv)
{
	static const struct option table[] = {
		{"port", required_argument, NULL, 'p'},
		{"questions", required_argument, NULL, 'q'},
		{"seconds", required_argument, NULL, 's'},
		{"warm", required_argument, NULL, 'w'},
		{"count", required_argument, NULL, 'c'},
		{"sockets", required_argument, NULL, 'n'},
		{"outstanding", required_argument, NULL, 'o'},
		{"train", required_argument, NULL, 't'},
		{"timeout", required_argument, NULL, 'T'},
		{"do", no_argument, NULL, 'd'},
		{"unchecked", no_argument, NULL, 'u'},
		{"zone", required_argument, NULL, 'z'},
		{"sample-cpu", required_argument, NULL, 'S'},
		{"watch", required_argument, NULL, 'W'},
		{NULL, 0, NULL, 0},
	};
	int which;

	while ((which = getopt_long(argc, argv, "", table, NULL)) != -1)
		option_apply(o, which, optarg);
	if (o->count) {
		o->seconds = 0;
		o->warm_seconds = 0;
	}
	if (o->train > o->outstanding) o->train = o->outstanding;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(const struct options *o);
		bool needs_questions, needs_zone;
	} modes[] = {
		{"udp", udp_run, true, false},           {"tcp", tcp_run, true, false},
		{"tcp-once", tcp_once_run, true, false}, {"axfr", axfr_run, false, true},
		{"echo", echo_serve, false, false},
	};
	struct options o = {.seconds = 1,
			    .warm_seconds = 0.3,
			    .sockets = 8,
			    .outstanding = 16,
			    .train = 8,
			    .timeout_seconds = 1,
			    .sample_cpu = -1};

	options_read(&o, argc, argv);
	for (size_t i = 0; optind < argc && i < sizeof modes / sizeof modes[0]; i++) {
		if (strcmp(argv[optind], modes[i].name) != 0) continue;
		if (!o.port || (modes[i].needs_questions && !o.questions) ||
		    (modes[i].needs_zone && !o.zone))
			break;
		modes[i].run(&o);
		return EXIT_SUCCESS;
	}
	fputs(usage, stderr);
	return 2;
}
