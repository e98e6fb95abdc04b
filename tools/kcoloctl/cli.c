// SPDX-License-Identifier: GPL-2.0
/*
 * What all subcommands do alike: options, messages, finding the session.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "color.h"
#include "kcoloctl.h"
#include "parse.h"
#include "show.h"

/* More sessions than that are not listed in a message. */
#define LIST_MAX	16

static void vcomplain(const char *fmt, va_list ap)
{
	fputs("kcoloctl: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

/**
 * complain - a message for people
 * @fmt: as in printf(), without a newline
 */
void complain(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vcomplain(fmt, ap);
	va_end(ap);
}

/**
 * usage_error - the tool was called wrongly
 * @cli: call
 * @fmt: what is wrong
 *
 * Return: the exit code.
 */
int usage_error(const struct cli *cli, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vcomplain(fmt, ap);
	va_end(ap);
	fprintf(stderr, "usage: kcoloctl %s %s\n", cli->command->name,
		cli->command->args);
	return EXIT_USAGE;
}

/**
 * print_command_help - say what a subcommand does
 * @c: subcommand
 */
void print_command_help(const struct command *c)
{
	printf("usage: kcoloctl %s %s\n\n%s\n", c->name, c->args, c->help);
	puts("\n  -s, --session NAME  which session; --name is the same\n"
	     "  -j, --json          say it in JSON\n"
	     "      --color WHEN    auto, which is on a terminal, always or never\n"
	     "  -h, --help          this");
}

/**
 * cli_option - take an option that all subcommands have
 * @cli: call
 * @c: what getopt_long() returned
 *
 * Return: 0, or the exit code + 1 when the tool is to exit now.
 */
int cli_option(struct cli *cli, int c)
{
	switch (c) {
	case 'j':
		cli->json = true;
		return 0;
	case 's':
		cli->session = optarg;
		return 0;
	case 'C':
		if (color_use(optarg))
			return 0;
		return usage_error(cli, "--color is auto, always or never, not \"%s\"",
				   optarg) + 1;
	case 'h':
		print_command_help(cli->command);
		return cli_flush() + 1;
	default:
		/* getopt_long() has said what is wrong. */
		fprintf(stderr, "usage: kcoloctl %s %s\n", cli->command->name,
			cli->command->args);
		return EXIT_USAGE + 1;
	}
}

/**
 * cli_options - take the options of a subcommand that has none of its own
 * @cli: call
 * @argc: of the subcommand
 * @argv: of the subcommand; optind is where its arguments begin
 *
 * Return: 0, or the exit code + 1 when the tool is to exit now.
 */
int cli_options(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = { CLI_OPTIONS };
	int c, ret = 0;

	while (!ret && (c = getopt_long(argc, argv, CLI_SHORT, options,
					NULL)) != -1)
		ret = cli_option(cli, c);
	return ret;
}

/**
 * cli_name - take the last argument, the session's name, which may lack
 * @cli: call
 * @argc: of the subcommand
 * @argv: of the subcommand, from optind
 *
 * Return: 0, or the exit code + 1 when there is too much.
 */
int cli_name(struct cli *cli, int argc, char **argv)
{
	if (optind < argc) {
		if (cli->session)
			return usage_error(cli, "\"%s\" is one session too many",
					   argv[optind]) + 1;
		cli->session = argv[optind++];
	}
	if (optind < argc)
		return usage_error(cli, "\"%s\" is one argument too many",
				   argv[optind]) + 1;
	return 0;
}

/**
 * cli_open - make a handle
 * @kp: where it goes; the caller closes it
 *
 * Return: 0, or the exit code after a message.
 */
int cli_open(struct kcolo **kp)
{
	int err = kcolo_open(kp);

	if (!err)
		return 0;
	if (err == -EPROTONOSUPPORT) {
		complain("the kcolo module is not loaded: modprobe kcolo");
		return EXIT_NO_MODULE;
	}
	complain("generic netlink cannot be used: %s", strerror(-err));
	return EXIT_REFUSED;
}

/**
 * cli_fail - say why the kernel refused
 * @k: handle
 * @err: negative errno of the library
 *
 * Return: the exit code.
 */
int cli_fail(struct kcolo *k, int err)
{
	char buf[ERROR_PLAIN];

	complain("%s", plain(kcolo_error(k), buf, sizeof(buf)));
	return err == -ENOENT ? EXIT_NO_SESSION : EXIT_REFUSED;
}

/**
 * cli_flush - the end of all output
 *
 * A script must not take half an answer for a whole one.
 *
 * Return: the exit code.
 */
int cli_flush(void)
{
	if (!fflush(stdout) && !ferror(stdout))
		return EXIT_GOOD;
	complain("stdout: %s", strerror(errno));
	return EXIT_REFUSED;
}

/**
 * now_ms - a clock that is never set
 *
 * Return: milliseconds.
 */
int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/**
 * cli_has_session - whether one session is meant without looking for it
 * @cli: call
 *
 * Whoever has one by its fd need not see the others.
 *
 * Return: whether; else, where that makes sense, all are meant.
 */
bool cli_has_session(const struct cli *cli)
{
	return cli->session || getenv("KCOLO_FD");
}

struct only {
	unsigned int nr;
	uint32_t id;
	char names[LIST_MAX * (NAME_PLAIN + 2) + 8];
};

static int count_session(const struct kcolo_session_info *info, void *arg)
{
	struct only *only = arg;
	size_t len = strlen(only->names);
	char name[NAME_PLAIN];

	if (only->nr < LIST_MAX)
		snprintf(only->names + len, sizeof(only->names) - len, "%s%s",
			 len ? ", " : "",
			 plain(info->name, name, sizeof(name)));
	else if (only->nr == LIST_MAX)
		snprintf(only->names + len, sizeof(only->names) - len, ", ...");
	only->id = info->id;
	only->nr++;
	return 0;
}

static int use_only(struct cli *cli, struct kcolo *k)
{
	struct only only = { 0 };
	int err = kcolo_session_dump(k, count_session, &only);

	if (err)
		return cli_fail(k, err);
	if (!only.nr) {
		complain("there is no session here: kcoloctl session add makes one");
		return EXIT_NO_SESSION;
	}
	if (only.nr > 1) {
		complain("which session? There are %s. Say: kcoloctl %s -s NAME",
			 only.names, cli->command->name);
		return EXIT_NO_SESSION;
	}
	kcolo_session_use_id(k, only.id);
	return 0;
}

/* The session that "session add ... -- COMMAND" gave to the command. */
static int use_inherited(struct kcolo *k, const char *text)
{
	char buf[ERROR_PLAIN];
	uint64_t fd;
	int err;

	if (!parse_number(text, INT_MAX, &fd) || fcntl(fd, F_GETFD) < 0) {
		complain("KCOLO_FD=%s is no open file; name a session, or unset it",
			 text);
		return EXIT_NO_SESSION;
	}
	err = kcolo_session_use_fd(k, fd);
	if (err) {
		complain("KCOLO_FD=%s: %s", text,
			 plain(kcolo_error(k), buf, sizeof(buf)));
		return EXIT_NO_SESSION;
	}
	return 0;
}

static int choose(struct cli *cli, struct kcolo *k)
{
	const char *fd = getenv("KCOLO_FD");

	if (cli->session) {
		if (!kcolo_session_use_name(k, cli->session))
			return 0;
		complain("%s", kcolo_error(k));
		return EXIT_USAGE;
	}
	return fd ? use_inherited(k, fd) : use_only(cli, k);
}

/**
 * cli_session - make a handle that drives the session asked for
 * @cli: call
 * @kp: where it goes; the caller closes it
 *
 * That is the one named, else the one inherited, else the only one.
 *
 * Return: 0, or the exit code after a message; then there is no handle.
 */
int cli_session(struct cli *cli, struct kcolo **kp)
{
	int ret = cli_open(kp);

	if (ret)
		return ret;
	ret = choose(cli, *kp);
	if (ret) {
		kcolo_close(*kp);
		*kp = NULL;
	}
	return ret;
}

/**
 * cli_target - make a handle for a subcommand on one session
 * @cli: call
 * @argc: of the subcommand, whose options are taken
 * @argv: of the subcommand
 * @ret: what came of its options, as of cli_option()
 * @kp: where the handle goes, for cli_done(); NULL when there is none
 *
 * Return: the exit code when there is no handle.
 */
int cli_target(struct cli *cli, int argc, char **argv, int ret,
	       struct kcolo **kp)
{
	*kp = NULL;
	if (!ret)
		ret = cli_name(cli, argc, argv);
	return ret ? ret - 1 : cli_session(cli, kp);
}

/**
 * cli_done - close a handle when all is asked
 * @k: handle
 * @err: 0, or the negative errno of the request that failed, which is told
 *
 * Return: an exit code.
 */
int cli_done(struct kcolo *k, int err)
{
	int ret = err ? cli_fail(k, err) : EXIT_GOOD;

	kcolo_close(k);
	return ret;
}

/**
 * cli_printed - the same after something was printed
 * @k: handle
 * @err: as of cli_done()
 *
 * Return: an exit code.
 */
int cli_printed(struct kcolo *k, int err)
{
	int ret = cli_done(k, err);

	return ret ? ret : cli_flush();
}
