// SPDX-License-Identifier: GPL-2.0
/* What session-new refuses. */
#include <errno.h>
#include <arpa/inet.h>
#include <string.h>
#include <unistd.h>
#include "pair.h"

#define LEFT_MS	(8000 * slow)

static int nl;

static struct msg *begin(struct msg *m, const char *name, u32 role)
{
	msg_cmd(m, KCOLO_CMD_SESSION_NEW);
	if (name)
		msg_str(m, KCOLO_A_SESSION_NAME, name);
	return role ? msg_u32(m, KCOLO_A_SESSION_ROLE, role) : m;
}

static struct msg *insecure(struct msg *m)
{
	return msg_flag(m, KCOLO_A_SESSION_INSECURE);
}

static struct msg *with(struct msg *m, u16 attr, const union kcolo_addr *addr)
{
	return msg_bytes(m, attr, addr, addr->sa.sa_family == AF_INET6 ?
			 sizeof(addr->in6) : sizeof(addr->in));
}

static int nothing(const struct kcolo_session_info *info, void *arg)
{
	(void)info;
	++*(int *)arg;
	return 0;
}

static int count_sessions(void)
{
	struct kcolo *k;
	int n = 0;

	if (kcolo_open(&k) || kcolo_session_dump(k, nothing, &n))
		fail("the sessions cannot be read");
	kcolo_close(k);
	return n;
}

/* The sessions of the scenario before end with its process, but asynchronously. */
static void none_left(void)
{
	u64 end = now_ms() + LEFT_MS;
	int n;

	while ((n = count_sessions())) {
		if (now_ms() > end)
			fail("%d sessions have not ended after %u ms", n,
			     LEFT_MS);
		sleep_ms(2);
	}
}

#define P	KCOLO_ROLE_PRIMARY
#define S	KCOLO_ROLE_SECONDARY

static void new_attrs(void)
{
	char long_name[KCOLO_NAME_MAX + 2];
	struct msg m;

	none_left();
	nl = nl_open();
	memset(long_name, 'x', sizeof(long_name));
	long_name[KCOLO_NAME_MAX + 1] = 0;
	refused(nl, -1, "nothing", begin(&m, NULL, 0), EINVAL,
		"a session needs a name and a role");
	refused(nl, -1, "no role", begin(&m, "x", 0), EINVAL,
		"a session needs a name and a role");
	refused(nl, -1, "no name", begin(&m, NULL, P), EINVAL,
		"a session needs a name and a role");
	refused(nl, -1, "role 3", begin(&m, "x", 3), ERANGE,
		"integer out of range");
	msg_u32(begin(&m, "x", 0), KCOLO_A_SESSION_ROLE, 0);
	refused(nl, -1, "role 0", &m, ERANGE, "integer out of range");
	refused(nl, -1, "long name", begin(&m, long_name, P), EINVAL,
		"Attribute failed policy validation");
	refused(nl, -1, "empty name", insecure(begin(&m, "", P)), EINVAL,
		"name is printable ASCII without spaces and slashes");
	refused(nl, -1, "name that a terminal obeys",
		insecure(begin(&m, "\33[2J", P)), EINVAL,
		"name is printable ASCII without spaces and slashes");
	refused(nl, -1, "name that is no ASCII", insecure(begin(&m, "\377", P)),
		EINVAL, "name is printable ASCII without spaces and slashes");
	refused(nl, -1, "name with a slash", insecure(begin(&m, "a/b", P)),
		EINVAL, "name is printable ASCII without spaces and slashes");
	refused(nl, -1, "name with a space", insecure(begin(&m, "a b", P)),
		EINVAL, "name is printable ASCII without spaces and slashes");
	refused(nl, -1, "name with a newline", insecure(begin(&m, "a\n", P)),
		EINVAL, "name is printable ASCII without spaces and slashes");
	refused(nl, -1, "no key", begin(&m, "x", P), EKEYREJECTED,
		"say insecure to trust whoever reaches the port");
	msg_u8(begin(&m, "x", P), KCOLO_A_SESSION_INSECURE, 1);
	refused(nl, -1, "insecure with a value", &m, ERANGE,
		"Attribute failed policy validation");
	msg_u32(begin(&m, "x", P), KCOLO_A_SESSION_ID, 1);
	refused(nl, -1, "an id", &m, EINVAL, "Unsupported attribute");
	msg_u32(begin(&m, "x", P), KCOLO_A_SESSION_STATE, 1);
	refused(nl, -1, "a state", &m, EINVAL, "Unsupported attribute");
	msg_u64(begin(&m, "x", P), KCOLO_A_SESSION_EPOCH, 1);
	refused(nl, -1, "an epoch", &m, EINVAL, "Unsupported attribute");
	msg_u8(begin(&m, "x", P), KCOLO_A_SESSION_CLEAN, 1);
	refused(nl, -1, "clean", &m, EINVAL, "Unsupported attribute");
	msg_u8(begin(&m, "x", P), KCOLO_A_SESSION_RECONNECT, 2);
	refused(nl, -1, "reconnect 2", &m, ERANGE, "integer out of range");
	msg_u64(begin(&m, "x", P), KCOLO_A_SESSION_LINKS, 1);
	refused(nl, -1, "links", &m, EINVAL, "Unsupported attribute");
	msg_u64(begin(&m, "x", P), KCOLO_A_SESSION_DIFFERENT, 1);
	refused(nl, -1, "different", &m, EINVAL, "Unknown attribute type");
	msg_u32(begin(&m, "x", P), KCOLO_A_SESSION_DEVICE_STATE, 2);
	refused(nl, -1, "device-state 2", &m, ERANGE, "integer out of range");
	expect(count_sessions() == 0, "a refused session is there");
}

static void new_addresses(void)
{
	static const char text[] = "an address is a struct sockaddr_in or sockaddr_in6";
	union kcolo_addr any = address("127.0.0.1", new_port());
	union kcolo_addr portless = address("127.0.0.1", 0);
	union kcolo_addr ported = address("127.0.0.1", 7);
	union kcolo_addr six = { .in6 = { .sin6_family = AF_INET6 } };
	union kcolo_addr bad = any;
	struct msg m;

	none_left();
	nl = nl_open();
	six.in6.sin6_addr = in6addr_loopback;
	six.in6.sin6_port = any.in.sin_port;
	msg_bytes(begin(&m, "x", P), KCOLO_A_SESSION_PEER, &any, 15);
	refused(nl, -1, "short", &m, EINVAL, text);
	msg_bytes(begin(&m, "x", P), KCOLO_A_SESSION_PEER, &any, 0);
	refused(nl, -1, "empty", &m, EINVAL, text);
	msg_bytes(begin(&m, "x", P), KCOLO_A_SESSION_PEER, &any,
		  sizeof(any) + 1);
	refused(nl, -1, "long", &m, EINVAL, text);
	msg_bytes(begin(&m, "x", S), KCOLO_A_SESSION_LOCAL, &any, sizeof(any));
	refused(nl, -1, "IPv4 as long as IPv6", &m, EINVAL, text);
	msg_bytes(begin(&m, "x", S), KCOLO_A_SESSION_LOCAL, &six,
		  sizeof(six.in));
	refused(nl, -1, "IPv6 as short as IPv4", &m, EINVAL, text);
	bad.sa.sa_family = AF_UNIX;
	with(begin(&m, "x", P), KCOLO_A_SESSION_PEER, &bad);
	refused(nl, -1, "AF_UNIX", &m, EINVAL, text);
	bad.sa.sa_family = 0;
	with(begin(&m, "x", P), KCOLO_A_SESSION_PEER, &bad);
	refused(nl, -1, "no family", &m, EINVAL, text);
	refused(nl, -1, "a primary without a peer", insecure(begin(&m, "x", P)),
		EDESTADDRREQ, "a primary needs the peer address to connect to");
	refused(nl, -1, "a secondary without an address",
		insecure(begin(&m, "x", S)), EDESTADDRREQ,
		"a secondary needs the local address to listen on");
	with(insecure(begin(&m, "x", S)), KCOLO_A_SESSION_LOCAL, &any);
	refused(nl, -1, "a secondary with a peer",
		with(&m, KCOLO_A_SESSION_PEER, &any), EINVAL,
		"a secondary listens: it takes no peer address");
	with(insecure(begin(&m, "x", P)), KCOLO_A_SESSION_LOCAL, &ported);
	refused(nl, -1, "a primary with a local port",
		with(&m, KCOLO_A_SESSION_PEER, &any), EINVAL,
		"the local address of a primary has port 0");
	with(insecure(begin(&m, "x", P)), KCOLO_A_SESSION_LOCAL, &portless);
	refused(nl, -1, "two families", with(&m, KCOLO_A_SESSION_PEER, &six),
		EAFNOSUPPORT, "local and peer address are of different families");
	expect(count_sessions() == 0, "a refused session is there");
}

static void new_ports(void)
{
	union kcolo_addr portless = address("127.0.0.1", 0);
	struct msg m;

	none_left();
	nl = nl_open();
	refused(nl, -1, "a secondary that listens on port 0",
		with(insecure(begin(&m, "p0", S)), KCOLO_A_SESSION_LOCAL,
		     &portless), EDESTADDRREQ, "port");
	refused(nl, -1, "a primary that connects to port 0",
		with(insecure(begin(&m, "p1", P)), KCOLO_A_SESSION_PEER,
		     &portless), EDESTADDRREQ, "port");
	expect(count_sessions() == 0, "a refused session is there");
}

static void new_listen(void)
{
	union kcolo_addr any = address("127.0.0.1", new_port());
	union kcolo_addr other = address("10.99.0.1", new_port());
	union kcolo_addr scoped = { .in6 = { .sin6_family = AF_INET6 } };
	struct answer a;
	struct msg m;

	none_left();
	nl = nl_open();
	with(insecure(begin(&m, "first", S)), KCOLO_A_SESSION_LOCAL, &any);
	nl_ask(nl, &m, &a);
	if (a.err)
		fail("a secondary: %s", a.text);
	refused(nl, -1, "a name that is taken",
		with(insecure(begin(&m, "first", S)), KCOLO_A_SESSION_LOCAL,
		     &other), EEXIST,
		"a session of this name exists: choose another or delete it");
	refused(nl, -1, "a port that is taken",
		with(insecure(begin(&m, "second", S)), KCOLO_A_SESSION_LOCAL,
		     &any), EADDRINUSE, "cannot listen: the local address");
	refused(nl, -1, "an address of nobody",
		with(insecure(begin(&m, "third", S)), KCOLO_A_SESSION_LOCAL,
		     &other), EADDRNOTAVAIL,
		"cannot listen: the local address");
	inet_pton(AF_INET6, "fe80::1", &scoped.in6.sin6_addr);
	scoped.in6.sin6_port = htons(new_port());
	refused(nl, -1, "a link-local address without a device",
		with(insecure(begin(&m, "fourth", S)), KCOLO_A_SESSION_LOCAL,
		     &scoped), EINVAL, "listen");
	/* Ends of sessions that were not to be are asynchronous. */
	sleep_ms(200);
	expect(count_sessions() == 1, "a refused session is there");
}

static void new_ids(void)
{
	struct kcolo_session_info info;
	u32 id[8];
	int i, j;

	for (i = 0; i < 8; i++) {
		read_session(lone_secondary(), &info);
		id[i] = info.id;
		for (j = 0; j < i; j++)
			expect(id[i] != id[j], "two sessions have id %u", id[i]);
	}
}

/* Another peer, where there is one, or cannot be; nothing else is set then either. */
static void new_peer(void)
{
	union kcolo_addr any = address("127.0.0.1", 9), six = any;
	struct kcolo *a = lone_primary(60000), *b = lone_secondary();
	struct kcolo_session_info info;
	struct pair p;
	struct msg m;

	nl = nl_open();
	msg_u32(msg_cmd(&m, KCOLO_CMD_SESSION_SET), KCOLO_A_SESSION_FD,
		kcolo_session_fd(b));
	msg_u64(&m, KCOLO_A_SESSION_THRESHOLD, 4711);
	refused(nl, kcolo_session_fd(b), "a peer of a secondary",
		with(&m, KCOLO_A_SESSION_PEER, &any), EINVAL,
		"a secondary listens: it takes no peer address");
	msg_u32(msg_cmd(&m, KCOLO_CMD_SESSION_SET), KCOLO_A_SESSION_FD,
		kcolo_session_fd(a));
	six.sa.sa_family = AF_UNIX;
	refused(nl, kcolo_session_fd(a), "a peer that is no address",
		with(&m, KCOLO_A_SESSION_PEER, &six), EINVAL,
		"an address is a struct sockaddr_in or sockaddr_in6");
	six = any;
	six.in.sin_port = 0;
	msg_u32(msg_cmd(&m, KCOLO_CMD_SESSION_SET), KCOLO_A_SESSION_FD,
		kcolo_session_fd(a));
	msg_u64(&m, KCOLO_A_SESSION_THRESHOLD, 4711);
	refused(nl, kcolo_session_fd(a), "a peer without a port",
		with(&m, KCOLO_A_SESSION_PEER, &six), EDESTADDRREQ, "port");
	read_session(a, &info);
	expect(info.params.threshold != 4711, "half of a refused set is there");
	msg_u32(msg_cmd(&m, KCOLO_CMD_SESSION_SET), KCOLO_A_SESSION_FD,
		kcolo_session_fd(a));
	granted(nl, "another peer", with(&m, KCOLO_A_SESSION_PEER, &any));
	read_session(a, &info);
	expect(!memcmp(&info.peer.in, &any.in, sizeof(any.in)),
	       "the other peer is not there");
	pair_up(&p, 60000);
	msg_u32(msg_cmd(&m, KCOLO_CMD_SESSION_SET), KCOLO_A_SESSION_FD, p.fda);
	refused(nl, p.fda, "a peer in the place of one",
		with(&m, KCOLO_A_SESSION_PEER, &any), EISCONN,
		"the session has a peer");
}

const struct scenario new_scenarios[] = {
	{ "new-attrs", "names, roles, attributes", new_attrs },
	{ "new-addresses", "addresses that are none, and not of the role",
	  new_addresses },
	{ "new-ports", "port 0", new_ports },
	{ "new-listen", "names and ports that are taken", new_listen },
	{ "new-ids", "ids are unique", new_ids },
	{ "new-peer", "another peer for a primary", new_peer },
	{ 0 }
};
