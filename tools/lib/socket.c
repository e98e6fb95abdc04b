// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Netlink sockets. libnl makes and reads the messages, but the sockets are our
 * own: libnl turns an errno into a number of its own and back into too few
 * (ENOBUFS becomes "no memory", ETIMEDOUT "unspecific failure"), keeps the
 * numbers of its ports in a global, and waits without a limit.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <linux/netlink.h>
#include "internal.h"

static void set_options(int fd)
{
	int one = 1;

	/* Each only makes errors better; old kernels may lack them. */
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &one, sizeof(one));
}

/**
 * kcolo_nl_open - open a generic netlink socket
 * @nl: to be; closed on failure
 *
 * Return: 0 or a negative errno.
 */
int kcolo_nl_open(struct kcolo_nl *nl)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK };
	socklen_t len = sizeof(addr);
	int err;

	nl->seq = 0;
	nl->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
			NETLINK_GENERIC);
	if (nl->fd < 0)
		return -errno;
	set_options(nl->fd);
	if (bind(nl->fd, (struct sockaddr *)&addr, sizeof(addr)) ||
	    getsockname(nl->fd, (struct sockaddr *)&addr, &len)) {
		err = -errno;
		kcolo_nl_close(nl);
		return err;
	}
	nl->portid = addr.nl_pid;
	return 0;
}

/**
 * kcolo_nl_close - close a socket
 * @nl: opened or closed
 */
void kcolo_nl_close(struct kcolo_nl *nl)
{
	if (nl->fd >= 0)
		close(nl->fd);
	nl->fd = -1;
}

/**
 * kcolo_nl_send - send one message to the kernel
 * @nl: socket
 * @nlh: message
 *
 * Return: 0 or a negative errno.
 */
int kcolo_nl_send(struct kcolo_nl *nl, struct nlmsghdr *nlh)
{
	struct sockaddr_nl to = { .nl_family = AF_NETLINK };
	struct iovec iov = { .iov_base = nlh, .iov_len = nlh->nlmsg_len };
	struct msghdr msg = {
		.msg_name = &to, .msg_namelen = sizeof(to),
		.msg_iov = &iov, .msg_iovlen = 1,
	};
	ssize_t n;

	do {
		n = sendmsg(nl->fd, &msg, 0);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return (size_t)n == nlh->nlmsg_len ? 0 : -EIO;
}

/**
 * kcolo_nl_recv - receive what is there
 * @nl: socket
 * @buf: where to
 * @size: of @buf
 *
 * What another process has sent is dropped: only the kernel is believed.
 *
 * Return: bytes, 0 when nothing is there, or a negative errno, of which
 * -ENOBUFS means that messages were lost.
 */
ssize_t kcolo_nl_recv(struct kcolo_nl *nl, void *buf, size_t size)
{
	struct sockaddr_nl from;
	struct iovec iov = { .iov_base = buf, .iov_len = size };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	for (;;) {
		msg.msg_name = &from;
		msg.msg_namelen = sizeof(from);
		n = recvmsg(nl->fd, &msg, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		if (msg.msg_namelen != sizeof(from) || from.nl_pid || !n)
			continue;
		return msg.msg_flags & MSG_TRUNC ? -EMSGSIZE : n;
	}
}

/**
 * kcolo_now_ms - a clock that is never set
 *
 * Return: milliseconds.
 */
int64_t kcolo_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/**
 * kcolo_wait_readable - wait until something can be read
 * @fd: of what
 * @end_ms: until when, by kcolo_now_ms(); negative is for ever
 *
 * Return: 1, 0 when the time has come, or a negative errno, -EINTR too.
 */
int kcolo_wait_readable(int fd, int64_t end_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int64_t left = -1;
	int n;

	if (end_ms >= 0) {
		left = end_ms - kcolo_now_ms();
		if (left < 0)
			left = 0;
		if (left > INT32_MAX)
			left = INT32_MAX;
	}
	n = poll(&p, 1, left);
	return n < 0 ? -errno : !!n;
}
