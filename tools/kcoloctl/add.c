// SPDX-License-Identifier: GPL-2.0
/*
 * "session add": create a session and keep it, or have a command keep it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include "kcoloctl.h"
#include "param.h"
#include "show.h"

/* Long options without a letter, above any letter. */
enum {
	OPT_CONNECT = 256,
	OPT_BIND,
	OPT_LISTEN,
	OPT_INSECURE,
	OPT_DEVICE_STATE,
	OPT_PARAM,
};

static const struct option options[] = {
	{ "connect", required_argument, NULL, OPT_CONNECT },
	{ "bind", required_argument, NULL, OPT_BIND },
	{ "listen", required_argument, NULL, OPT_LISTEN },
	{ "insecure", no_argument, NULL, OPT_INSECURE },
	{ "device-state", required_argument, NULL, OPT_DEVICE_STATE },
	{ "threshold", required_argument, NULL, OPT_PARAM },
	{ "max-iterations", required_argument, NULL, OPT_PARAM },
	{ "min-gain", required_argument, NULL, OPT_PARAM },
	{ "peer-timeout", required_argument, NULL, OPT_PARAM },
	{ "pause-limit", required_argument, NULL, OPT_PARAM },
	{ "checksum", required_argument, NULL, OPT_PARAM },
	{ "log-sync", required_argument, NULL, OPT_PARAM },
	{ "log-sync-timeout", required_argument, NULL, OPT_PARAM },
	{ "staging-limit", required_argument, NULL, OPT_PARAM },
	{ "reconnect", required_argument, NULL, OPT_PARAM },
	CLI_OPTIONS
};

struct add {
	struct kcolo_session_config config;
	const char *connect;
	const char *bind;
	const char *listen;
	char **command;			/* NULL: stay and hold the session */
};

static int take_device_state(struct cli *cli, struct add *add)
{
	enum kcolo_device_state v;
	const char *name;

	for (v = 0; (name = kcolo_device_state_name(v)); v++) {
		if (strcmp(name, optarg))
			continue;
		add->config.device_state = v;
		return 0;
	}
	return usage_error(cli, "--device-state is session or external, not \"%s\"",
			   optarg) + 1;
}

static int take_option(struct cli *cli, struct add *add, int c, int index)
{
	const char *what;

	switch (c) {
	case OPT_CONNECT:
		add->connect = optarg;
		return 0;
	case OPT_BIND:
		add->bind = optarg;
		return 0;
	case OPT_LISTEN:
		add->listen = optarg;
		return 0;
	case OPT_INSECURE:
		add->config.insecure = true;
		return 0;
	case OPT_DEVICE_STATE:
		return take_device_state(cli, add);
	case OPT_PARAM:
		what = param_set(&add->config.params, options[index].name,
				 optarg);
		if (!what)
			return 0;
		return usage_error(cli, "--%s is %s, not \"%s\"",
				   options[index].name, what, optarg) + 1;
	default:
		return cli_option(cli, c);
	}
}

static bool parse_addr(const char *text, bool port, union kcolo_addr *addr)
{
	char with_port[128];

	if (!port) {
		/* An IPv6 address with its brackets has colons of its own. */
		snprintf(with_port, sizeof(with_port), "%s:0", text);
		if (strlen(text) < sizeof(with_port) - 2 &&
		    !kcolo_addr_parse(with_port, addr))
			return true;
	}
	/* The port is at the same place in both families. */
	return !kcolo_addr_parse(text, addr) && (!port || addr->in.sin_port);
}

static int check_primary(struct cli *cli, struct add *add)
{
	if (add->listen)
		return usage_error(cli, "a primary does not listen");
	if (!add->connect)
		return usage_error(cli, "a primary needs --connect ADDR:PORT");
	if (!parse_addr(add->connect, true, &add->config.peer))
		return usage_error(cli, "--connect is ADDR:PORT, not \"%s\"",
				   add->connect);
	if (add->bind && !parse_addr(add->bind, false, &add->config.local))
		return usage_error(cli, "--bind is ADDR, not \"%s\"",
				   add->bind);
	add->config.role = KCOLO_ROLE_PRIMARY;
	return 0;
}

static int check_secondary(struct cli *cli, struct add *add)
{
	if (add->connect || add->bind)
		return usage_error(cli, "a secondary only listens");
	if (!add->listen)
		return usage_error(cli, "a secondary needs --listen ADDR:PORT");
	if (!parse_addr(add->listen, true, &add->config.local))
		return usage_error(cli, "--listen is ADDR:PORT, not \"%s\"",
				   add->listen);
	add->config.role = KCOLO_ROLE_SECONDARY;
	return 0;
}

static int check(struct cli *cli, struct add *add, int argc, char **argv)
{
	int ret;

	if (cli->session || argc - optind != 2)
		return usage_error(cli, "NAME and primary or secondary");
	add->config.name = argv[optind];
	if (!*add->config.name || strlen(add->config.name) > KCOLO_NAME_MAX)
		return usage_error(cli, "a name has 1 to %d characters",
				   KCOLO_NAME_MAX);
	if (!strcmp(argv[optind + 1], "primary"))
		ret = check_primary(cli, add);
	else if (!strcmp(argv[optind + 1], "secondary"))
		ret = check_secondary(cli, add);
	else
		ret = usage_error(cli, "primary or secondary, not \"%s\"",
				  argv[optind + 1]);
	if (!ret && !add->config.insecure)
		ret = usage_error(cli, "there are no keys: say --insecure, on a private network");
	return ret;
}

/* Return: only on failure. */
static int run_command(struct kcolo *k, const struct add *add)
{
	int fd = kcolo_session_fd(k);
	char number[16];

	snprintf(number, sizeof(number), "%d", fd);
	if (fcntl(fd, F_SETFD, 0) || setenv("KCOLO_FD", number, 1) ||
	    setenv("KCOLO_SESSION", add->config.name, 1)) {
		complain("the session cannot be handed over: %s",
			 strerror(errno));
		return EXIT_REFUSED;
	}
	execvp(add->command[0], add->command);
	complain("%s: %s", add->command[0], strerror(errno));
	return EXIT_REFUSED;
}

static int announce(const struct cli *cli, struct kcolo *k)
{
	struct kcolo_session_info info;
	struct json_object *o;
	char name[NAME_PLAIN];
	int err = kcolo_session_get(k, &info);

	if (err)
		return cli_fail(k, err);
	if (cli->json) {
		o = json_new();
		json_add_u64(o, "id", info.id);
		json_add_string(o, "name", info.name);
		json_print(o, false);
	} else {
		printf("session %s id %u\n",
		       plain(info.name, name, sizeof(name)), info.id);
	}
	kcolo_session_info_free(&info);
	return cli_flush();
}

/* Until a signal comes or the session is deleted: its fd then hangs up. */
static int hold(struct kcolo *k, const sigset_t *signals)
{
	struct pollfd p[] = {
		{ .fd = signalfd(-1, signals, SFD_CLOEXEC), .events = POLLIN },
		{ .fd = kcolo_session_fd(k) },
	};
	int ret = EXIT_GOOD;

	if (p[0].fd < 0) {
		complain("signalfd: %s", strerror(errno));
		return EXIT_REFUSED;
	}
	while (poll(p, ARRAY_SIZE(p), -1) < 0) {
		if (errno == EINTR)
			continue;
		complain("poll: %s", strerror(errno));
		ret = EXIT_REFUSED;
		break;
	}
	close(p[0].fd);
	return ret;
}

static int add_session(struct cli *cli, const struct add *add)
{
	sigset_t signals, old;
	struct kcolo *k;
	int err, ret = cli_open(&k);

	if (ret)
		return ret;
	/* Before there is a session, so that none ends without its end. */
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &signals, &old);
	err = kcolo_session_new(k, &add->config);
	if (err) {
		/* -ENOENT here is not a session that was asked for. */
		ret = cli_fail(k, err == -ENOENT ? -EINVAL : err);
	} else if (add->command) {
		sigprocmask(SIG_SETMASK, &old, NULL);
		ret = run_command(k, add);
	} else {
		ret = announce(cli, k);
		if (!ret)
			ret = hold(k, &signals);
	}
	kcolo_close(k);
	return ret;
}

/* What follows "--" is the command's own. Return: the arguments before it. */
static int split(struct add *add, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--"))
			continue;
		add->command = argv + i + 1;
		argv[i] = NULL;
		return i;
	}
	return argc;
}

/**
 * cmd_session_add - create a session
 * @cli: call
 * @argc: of the subcommand
 * @argv: of the subcommand
 *
 * Return: an exit code; not at all when a command takes over.
 */
int cmd_session_add(struct cli *cli, int argc, char **argv)
{
	struct add add = { 0 };
	int c, index = 0, ret = 0;

	argc = split(&add, argc, argv);
	while (!ret && (c = getopt_long(argc, argv, CLI_SHORT, options,
					&index)) != -1)
		ret = take_option(cli, &add, c, index);
	if (ret)
		return ret - 1;
	if (add.command && !add.command[0])
		return usage_error(cli, "which command, after \"--\"?");
	ret = check(cli, &add, argc, argv);
	return ret ? ret : add_session(cli, &add);
}
