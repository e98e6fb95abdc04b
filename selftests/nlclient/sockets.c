// SPDX-License-Identifier: GPL-2.0
/* A session that is handed its connections: TCP, and TLS in the kernel. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/kvm.h>
#include <linux/tls.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "pair.h"

/* Both ends of a connection: what is handed in is [0] here, [1] in b. */
struct wire {
	int fd[2];
};

static struct wire tcp(void)
{
	union kcolo_addr addr = address("10.1.0.2", new_port());
	struct wire w;
	int l;

	enter_b();
	l = socket(AF_INET, SOCK_STREAM, 0);
	if (l < 0 || bind(l, &addr.sa, sizeof(addr.in)) || listen(l, 1))
		fail("listen: %s", strerror(errno));
	leave_b();
	w.fd[0] = socket(AF_INET, SOCK_STREAM, 0);
	if (w.fd[0] < 0 || connect(w.fd[0], &addr.sa, sizeof(addr.in)))
		fail("connect: %s", strerror(errno));
	w.fd[1] = accept(l, NULL, NULL);
	if (w.fd[1] < 0)
		fail("accept: %s", strerror(errno));
	close(l);
	return w;
}

/* What a handshake would have agreed on. */
static void use_key(int fd, int direction, u8 which)
{
	struct tls12_crypto_info_aes_gcm_128 key = {
		.info = { TLS_1_3_VERSION, TLS_CIPHER_AES_GCM_128 },
	};

	memset(key.key, which, sizeof(key.key));
	memset(key.salt, which + 1, sizeof(key.salt));
	if (setsockopt(fd, SOL_TLS, direction, &key, sizeof(key)))
		fail("a key of TLS: %s", strerror(errno));
}

static struct wire tls(void)
{
	static const char ulp[] = "tls";
	struct wire w = tcp();
	int i;

	for (i = 0; i < 2; i++) {
		if (setsockopt(w.fd[i], SOL_TCP, TCP_ULP, ulp, sizeof(ulp)))
			fail("the upper layer: %s (modprobe it?)", strerror(errno));
		use_key(w.fd[i], TLS_TX, 10 + i);
		use_key(w.fd[i], TLS_RX, 11 - i);
	}
	return w;
}

static struct kcolo *make(struct pair *p, enum kcolo_role role)
{
	struct kcolo_session_config config = {
		.name = p->name, .role = role, .insecure = true, .sockets = true,
		.params = { .mask = KCOLO_PARAM_PEER_TIMEOUT,
			    .peer_timeout = 60000 },
	};
	struct kcolo *k;

	if (kcolo_open(&k) || kcolo_session_new(k, &config))
		fail("a session with sockets: %s", kcolo_error(k));
	return k;
}

static void sessions(struct pair *p)
{
	pair_guest(p);
	enter_b();
	p->b = make(p, KCOLO_ROLE_SECONDARY);
	p->nlb = nl_open();
	leave_b();
	p->a = make(p, KCOLO_ROLE_PRIMARY);
	p->nla = nl_open();
	p->fda = kcolo_session_fd(p->a);
	p->fdb = kcolo_session_fd(p->b);
	if (kcolo_vm_attach(p->a, p->vm) ||
	    kcolo_region_add(p->a, "ram", p->mem, RAM_SIZE, &p->ra) ||
	    kcolo_region_add(p->b, "ram", p->copy, RAM_SIZE, &p->rb))
		fail("regions: %s, %s", kcolo_error(p->a), kcolo_error(p->b));
}

static void hand_in(struct kcolo *k, const struct wire *control,
		    const struct wire *data, int end)
{
	u64 stop = now_ms() + SOON_MS;
	int err;

	/* The link before may not be over yet. */
	while ((err = kcolo_connect(k, control->fd[end], data->fd[end])) ==
	       -EAGAIN && now_ms() < stop)
		sleep_ms(5);
	if (err)
		fail("connect: %s", kcolo_error(k));
	/* It is the session's now. */
	close(control->fd[end]);
	close(data->fd[end]);
}

static void connect_both(struct pair *p, struct wire (*make)(void))
{
	struct wire control = make(), data = make();

	hand_in(p->a, &control, &data, 0);
	sleep_ms(100);		/* its HELLO waits */
	hand_in(p->b, &control, &data, 1);
	await_state(p->a, KCOLO_STATE_IDLE);
	await_state(p->b, KCOLO_STATE_IDLE);
}

/* Protected, cut, and protected again by two new ones. */
static void protects(struct wire (*make)(void))
{
	struct kcolo_session_info info;
	struct wire control, data;
	struct pair p;

	sessions(&p);
	control = make();
	data = make();
	hand_in(p.a, &(struct wire) { { dup(control.fd[0]), -1 } },
		&(struct wire) { { dup(data.fd[0]), -1 } }, 0);
	hand_in(p.b, &control, &data, 1);
	await_state(p.a, KCOLO_STATE_IDLE);
	pair_checkpoint(&p);
	pair_write(&p, 5 * PAGE, 3 * PAGE, 7);
	pair_checkpoint(&p);
	await_state(p.b, KCOLO_STATE_IDLE);
	/* By who has kept one: nobody looks for the peer but who hands in. */
	shutdown(control.fd[0], SHUT_RDWR);
	await_state(p.a, KCOLO_STATE_LOST);
	await_state(p.b, KCOLO_STATE_LOST);
	pair_write(&p, 9 * PAGE, PAGE, 8);
	connect_both(&p, make);
	read_session(p.a, &info);
	expect(info.resync == KCOLO_RESYNC_DELTA && info.links == 2 && info.sockets,
	       "links %lu, resync %s", info.links, kcolo_resync_name(info.resync));
	pair_checkpoint(&p);
}

static void sockets_tcp(void)
{
	protects(tcp);
}

static void sockets_tls(void)
{
	protects(tls);
}

/* Sockets that do not belong together: an error that can be read, and another try. */
static void sockets_wrong(void)
{
	struct kcolo_session_info info;
	struct wire one = tcp(), two = tcp();
	u64 end = now_ms() + SOON_MS;
	struct pair p;

	sessions(&p);
	/* The other end is closed. */
	hand_in(p.a, &one, &two, 0);
	close(one.fd[1]);
	close(two.fd[1]);
	do {
		sleep_ms(5);
		read_session(p.a, &info);
	} while (!info.error[0] && now_ms() < end);
	expect(info.state == KCOLO_STATE_CONNECTING && info.error[0],
	       "%s: %s", kcolo_state_name(info.state), info.error);
	/* Control and data crossed. */
	one = tcp();
	two = tcp();
	hand_in(p.a, &one, &two, 0);
	hand_in(p.b, &two, &one, 1);
	sleep_ms(200);
	expect(state_of(p.b, &info) == KCOLO_STATE_CONNECTING,
	       "crossed connections are taken");
	connect_both(&p, tcp);
	pair_checkpoint(&p);
}

static struct msg *handed(struct msg *m, int fd, int control, int data)
{
	msg_u32(msg_cmd(m, KCOLO_CMD_CONNECT), KCOLO_A_SESSION_FD, fd);
	if (control != -2)
		msg_u32(m, KCOLO_A_SESSION_CONTROL_FD, control);
	return data != -2 ? msg_u32(m, KCOLO_A_SESSION_DATA_FD, data) : m;
}

static void sockets_refused(void)
{
	static const char none[] = "this is no TCP socket that is connected";
	struct kcolo *own = lone_primary(60000);
	struct wire one = tcp(), two = tcp();
	int udp = socket(AF_INET, SOCK_DGRAM, 0);
	int unconnected = socket(AF_INET, SOCK_STREAM, 0);
	struct pair p;
	struct msg m;

	sessions(&p);
	refused(p.nla, p.fda, "no sockets", handed(&m, p.fda, -2, -2), EINVAL,
		"connect needs control-fd and data-fd");
	refused(p.nla, p.fda, "no data", handed(&m, p.fda, one.fd[0], -2), EINVAL,
		"connect needs control-fd and data-fd");
	refused(p.nla, p.fda, "no fd", handed(&m, p.fda, -1, two.fd[0]), ENOTCONN,
		none);
	refused(p.nla, p.fda, "a VM", handed(&m, p.fda, one.fd[0], p.vm), ENOTCONN,
		none);
	refused(p.nla, p.fda, "UDP", handed(&m, p.fda, udp, two.fd[0]), ENOTCONN,
		none);
	refused(p.nla, p.fda, "not connected",
		handed(&m, p.fda, unconnected, two.fd[0]), ENOTCONN, none);
	refused(p.nla, p.fda, "one twice",
		handed(&m, p.fda, one.fd[0], one.fd[0]), EINVAL,
		"control and data are two connections");
	refused(p.nla, kcolo_session_fd(own), "a session that connects",
		handed(&m, kcolo_session_fd(own), one.fd[0], two.fd[0]),
		EOPNOTSUPP, "it was not made with sockets");
	connect_both(&p, tcp);
	refused(p.nla, p.fda, "while there is a peer",
		handed(&m, p.fda, one.fd[0], two.fd[0]), EBUSY, "state");
	msg_u32(msg_str(msg_cmd(&m, KCOLO_CMD_SESSION_NEW), KCOLO_A_SESSION_NAME,
			"both"), KCOLO_A_SESSION_ROLE, KCOLO_ROLE_PRIMARY);
	msg_flag(msg_flag(&m, KCOLO_A_SESSION_INSECURE), KCOLO_A_SESSION_SOCKETS);
	msg_bytes(&m, KCOLO_A_SESSION_PEER,
		  &(struct sockaddr_in) { .sin_family = AF_INET, .sin_port = 7 },
		  sizeof(struct sockaddr_in));
	refused(p.nla, -1, "sockets and an address", &m, EINVAL,
		"takes no addresses");
}

/* Handed in and not used: they go with the session, and are closed. */
static void sockets_unused(void)
{
	struct wire one = tcp(), two = tcp();
	struct pair p;
	char byte;

	sessions(&p);
	hand_in(p.b, &one, &two, 1);
	kcolo_close(p.b);
	/* It may have been waiting for HELLO; it says nothing, and hangs up. */
	while (recv(one.fd[0], &byte, 1, 0) > 0)
		;
	while (recv(two.fd[0], &byte, 1, 0) > 0)
		;
}

const struct scenario sockets_scenarios[] = {
	{ "sockets-tcp", "protected over sockets that are handed in", sockets_tcp },
	{ "sockets-tls", "the same, encrypted by the kernel", sockets_tls },
	{ "sockets-wrong", "closed ones, crossed ones, then good ones",
	  sockets_wrong },
	{ "sockets-refused", "what is no connection", sockets_refused },
	{ "sockets-unused", "the end of a session closes them", sockets_unused },
	{ 0 }
};
