// SPDX-License-Identifier: GPL-2.0
/*
 * kcoloctl: drive and watch kcolo from a shell. The table of subcommands; each
 * group has a file of its own.
 */
#include <stdio.h>
#include <string.h>
#include "color.h"
#include "kcoloctl.h"

static const struct command commands[] = {
	{
		"session add",
		"NAME primary --connect ADDR:PORT --insecure [OPTIONS] [-- COMMAND ...]\n"
		"       kcoloctl session add NAME secondary --listen ADDR:PORT --insecure [OPTIONS] [-- COMMAND ...]",
		"Create a session. It lives as long as its fd is open: COMMAND inherits it\n"
		"(KCOLO_FD, KCOLO_SESSION); without COMMAND kcoloctl stays and holds it until\n"
		"it is deleted, or SIGINT, SIGTERM or SIGHUP comes.\n\n"
		"  --connect ADDR:PORT    primary: where the secondary listens\n"
		"  --bind ADDR            primary: address to come from\n"
		"  --listen ADDR:PORT     secondary: where to listen, \"*\" is any IPv4 address\n"
		"  --insecure             there is no key: whoever reaches the port is trusted\n"
		"  --device-state HOW     session, or external: the VMMs send it themselves\n"
		"  --threshold SIZE       go on with pre-copy while so much is pending; 0 is off\n"
		"  --max-iterations N     rounds of pre-copy at most\n"
		"  --min-gain PERCENT     what a round must gain for another to run; 0 is off\n"
		"  --peer-timeout TIME    without an answer for so long the peer is lost\n"
		"  --pause-limit TIME     abort a checkpoint that pauses for longer; 0 is off\n"
		"  --checksum on|off      CRC32C of the payload\n"
		"  --log-sync on|off      ask the VMM for its own log before it is needed\n"
		"  --log-sync-timeout TIME  go on without it after so long\n"
		"  --reconnect on|off     look for a peer that is lost, or let it come back\n"
		"  --staging-limit SIZE   secondary: abort an epoch that takes more; 0 is off",
		cmd_session_add,
	},
	{
		"session del", "[NAME]",
		"End a session. The other host is told that this is meant: a secondary ends, too,\n"
		"and does not take over. A primary's guest goes on, unprotected.",
		cmd_session_del,
	},
	{
		"session show", "[NAME]",
		"Say what there is to say of a session, or of all, for people.\n"
		"\"show\" is the same; \"dump\" and --json are for scripts.",
		cmd_session_show,
	},
	{
		"session list", "", "List all sessions of this network namespace.",
		cmd_session_list,
	},
	{
		"show", "[NAME]",
		"Say what there is to say of a session, or of all, for people.\n"
		"\"session show\" is the same; \"dump\" and --json are for scripts.",
		cmd_session_show,
	},
	{
		"dump", "[NAME]",
		"Print a session, or all, for scripts.\n"
		"A line each: the fields that kcoloctl(8) lists, separated by tabs; \"-\" is\n"
		"what is absent.",
		cmd_dump,
	},
	{
		"set", "PARAM VALUE [PARAM VALUE ...] [NAME]",
		"Change parameters of a session at once.\n\n"
		"  threshold SIZE, max-iterations N, min-gain PERCENT, peer-timeout TIME,\n"
		"  pause-limit TIME, checksum on|off, log-sync on|off, log-sync-timeout TIME,\n"
		"  reconnect on|off, staging-limit SIZE, and, of a primary without a peer, peer ADDR:PORT;\n"
		"  see \"session add --help\". \"set help\" lists them.",
		cmd_set,
	},
	{
		"get", "[PARAM] [NAME]",
		"Print one field of a session, or all parameters.\n"
		"The fields are those of \"session show --json\".",
		cmd_get,
	},
	{
		"checkpoint", "[--urgent] [NAME]",
		"Ask for a checkpoint and print its number.\n"
		"Events say what becomes of it.\n\n"
		"  -u, --urgent        no pre-copy: the guest is paused at once",
		cmd_checkpoint,
	},
	{
		"abort", "[NAME]", "Give up the checkpoint that is under way.",
		cmd_abort,
	},
	{
		"apply", "[--epoch N] [NAME]",
		"Commit the checkpoint that is prepared.\n"
		"On a secondary with external device state; that is for its VMM to do, which\n"
		"has the device state.\n\n"
		"  -e, --epoch N       only if it is this one",
		cmd_apply,
	},
	{
		"drop", "[--epoch N] [NAME]",
		"Discard the checkpoint that is being received or is prepared.\n"
		"On a secondary with external device state. The guest of the primary goes on.\n\n"
		"  -e, --epoch N       only if it is this one",
		cmd_drop,
	},
	{
		"promote", "[NAME]",
		"Have a secondary take over with the last committed checkpoint. Nothing of\n"
		"the old primary is taken after that.",
		cmd_promote,
	},
	{
		"events",
		"[--now] [--timestamps] [--statistics] [--count N] [--timeout TIME]\n"
		"       [--type TYPE]... [NAME]",
		"Print what there is, and then what happens.\n"
		"Lines \"ACTION OBJECT KEY:VALUE ...\", of one session or of all; \"exists -\"\n"
		"ends what there is.\n\n"
		"  -N, --now           exit after what there is\n"
		"  -i, --timestamps    say when, before each line\n"
		"  -S, --statistics    counters, too\n"
		"  -n, --count N       exit after N events\n"
		"  -t, --timeout TIME  exit after TIME (5 and 5s are seconds, or 500ms); with\n"
		"                      --count and fewer events, with exit code 1\n"
		"  -T, --type TYPE     only events of that type; may be repeated; help lists them",
		cmd_events,
	},
	{
		"wait", "STATE[,STATE...] [--timeout TIME] [NAME]",
		"Wait until a session is in one of the states, and print which. Exit code 5:\n"
		"it was not within TIME; 6: it has ended, or cannot be any more. \"wait help\"\n"
		"lists the states.\n\n"
		"  -t, --timeout TIME  5 and 5s are seconds, or 500ms",
		cmd_wait,
	},
	{
		"verify", "[--last] [--timeout TIME] [NAME]",
		"Have both ends of a primary's session hash all of RAM at its next checkpoint, in\n"
		"the pause, and say which pages differ. Exit code 7: some do; 5: there was no\n"
		"checkpoint within TIME; 6: there cannot be one any more.\n\n"
		"  -l, --last          what was found last, on either end\n"
		"  -t, --timeout TIME  5 and 5s are seconds, or 500ms",
		cmd_verify,
	},
	{
		"stats", "[--all] [--watch[=INTERVAL] [--count N]] [NAME]",
		"Print the counters of a session.\n\n"
		"  -a, --all           of all sessions\n"
		"  -w, --watch[=TIME]  again and again, each TIME (1s), with what each gains\n"
		"                      per second, until SIGINT, SIGTERM or SIGHUP comes\n"
		"  -n, --count N       exit after N times",
		cmd_stats,
	},
};

static void print_help(FILE *out)
{
	unsigned int i;

	fputs("usage: kcoloctl [--json] [--color WHEN] [--session NAME] SUBCOMMAND ...\n"
	      "       kcoloctl --help | --version\n\n", out);
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(out, "  %-14s %.*s\n", commands[i].name,
			(int)strcspn(commands[i].help, "\n."),
			commands[i].help);
	fputs("\nkcoloctl SUBCOMMAND --help says more, kcoloctl(8) all.\n", out);
}

static bool is_command(const struct command *c, int argc, char **argv,
		       int *words)
{
	size_t len = strlen(argv[0]);

	if (!strcmp(c->name, argv[0])) {
		*words = 1;
		return true;
	}
	*words = 2;
	return argc > 1 && !strncmp(c->name, argv[0], len) &&
	       c->name[len] == ' ' && !strcmp(c->name + len + 1, argv[1]);
}

static int run(struct cli *cli, int argc, char **argv)
{
	unsigned int i;
	int words;

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		if (!is_command(&commands[i], argc, argv, &words))
			continue;
		cli->command = &commands[i];
		optind = 0;	/* begins anew, and forgets "+" */
		return commands[i].run(cli, argc - words + 1,
				       argv + words - 1);
	}
	if (!strcmp(argv[0], "session"))
		complain("session add, del, show or list?");
	else
		complain("there is no subcommand \"%s\"", argv[0]);
	print_help(stderr);
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "version", no_argument, NULL, 'V' },
		CLI_OPTIONS
	};
	struct cli cli = { 0 };
	int c;

	while ((c = getopt_long(argc, argv, "+V" CLI_SHORT, options,
				NULL)) != -1) {
		switch (c) {
		case 'V':
			puts("kcoloctl " KCOLO_VERSION);
			return cli_flush();
		case 'h':
			print_help(stdout);
			return cli_flush();
		case 'j':
			cli.json = true;
			break;
		case 's':
			cli.session = optarg;
			break;
		case 'C':
			if (color_use(optarg))
				break;
			complain("--color is auto, always or never, not \"%s\"",
				 optarg);
			return EXIT_USAGE;
		default:
			print_help(stderr);
			return EXIT_USAGE;
		}
	}
	if (optind == argc) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	return run(&cli, argc - optind, argv + optind);
}
