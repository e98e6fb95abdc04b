/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the recorder and the replay of netlink messages share: what the linker
 * puts in the place of the library's sockets. recorded/README.md has the format.
 */
#ifndef KCOLOCTL_TEST_WIRE_H
#define KCOLOCTL_TEST_WIRE_H

#include <poll.h>
#include <sys/types.h>
#include <time.h>
#include <sys/socket.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include "../lib/internal.h"

int __wrap_kcolo_nl_open(struct kcolo_nl *nl);
int __real_kcolo_nl_open(struct kcolo_nl *nl);
int __wrap_kcolo_nl_send(struct kcolo_nl *nl, struct nlmsghdr *nlh);
int __real_kcolo_nl_send(struct kcolo_nl *nl, struct nlmsghdr *nlh);
ssize_t __wrap_kcolo_nl_recv(struct kcolo_nl *nl, void *buf, size_t size);
ssize_t __real_kcolo_nl_recv(struct kcolo_nl *nl, void *buf, size_t size);
int __wrap_setsockopt(int fd, int level, int name, const void *value,
		      socklen_t len);
int __real_setsockopt(int fd, int level, int name, const void *value,
		      socklen_t len);
int __wrap_poll(struct pollfd *fds, nfds_t nr, int timeout);
int __wrap_clock_gettime(clockid_t id, struct timespec *ts);
int __wrap_execvp(const char *file, char * const *argv);
int __real_execvp(const char *file, char * const *argv);

#endif
