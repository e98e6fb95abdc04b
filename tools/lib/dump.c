// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * All sessions, and counters. A dump is collected whole before the caller hears
 * of it, so that it can be taken again when it was not of one moment, and so
 * that the caller's function may use the handle.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "internal.h"

/* Times that a dump is taken again before it is given up. */
#define DUMP_TRIES	8

struct session_list {
	struct kcolo_session_info *info;
	size_t nr;
};

static void free_sessions(struct session_list *list)
{
	while (list->nr)
		kcolo_session_info_free(&list->info[--list->nr]);
	free(list->info);
	list->info = NULL;
}

static int take_session(struct kcolo *k, const struct nlmsghdr *nlh,
			struct nlattr **tb, void *arg)
{
	struct session_list *list = arg;
	struct kcolo_session_info *info;
	int err;

	info = reallocarray(list->info, list->nr + 1, sizeof(*info));
	if (!info)
		return kcolo_fail(k, -ENOMEM, "%s", strerror(ENOMEM));
	list->info = info;
	err = kcolo_parse_session(nlh, tb, &info[list->nr++]);
	return err ? kcolo_fail(k, err, "session-get: %s", strerror(-err)) : 0;
}

static int dump_sessions(struct kcolo *k, struct session_list *list)
{
	struct kcolo_request rq;
	int err = kcolo_request_new(k, &rq, KCOLO_CMD_SESSION_GET, NLM_F_DUMP);

	if (err)
		return err;
	rq.reply = take_session;
	rq.policy = kcolo_session_attrs;
	rq.maxattr = KCOLO_A_SESSION_MAX;
	rq.arg = list;
	return kcolo_request_run(k, &rq);
}

/**
 * kcolo_session_dump - read all sessions of this network namespace
 * @k: handle
 * @cb: called for each; what is not 0 ends the dump
 * @arg: for @cb
 *
 * Return: 0, what @cb returned, or a negative errno.
 */
int kcolo_session_dump(struct kcolo *k, kcolo_session_cb cb, void *arg)
{
	struct session_list list = { 0 };
	int tries = DUMP_TRIES, err;
	size_t i;

	while ((err = dump_sessions(k, &list)) == -EINTR && tries--)
		free_sessions(&list);
	if (err == -EINTR)
		kcolo_fail(k, err, "the sessions change too fast");
	for (i = 0; !err && i < list.nr; i++)
		err = cb(&list.info[i], arg);
	free_sessions(&list);
	return err;
}

static const struct nla_policy stats_attrs[KCOLO_A_STATS_MAX + 1] = {
	[KCOLO_A_STATS_SESSION_ID] = { .type = NLA_U32 },
	[KCOLO_A_STATS_SESSION_NAME] = { .type = NLA_STRING },
	[KCOLO_A_STATS_SESSION_FD] = { .type = NLA_S32 },
	[KCOLO_A_STATS_CHECKPOINTS ... KCOLO_A_STATS_MAX] = { .type = NLA_U64 },
};

struct stats_list {
	struct kcolo_stats *stats;
	size_t nr;
};

static int take_stats(struct kcolo *k, const struct nlmsghdr *nlh,
		      struct nlattr **tb, void *arg)
{
	struct stats_list *list = arg;
	struct kcolo_stats *s;
	int i;

	(void)nlh;
	s = reallocarray(list->stats, list->nr + 1, sizeof(*s));
	if (!s)
		return kcolo_fail(k, -ENOMEM, "%s", strerror(ENOMEM));
	list->stats = s;
	s += list->nr++;
	memset(s, 0, sizeof(*s));
	if (tb[KCOLO_A_STATS_SESSION_ID])
		s->session_id = nla_get_u32(tb[KCOLO_A_STATS_SESSION_ID]);
	if (tb[KCOLO_A_STATS_SESSION_NAME])
		kcolo_copy_string(s->session_name, sizeof(s->session_name),
				  tb[KCOLO_A_STATS_SESSION_NAME]);
	for (i = KCOLO_A_STATS_CHECKPOINTS; i <= KCOLO_A_STATS_MAX; i++)
		if (tb[i])
			s->value[i] = nla_get_u64(tb[i]);
	return 0;
}

static int request_stats(struct kcolo *k, struct kcolo_request *rq, int flags,
			 struct stats_list *list)
{
	int err = kcolo_request_new(k, rq, KCOLO_CMD_STATS_GET, flags);

	if (err)
		return err;
	rq->reply = take_stats;
	rq->policy = stats_attrs;
	rq->maxattr = KCOLO_A_STATS_MAX;
	rq->arg = list;
	return 0;
}

static int get_stats(struct kcolo *k, struct stats_list *list)
{
	struct kcolo_request rq;
	int err = request_stats(k, &rq, NLM_F_ACK, list);

	if (err)
		return err;
	if (k->fd >= 0)
		err = nla_put_s32(rq.msg, KCOLO_A_STATS_SESSION_FD, k->fd);
	else if (k->has_id)
		err = nla_put_u32(rq.msg, KCOLO_A_STATS_SESSION_ID, k->id);
	else
		err = nla_put_string(rq.msg, KCOLO_A_STATS_SESSION_NAME,
				     k->name);
	if (err)
		return kcolo_request_fail(k, &rq, -ENOMEM);
	return kcolo_request_run(k, &rq);
}

/**
 * kcolo_stats_get - read the session's counters
 * @k: handle
 * @stats: where to
 *
 * Return: 0 or a negative errno.
 */
int kcolo_stats_get(struct kcolo *k, struct kcolo_stats *stats)
{
	struct stats_list list = { 0 };
	int err;

	memset(stats, 0, sizeof(*stats));
	if (k->fd < 0 && !k->has_id && !k->name[0])
		return kcolo_fail(k, -EINVAL, "the handle has no session");
	err = get_stats(k, &list);
	if (!err && !list.nr)
		err = kcolo_fail(k, -EPROTO, "the reply has no counters");
	if (!err)
		*stats = list.stats[0];
	free(list.stats);
	return err;
}

static int dump_stats(struct kcolo *k, struct stats_list *list)
{
	struct kcolo_request rq;
	int err = request_stats(k, &rq, NLM_F_DUMP, list);

	return err ? err : kcolo_request_run(k, &rq);
}

/**
 * kcolo_stats_dump - read the counters of all sessions
 * @k: handle
 * @cb: called for each; what is not 0 ends the dump
 * @arg: for @cb
 *
 * Return: 0, what @cb returned, or a negative errno.
 */
int kcolo_stats_dump(struct kcolo *k, kcolo_stats_cb cb, void *arg)
{
	struct stats_list list = { 0 };
	int tries = DUMP_TRIES, err;
	size_t i;

	while ((err = dump_stats(k, &list)) == -EINTR && tries--)
		list.nr = 0;
	if (err == -EINTR)
		kcolo_fail(k, err, "the sessions change too fast");
	for (i = 0; !err && i < list.nr; i++)
		err = cb(&list.stats[i], arg);
	free(list.stats);
	return err;
}
