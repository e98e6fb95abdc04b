// SPDX-License-Identifier: GPL-2.0
/* Who hears a session's events, and for how long. */
#include <errno.h>
#include <linux/genetlink.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "pair.h"

static struct kcolo *k;

static struct msg *subscribe(struct msg *m)
{
	return msg_u32(msg_cmd(m, KCOLO_CMD_SUBSCRIBE), KCOLO_A_SESSION_FD,
		       kcolo_session_fd(k));
}

static void something_happens(void)
{
	set_threshold(k, 1);
}

/* Bytes that wait on a socket; taken. */
static int heard(int nl)
{
	struct pollfd p = { .fd = nl, .events = POLLIN };
	char buf[4096];
	int n = 0;

	while (poll(&p, 1, 20) == 1 && recv(nl, buf, sizeof(buf), 0) > 0)
		n++;
	return n;
}

static void subscribers_slots(void)
{
	static const char text[] = "a session has at most 4 subscribers";
	int nl[6], i;
	struct msg m;

	k = lone_secondary();
	for (i = 0; i < 6; i++)
		nl[i] = nl_open();
	for (i = 0; i < 4; i++)
		granted(nl[i], "a subscription", subscribe(&m));
	refused(nl[4], kcolo_session_fd(k), "the 5th", subscribe(&m), ENOSPC,
		text);
	/* The same socket again is no other subscriber. */
	granted(nl[0], "a second subscription", subscribe(&m));
	something_happens();
	for (i = 0; i < 4; i++)
		expect(heard(nl[i]) == 1, "subscriber %d heard not one event", i);
	expect(!heard(nl[4]), "one who was refused hears events");
	close(nl[2]);
	granted(nl[4], "the 5th when one has gone", subscribe(&m));
	refused(nl[5], kcolo_session_fd(k), "the 6th", subscribe(&m), ENOSPC,
		text);
	something_happens();
	expect(heard(nl[4]) == 1, "the 5th heard not one event");
}

static void killed(void *arg)
{
	struct msg m;
	int i;

	(void)arg;
	for (i = 0; i < 4; i++)
		granted(nl_open(), "a subscription", subscribe(&m));
}

static void subscribers_killed(void)
{
	struct msg m;
	int i;

	k = lone_secondary();
	for (i = 0; i < 8; i++)
		expect(!in_child(killed, NULL), "round %d", i);
	granted(nl_open(), "a subscription after all that", subscribe(&m));
	something_happens();
}

static int nl_with_port(u32 portid)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK, .nl_pid = portid };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);

	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)))
		fail("port %u: %s", portid, strerror(errno));
	return fd;
}

static void subscribers_port(void)
{
	const u32 port = 0x7eadbeef;
	struct msg m;
	int nl;

	k = lone_secondary();
	nl = nl_with_port(port);
	granted(nl, "a subscription", subscribe(&m));
	something_happens();
	expect(heard(nl) == 1, "the subscriber heard not one event");
	close(nl);
	/* Another's now, who has asked for nothing. */
	nl = nl_with_port(port);
	something_happens();
	expect(!heard(nl), "events go to a socket that has the same port");
	granted(nl, "a subscription", subscribe(&m));
	something_happens();
	expect(heard(nl) == 1, "the subscriber heard not one event");
}

const struct scenario subscribers_scenarios[] = {
	{ "subscribers-slots", "four, and a fifth when one has gone",
	  subscribers_slots },
	{ "subscribers-killed", "slots of processes that are gone",
	  subscribers_killed },
	{ "subscribers-port", "a port that is another socket's",
	  subscribers_port },
	{ 0 }
};
