// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <kcolo.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kvmm.h"
#include "side.h"

static socklen_t length_of(const union kcolo_addr *addr)
{
	return addr->sa.sa_family == AF_INET6 ? sizeof(addr->in6) :
		sizeof(addr->in);
}

static void parse(const char *text, union kcolo_addr *addr)
{
	if (kcolo_addr_parse(text, addr))
		die(EXIT_USAGE, "--side: %s is not ADDR:PORT", text);
}

static void prepare(struct side *side, int fd)
{
	int one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	side->fd = fd;
	side->len = 0;
}

void side_connect(struct side *side, const char *address, u32 ms)
{
	u64 end = now_us() + ms * 1000ull;
	union kcolo_addr addr;
	int fd;

	parse(address, &addr);
	for (;;) {
		fd = socket(addr.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd >= 0 && !connect(fd, &addr.sa, length_of(&addr)))
			return prepare(side, fd);
		if (fd >= 0)
			close(fd);
		if (now_us() > end || asked_to_stop)
			die(EXIT_LOST, "side channel to %s: %s", address,
			    strerror(errno));
		sleep_ms(50);
	}
}

int side_listen(const char *address)
{
	union kcolo_addr addr;
	int fd, one = 1;

	parse(address, &addr);
	fd = socket(addr.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (fd < 0 || bind(fd, &addr.sa, length_of(&addr)) || listen(fd, 4))
		die(EXIT_USAGE, "side channel at %s: %s", address,
		    strerror(errno));
	return fd;
}

void side_accept(struct side *side, int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd >= 0)
		prepare(side, fd);
}

void side_close(struct side *side)
{
	if (side->fd >= 0)
		close(side->fd);
	side->fd = -1;
}

bool side_send(struct side *side, const char *fmt, ...)
{
	char line[SIDE_LINE_MAX];
	size_t len, at = 0;
	ssize_t n;
	va_list ap;

	if (side->fd < 0)
		return false;
	va_start(ap, fmt);
	len = vsnprintf(line, sizeof(line) - 1, fmt, ap);
	va_end(ap);
	line[len++] = '\n';
	while (at < len) {
		n = send(side->fd, line + at, len - at, MSG_NOSIGNAL);
		if (n <= 0 && errno != EINTR) {
			/* What it has sent before may still be read. */
			return false;
		}
		if (n > 0)
			at += n;
	}
	return true;
}

static bool take_line(struct side *side, char line[SIDE_LINE_MAX])
{
	char *end = memchr(side->buf, '\n', side->len);
	size_t len;

	if (!end)
		return false;
	len = end - side->buf;
	memcpy(line, side->buf, len);
	line[len] = 0;
	side->len -= len + 1;
	memmove(side->buf, end + 1, side->len);
	return true;
}

int side_line(struct side *side, char line[SIDE_LINE_MAX], int timeout_ms)
{
	u64 end = now_us() + timeout_ms * 1000ull, now;
	struct pollfd pfd = { .events = POLLIN };
	ssize_t n;

	for (;;) {
		if (take_line(side, line))
			return 1;
		if (side->fd < 0 || side->len == sizeof(side->buf))
			return -1;
		now = now_us();
		pfd.fd = side->fd;
		if (poll(&pfd, 1, now < end ? (end - now + 999) / 1000 : 0) < 1) {
			if (now_us() >= end || asked_to_stop)
				return 0;
			continue;
		}
		n = recv(side->fd, side->buf + side->len,
			 sizeof(side->buf) - side->len, 0);
		if (n > 0)
			side->len += n;
		else if (!n || errno != EINTR)
			side_close(side);
	}
}
