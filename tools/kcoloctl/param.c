// SPDX-License-Identifier: GPL-2.0
/*
 * The parameters of a session: their table, "set" and "get".
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "kcoloctl.h"
#include "param.h"
#include "parse.h"
#include "show.h"

static bool set_threshold(const char *text, struct kcolo_params *p)
{
	return parse_size(text, &p->threshold);
}

static bool set_u32(const char *text, uint32_t *value)
{
	uint64_t v;

	if (!parse_number(text, UINT32_MAX, &v))
		return false;
	*value = v;
	return true;
}

static bool set_time(const char *text, uint32_t *value)
{
	uint64_t v;

	if (!parse_time(text, PARSE_MS, &v) || v > UINT32_MAX)
		return false;
	*value = v;
	return true;
}

static bool set_max_iterations(const char *text, struct kcolo_params *p)
{
	return set_u32(text, &p->max_iterations);
}

static bool set_min_gain(const char *text, struct kcolo_params *p)
{
	return set_u32(text, &p->min_gain);
}

static bool set_peer_timeout(const char *text, struct kcolo_params *p)
{
	return set_time(text, &p->peer_timeout);
}

static bool set_pause_limit(const char *text, struct kcolo_params *p)
{
	return set_time(text, &p->pause_limit);
}

static bool set_checksum(const char *text, struct kcolo_params *p)
{
	return parse_switch(text, &p->checksum);
}

static bool set_log_sync(const char *text, struct kcolo_params *p)
{
	return parse_switch(text, &p->log_sync);
}

static bool set_log_sync_timeout(const char *text, struct kcolo_params *p)
{
	return set_time(text, &p->log_sync_timeout);
}

static bool set_reconnect(const char *text, struct kcolo_params *p)
{
	return parse_switch(text, &p->reconnect);
}

static bool set_peer(const char *text, struct kcolo_params *p)
{
	return !kcolo_addr_parse(text, &p->peer);
}

static bool set_staging_limit(const char *text, struct kcolo_params *p)
{
	return parse_size(text, &p->staging_limit);
}

#define A_SIZE	"a size, as 64M or 1G"
#define A_TIME	"a time, as 500ms or 2s"

/* The ranges are the kernel's to know: it refuses, and names the parameter. */
static const struct param {
	const char *name;
	unsigned int mask;
	bool (*set)(const char *text, struct kcolo_params *p);
	const char *what;
} params[] = {
	{ "threshold", KCOLO_PARAM_THRESHOLD, set_threshold, A_SIZE },
	{ "max-iterations", KCOLO_PARAM_MAX_ITERATIONS, set_max_iterations,
	  "a number" },
	{ "min-gain", KCOLO_PARAM_MIN_GAIN, set_min_gain, "a number" },
	{ "peer-timeout", KCOLO_PARAM_PEER_TIMEOUT, set_peer_timeout, A_TIME },
	{ "pause-limit", KCOLO_PARAM_PAUSE_LIMIT, set_pause_limit, A_TIME },
	{ "checksum", KCOLO_PARAM_CHECKSUM, set_checksum, "on or off" },
	{ "log-sync", KCOLO_PARAM_LOG_SYNC, set_log_sync, "on or off" },
	{ "log-sync-timeout", KCOLO_PARAM_LOG_SYNC_TIMEOUT,
	  set_log_sync_timeout, A_TIME },
	{ "staging-limit", KCOLO_PARAM_STAGING_LIMIT, set_staging_limit, A_SIZE },
	{ "reconnect", KCOLO_PARAM_RECONNECT, set_reconnect, "on or off" },
	{ "peer", KCOLO_PARAM_PEER, set_peer, "ADDR:PORT" },
};

static const struct param *find(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(params); i++)
		if (!strcmp(params[i].name, name))
			return &params[i];
	return NULL;
}

/**
 * param_known - whether there is such a parameter
 * @name: any
 *
 * Return: whether.
 */
bool param_known(const char *name)
{
	return find(name);
}

/**
 * param_set - set a parameter from words
 * @p: where to
 * @name: of the parameter, one that is known
 * @value: in words
 *
 * Return: NULL, or what @value has to be.
 */
const char *param_set(struct kcolo_params *p, const char *name,
		      const char *value)
{
	const struct param *param = find(name);

	if (!param->set(value, p))
		return param->what;
	p->mask |= param->mask;
	return NULL;
}

static int set_all(struct cli *cli, const struct kcolo_params *p)
{
	struct kcolo *k;
	int err, ret = cli_session(cli, &k);

	if (ret)
		return ret;
	err = kcolo_session_set(k, p);
	if (err)
		ret = cli_fail(k, err);
	kcolo_close(k);
	return ret;
}

static int list_params(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(params); i++)
		puts(params[i].name);
	return cli_flush();
}

/**
 * cmd_set - change parameters
 * @cli: call
 * @argc: of the subcommand
 * @argv: of the subcommand
 *
 * Return: an exit code.
 */
int cmd_set(struct cli *cli, int argc, char **argv)
{
	struct kcolo_params p = { 0 };
	const char *what;
	int ret = cli_options(cli, argc, argv);

	if (ret)
		return ret - 1;
	if (argc - optind == 1 && !strcmp(argv[optind], "help"))
		return list_params();
	for (; argc - optind >= 2; optind += 2) {
		if (!param_known(argv[optind]))
			return usage_error(cli, "there is no parameter \"%s\"",
					   argv[optind]);
		what = param_set(&p, argv[optind], argv[optind + 1]);
		if (what)
			return usage_error(cli, "%s is %s, not \"%s\"",
					   argv[optind], what,
					   argv[optind + 1]);
	}
	if (!p.mask)
		return usage_error(cli, "which parameter, and to what? \"set help\" lists them");
	ret = cli_name(cli, argc, argv);
	return ret ? ret - 1 : set_all(cli, &p);
}

static void print_value(struct json_object *v)
{
	char buf[ERROR_PLAIN];
	const char *text = v ? json_object_get_string(v) : "";

	/* Strings without quotes, null as an empty line. */
	if (json_object_is_type(v, json_type_string))
		text = plain(text, buf, sizeof(buf));
	puts(text);
}

static int get_all(const struct cli *cli, struct json_object *session)
{
	struct json_object *o = json_new(), *v;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(params); i++) {
		if (!json_object_object_get_ex(session, params[i].name, &v))
			continue;
		if (cli->json)
			json_add(o, params[i].name, json_object_get(v));
		else
			printf("%s %s\n", params[i].name,
			       json_object_get_string(v));
	}
	if (cli->json)
		json_print(o, true);
	else
		json_object_put(o);
	return cli_flush();
}

static int get_one(const struct cli *cli, struct json_object *session,
		   const char *name)
{
	struct json_object *o, *v;

	if (!json_object_object_get_ex(session, name, &v))
		return usage_error(cli, "there is no parameter \"%s\"", name);
	if (!cli->json) {
		print_value(v);
		return cli_flush();
	}
	o = json_new();
	json_add(o, name, json_object_get(v));
	json_print(o, true);
	return cli_flush();
}

static int get(struct cli *cli, const char *name)
{
	struct kcolo_session_info info;
	struct json_object *session;
	struct kcolo *k;
	int err, ret = cli_session(cli, &k);

	if (ret)
		return ret;
	err = kcolo_session_get(k, &info);
	if (err) {
		ret = cli_fail(k, err);
	} else {
		session = session_json(&info);
		kcolo_session_info_free(&info);
		ret = name ? get_one(cli, session, name) :
			     get_all(cli, session);
		json_object_put(session);
	}
	kcolo_close(k);
	return ret;
}

/* Without a kernel: an empty session has the members that all have. */
static bool field_known(const char *name)
{
	static const struct kcolo_session_info none;
	struct json_object *o = session_json(&none);
	bool known = json_object_object_get_ex(o, name, NULL);

	json_object_put(o);
	return known;
}

/**
 * cmd_get - print one parameter or field, or all parameters
 * @cli: call
 * @argc: of the subcommand
 * @argv: of the subcommand
 *
 * Return: an exit code.
 */
int cmd_get(struct cli *cli, int argc, char **argv)
{
	const char *name = NULL;
	int ret = cli_options(cli, argc, argv);

	if (ret)
		return ret - 1;
	/* A lone argument may be either; a parameter goes first. */
	if (optind < argc && (field_known(argv[optind]) || argc - optind > 1 ||
			      cli->session))
		name = argv[optind++];
	if (name && !field_known(name))
		return usage_error(cli, "there is no parameter \"%s\"", name);
	ret = cli_name(cli, argc, argv);
	return ret ? ret - 1 : get(cli, name);
}
