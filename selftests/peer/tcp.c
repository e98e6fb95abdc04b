// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "peer.h"

static socklen_t addr_len(const union kcolo_addr *addr)
{
	return addr->sa.sa_family == AF_INET6 ? sizeof(addr->in6) :
		sizeof(addr->in);
}

static void nodelay(int fd)
{
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

int tcp_connect(const union kcolo_addr *addr)
{
	int fd = socket(addr->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (connect(fd, &addr->sa, addr_len(addr))) {
		close(fd);
		return -1;
	}
	nodelay(fd);
	return fd;
}

/* @rcvbuf, if not 0, is what connections have: set before they are there. */
int tcp_listen(const union kcolo_addr *addr, int rcvbuf)
{
	int fd = socket(addr->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int on = 1;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (rcvbuf)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &rcvbuf, sizeof(rcvbuf));
	if (bind(fd, &addr->sa, addr_len(addr)) || listen(fd, 8)) {
		close(fd);
		return -1;
	}
	return fd;
}

bool tcp_readable(int fd, u32 ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, ms) == 1;
}

int tcp_accept(int listener, u32 ms)
{
	int fd = -1;

	if (tcp_readable(listener, ms))
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0)
		nodelay(fd);
	return fd;
}

int tcp_read(int fd, void *buf, size_t len, u32 ms)
{
	u64 end = now_ms() + ms;
	ssize_t got;

	while (len) {
		u64 now = now_ms();

		if (!tcp_readable(fd, now < end ? end - now : 0))
			return TCP_LATE;
		got = recv(fd, buf, len, 0);
		if (got < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (got <= 0)
			return TCP_CLOSED;
		buf = (u8 *)buf + got;
		len -= got;
	}
	return TCP_GOOD;
}

int tcp_write(int fd, const void *buf, size_t len, u32 ms)
{
	u64 end = now_ms() + ms;
	ssize_t sent;

	while (len) {
		struct pollfd p = { .fd = fd, .events = POLLOUT };
		u64 now = now_ms();

		if (poll(&p, 1, now < end ? end - now : 0) != 1)
			return TCP_LATE;
		sent = send(fd, buf, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (sent < 0)
			return TCP_CLOSED;
		buf = (const u8 *)buf + sent;
		len -= sent;
	}
	return TCP_GOOD;
}

void tcp_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}
