// SPDX-License-Identifier: GPL-2.0
/*
 * kcoloctl that writes down what it says to the kernel and what the kernel says,
 * to the file that KCOLO_RECORD names: linked with --wrap. record.sh runs it in an
 * emulated host, test_replay reads it.
 */
#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "test_wire.h"

/* Out of the way of the numbers that are recorded. */
#define FILE_FD		100
#define BYTES_A_LINE	24
/* A port is any number: it is written as this and the socket's own. */
#define PORT		1000
#define SOCKETS_MAX	8

static FILE *out;
static struct {
	int fd;
	uint32_t port;
} sockets[SOCKETS_MAX];
static int nr_sockets;

static void open_file(void)
{
	const char *name = getenv("KCOLO_RECORD");
	int fd, high;

	if (out)
		return;
	if (!name)
		errx(99, "KCOLO_RECORD is to name a file");
	fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	high = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, FILE_FD);
	out = high < 0 ? NULL : fdopen(high, "w");
	if (!out)
		err(99, "%s", name);
	close(fd);
	setlinebuf(out);
	fputs("# SPDX-License-Identifier: GPL-2.0\n", out);
}

static int number_of(int fd)
{
	int i;

	for (i = 0; i < nr_sockets; i++)
		if (sockets[i].fd == fd)
			return i;
	return -1;
}

/* For a reader: what is text in it. */
static void write_text(const uint8_t *p, size_t len)
{
	size_t i;

	fputs("\t# ", out);
	for (i = 0; i < len; i++)
		fputc(isgraph(p[i]) && p[i] < 0x80 ? p[i] : '.', out);
}

static void write_hex(const uint8_t *p, size_t len)
{
	size_t i, n;

	for (; len; p += n, len -= n) {
		n = len < BYTES_A_LINE ? len : BYTES_A_LINE;
		fputc('\t', out);
		for (i = 0; i < n; i++)
			fprintf(out, "%s%02x", i && !(i % 4) ? " " : "", p[i]);
		write_text(p, n);
		fputc('\n', out);
	}
}

static void write_header(struct nlmsghdr nlh)
{
	int i;

	for (i = 0; i < nr_sockets; i++)
		if (sockets[i].port == nlh.nlmsg_pid)
			nlh.nlmsg_pid = PORT + i;
	write_hex((const uint8_t *)&nlh, sizeof(nlh));
}

static void write_error(const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *e = nlmsg_data(nlh);
	const uint8_t *rest = (const uint8_t *)(e + 1);

	write_hex((const uint8_t *)&e->error, sizeof(e->error));
	write_header(e->msg);
	write_hex(rest, (const uint8_t *)nlh + nlh->nlmsg_len - rest);
}

/* An attribute a line, as far as it is a message of the family. */
static void write_message(const struct nlmsghdr *nlh)
{
	const uint8_t *p = (const uint8_t *)nlh;
	size_t len = nlh->nlmsg_len, n = NLMSG_HDRLEN + GENL_HDRLEN;

	write_header(*nlh);
	if (nlh->nlmsg_type == NLMSG_ERROR &&
	    len >= NLMSG_HDRLEN + sizeof(struct nlmsgerr)) {
		write_error(nlh);
		return;
	}
	if (nlh->nlmsg_type < NLMSG_MIN_TYPE || len < n) {
		write_hex(p + NLMSG_HDRLEN, len - NLMSG_HDRLEN);
		return;
	}
	write_hex(p + NLMSG_HDRLEN, GENL_HDRLEN);
	while (n + NLA_HDRLEN <= len) {
		size_t attr = NLA_ALIGN(((struct nlattr *)(p + n))->nla_len);

		if (attr < NLA_HDRLEN || n + attr > len)
			attr = len - n;
		write_hex(p + n, attr);
		n += attr;
	}
}

int __wrap_kcolo_nl_open(struct kcolo_nl *nl)
{
	int err = __real_kcolo_nl_open(nl);

	open_file();
	if (err)
		errx(99, "a socket cannot be opened: %d", err);
	if (nr_sockets == SOCKETS_MAX)
		errx(99, "too many sockets");
	fprintf(out, "open %d %u\n", nr_sockets, PORT + nr_sockets);
	sockets[nr_sockets].fd = nl->fd;
	sockets[nr_sockets++].port = nl->portid;
	return 0;
}

int __wrap_kcolo_nl_send(struct kcolo_nl *nl, struct nlmsghdr *nlh)
{
	fprintf(out, "> %d\n", number_of(nl->fd));
	write_message(nlh);
	return __real_kcolo_nl_send(nl, nlh);
}

ssize_t __wrap_kcolo_nl_recv(struct kcolo_nl *nl, void *buf, size_t size)
{
	ssize_t n = __real_kcolo_nl_recv(nl, buf, size);
	struct nlmsghdr *nlh = buf;
	int len = n;

	if (n < 0)
		fprintf(out, "! %d %zd\n", number_of(nl->fd), -n);
	if (n <= 0)
		return n;
	fprintf(out, "< %d\n", number_of(nl->fd));
	for (; nlmsg_ok(nlh, len); nlh = nlmsg_next(nlh, &len))
		write_message(nlh);
	return n;
}

int __wrap_setsockopt(int fd, int level, int name, const void *value,
		      socklen_t len)
{
	int small;

	if (level == SOL_NETLINK && name == NETLINK_ADD_MEMBERSHIP)
		fprintf(out, "join %d %d\n", number_of(fd), *(const int *)value);
	/* Events are to be lost soon. */
	if (name == SO_RCVBUFFORCE && getenv("KCOLO_RECORD_RCVBUF")) {
		small = atoi(getenv("KCOLO_RECORD_RCVBUF"));
		value = &small;
	}
	return __real_setsockopt(fd, level, name, value, len);
}
