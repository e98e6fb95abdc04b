// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Checkpoints, promotion, and the device state that goes with them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "internal.h"

#define DEVSTATE_FIRST	(64UL << 10)
/* Above what the kernel holds; a limit all the same. */
#define DEVSTATE_MAX	(1UL << 30)

static int take_epoch(struct kcolo *k, const struct nlmsghdr *nlh,
		      struct nlattr **tb, void *arg)
{
	uint64_t *epoch = arg;

	(void)nlh;
	if (!tb[KCOLO_A_SESSION_EPOCH])
		return kcolo_fail(k, -EPROTO, "the reply has no epoch");
	*epoch = nla_get_u64(tb[KCOLO_A_SESSION_EPOCH]);
	return 0;
}

/**
 * kcolo_checkpoint - open an epoch
 * @k: handle
 * @kind: periodic or urgent
 * @epoch: gets its number, or NULL
 *
 * Event checkpoint-ready or checkpoint-aborted follows. While the rounds of one
 * run, an urgent one is that epoch, and has them end.
 *
 * Return: 0 or a negative errno.
 */
int kcolo_checkpoint(struct kcolo *k, enum kcolo_kind kind, uint64_t *epoch)
{
	struct kcolo_request rq;
	uint64_t number = 0;
	int err = kcolo_session_request(k, &rq, KCOLO_CMD_CHECKPOINT);

	if (err)
		return err;
	rq.reply = take_epoch;
	rq.arg = &number;
	if (nla_put_u32(rq.msg, KCOLO_A_SESSION_KIND, kind))
		return kcolo_request_fail(k, &rq, -ENOMEM);
	err = kcolo_request_run(k, &rq);
	if (err)
		return err;
	kcolo_told_open(k, number);
	if (epoch)
		*epoch = number;
	return 0;
}

/**
 * kcolo_flush - the guest is paused and its devices are serialised
 * @k: handle
 *
 * Return: 0 or a negative errno.
 */
int kcolo_flush(struct kcolo *k)
{
	return kcolo_session_simple(k, KCOLO_CMD_FLUSH);
}

/**
 * kcolo_commit - the device state is written; end the epoch
 * @k: handle
 *
 * Event checkpoint-received, -aborted or -doubt follows.
 *
 * Return: 0 or a negative errno.
 */
int kcolo_commit(struct kcolo *k)
{
	return kcolo_session_simple(k, KCOLO_CMD_COMMIT);
}

/**
 * kcolo_abort - give up the open epoch
 * @k: handle
 *
 * Return: 0 or a negative errno.
 */
int kcolo_abort(struct kcolo *k)
{
	return kcolo_session_simple(k, KCOLO_CMD_ABORT);
}

static int ask_epoch(struct kcolo *k, int cmd, uint64_t epoch)
{
	struct kcolo_request rq;
	int err = kcolo_session_request(k, &rq, cmd);

	if (err)
		return err;
	if (nla_put_u64(rq.msg, KCOLO_A_SESSION_EPOCH, epoch))
		return kcolo_request_fail(k, &rq, -ENOMEM);
	return kcolo_request_run(k, &rq);
}

/**
 * kcolo_apply - commit the epoch that is prepared
 * @k: handle of a secondary with external device state
 * @epoch: as event checkpoint-prepared said; its device state is there and the
 *	guest is stopped
 *
 * On success it is committed. Event checkpoint-committed or broken follows.
 *
 * Return: 0 or a negative errno.
 */
int kcolo_apply(struct kcolo *k, uint64_t epoch)
{
	return ask_epoch(k, KCOLO_CMD_APPLY, epoch);
}

/**
 * kcolo_drop - discard the epoch that is received or prepared
 * @k: handle of a secondary with external device state
 * @epoch: its number
 *
 * Event checkpoint-aborted follows, on both ends.
 *
 * Return: 0 or a negative errno.
 */
int kcolo_drop(struct kcolo *k, uint64_t epoch)
{
	return ask_epoch(k, KCOLO_CMD_DROP, epoch);
}

/**
 * kcolo_log_synced - what the VMM had logged elsewhere is in the user log
 * @k: handle of a primary
 *
 * Return: 0 or a negative errno.
 */
int kcolo_log_synced(struct kcolo *k)
{
	return kcolo_session_simple(k, KCOLO_CMD_LOG_SYNCED);
}

/**
 * kcolo_promote - a secondary takes over with the last committed epoch
 * @k: handle
 *
 * Event promoted follows.
 *
 * Return: 0 or a negative errno.
 */
int kcolo_promote(struct kcolo *k)
{
	return kcolo_session_simple(k, KCOLO_CMD_PROMOTE);
}

/**
 * kcolo_devstate_write - add to the device state of the open epoch
 * @k: handle with a session fd
 * @buf: what
 * @len: bytes
 *
 * Return: 0 or a negative errno; what was written before stays written, and
 * the epoch is to be aborted.
 */
int kcolo_devstate_write(struct kcolo *k, const void *buf, size_t len)
{
	const char *p = buf;
	ssize_t n;
	int err = kcolo_session_need_fd(k);

	while (!err && len) {
		n = write(k->fd, p, len);
		if (n > 0) {
			p += n;
			len -= n;
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		err = n ? -errno : -EIO;
		kcolo_fail(k, err, "the device state was not taken: %s",
			   strerror(-err));
	}
	return err;
}

static int grow(struct kcolo *k, char **buf, size_t *size)
{
	size_t new_size = *size ? *size * 2 : DEVSTATE_FIRST;
	char *p;

	if (new_size > DEVSTATE_MAX)
		return kcolo_fail(k, -EFBIG, "the device state has no end");
	p = realloc(*buf, new_size);
	if (!p)
		return kcolo_fail(k, -ENOMEM, "%s", strerror(ENOMEM));
	*buf = p;
	*size = new_size;
	return 0;
}

static int read_all(struct kcolo *k, char **buf, size_t *len)
{
	size_t size = 0;
	ssize_t n;
	int err;

	for (;;) {
		err = *len == size ? grow(k, buf, &size) : 0;
		if (err)
			return err;
		n = pread(k->fd, *buf + *len, size - *len, *len);
		if (!n)
			return 0;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			err = -errno;
			return kcolo_fail(k, err,
					  "the device state cannot be read: %s",
					  strerror(-err));
		}
		*len += n;
	}
}

/**
 * kcolo_devstate_read - read the device state of the last committed epoch
 * @k: handle of a promoted secondary, with its session fd
 * @buf: gets memory that the caller frees
 * @len: gets the bytes in it
 *
 * Return: 0 or a negative errno.
 */
int kcolo_devstate_read(struct kcolo *k, void **buf, size_t *len)
{
	char *p = NULL;
	int err = kcolo_session_need_fd(k);

	*buf = NULL;
	*len = 0;
	if (err)
		return err;
	err = read_all(k, &p, len);
	if (err) {
		free(p);
		*len = 0;
		return err;
	}
	*buf = p;
	return 0;
}
