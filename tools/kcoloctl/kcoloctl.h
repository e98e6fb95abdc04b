/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of kcoloctl share. */
#ifndef KCOLOCTL_H
#define KCOLOCTL_H

#include <getopt.h>
#include <kcolo.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* Documented in kcoloctl(8). */
enum exit_code {
	EXIT_GOOD,
	EXIT_REFUSED,		/* by the kernel, or it failed */
	EXIT_USAGE,
	EXIT_NO_MODULE,
	EXIT_NO_SESSION,	/* or several, and none was named */
	EXIT_TIMEOUT,		/* of wait */
	EXIT_NEVER,		/* what is waited for cannot come any more */
	EXIT_DIFFERENT,		/* verify: the two ends have not the same */
};

/**
 * struct cli - one call of the tool
 * @json: say it in JSON
 * @session: name of the session asked for, or NULL
 * @command: being run, for its messages
 */
struct cli {
	bool json;
	const char *session;
	const struct command *command;
};

/**
 * struct command - a subcommand
 * @name: what it is called; of two words for "session ..."
 * @args: what follows the name, for the usage
 * @help: what it does, a few lines
 * @run: does it; argv[0] is the name's last word. Return: an exit code.
 */
struct command {
	const char *name;
	const char *args;
	const char *help;
	int (*run)(struct cli *cli, int argc, char **argv);
};

/* Each subcommand takes these; cli_option() handles them. */
#define CLI_OPTIONS \
	{ .name = "json", .val = 'j' }, \
	{ .name = "session", .has_arg = required_argument, .val = 's' }, \
	{ .name = "name", .has_arg = required_argument, .val = 's' }, \
	{ .name = "color", .has_arg = required_argument, .val = 'C' }, \
	{ .name = "help", .val = 'h' }, \
	{ .name = NULL }
#define CLI_SHORT	"js:h"

/* cli.c */
void complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
int usage_error(const struct cli *cli, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void print_command_help(const struct command *c);
int cli_option(struct cli *cli, int c);
int cli_options(struct cli *cli, int argc, char **argv);
int cli_name(struct cli *cli, int argc, char **argv);
int cli_open(struct kcolo **kp);
int cli_session(struct cli *cli, struct kcolo **kp);
int cli_target(struct cli *cli, int argc, char **argv, int ret,
	       struct kcolo **kp);
int cli_done(struct kcolo *k, int err);
int cli_printed(struct kcolo *k, int err);
int cli_fail(struct kcolo *k, int err);
int cli_flush(void);
bool cli_has_session(const struct cli *cli);
int64_t now_ms(void);

/* commands */
int cmd_session_add(struct cli *cli, int argc, char **argv);
int cmd_session_del(struct cli *cli, int argc, char **argv);
int cmd_session_show(struct cli *cli, int argc, char **argv);
int cmd_session_list(struct cli *cli, int argc, char **argv);
int cmd_set(struct cli *cli, int argc, char **argv);
int cmd_get(struct cli *cli, int argc, char **argv);
int cmd_checkpoint(struct cli *cli, int argc, char **argv);
int cmd_abort(struct cli *cli, int argc, char **argv);
int cmd_apply(struct cli *cli, int argc, char **argv);
int cmd_drop(struct cli *cli, int argc, char **argv);
int cmd_promote(struct cli *cli, int argc, char **argv);
int cmd_events(struct cli *cli, int argc, char **argv);
int cmd_stats(struct cli *cli, int argc, char **argv);
int cmd_verify(struct cli *cli, int argc, char **argv);
int cmd_wait(struct cli *cli, int argc, char **argv);
int cmd_dump(struct cli *cli, int argc, char **argv);

#endif
