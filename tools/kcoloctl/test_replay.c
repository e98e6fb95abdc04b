// SPDX-License-Identifier: GPL-2.0
/*
 * kcoloctl with a kernel that says again what was recorded of a real one: the file
 * that KCOLO_REPLAY names. Each request has to be the one that was recorded, byte
 * for byte, and all of it has to be asked for; else the exit code is 99. No time
 * passes but what is waited for, and that at once.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "test_wire.h"

#define BAD		99
#define STEPS_MAX	1024
#define BYTES_MAX	32768
#define SOCKETS_MAX	8
/* 2026-01-02 03:04:05.678901 UTC */
#define START_S		1767323045
#define START_NS	678901000

/* What was recorded, one after the other. */
struct step {
	char what;			/* o, >, <, ! or j, as its line begins */
	int socket;
	long value;			/* port, errno or group */
	size_t len;
	uint8_t *bytes;
	unsigned int line;
};

static struct step steps[STEPS_MAX];
static unsigned int nr_steps, at;
static int sockets[SOCKETS_MAX], session_fd = -1;
static int64_t passed_ms;

static void __attribute__((noreturn, format(printf, 1, 2)))
bad(const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fprintf(stderr, "replay: ");
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, " (line %u)\n", at < nr_steps ? steps[at].line : 0);
	_exit(BAD);
}

static void read_hex(struct step *s, const char *p)
{
	unsigned int byte;
	int n;

	for (; sscanf(p, " %2x%n", &byte, &n) == 1; p += n) {
		if (s->len == BYTES_MAX)
			bad("a message is too long");
		s->bytes[s->len++] = byte;
	}
}

static void read_step(struct step *s, const char *text, unsigned int line)
{
	char what[8];

	s->line = line;
	if (sscanf(text, "%7s %d %ld", what, &s->socket, &s->value) < 2 ||
	    s->socket < 0 || s->socket >= SOCKETS_MAX)
		errx(BAD, "line %u is none of a recording", line);
	s->what = what[0];
	s->bytes = malloc(BYTES_MAX);
	if (!s->bytes)
		errx(BAD, "out of memory");
}

static void read_file(const char *name);

/* What stands at the beginning of most is in a file of its own, beside them. */
static void read_line(const char *name, const char *text, unsigned int line)
{
	static const char include[] = "include ";
	const char *slash = strrchr(name, '/');
	char path[512];

	if (!strncmp(text, include, strlen(include))) {
		snprintf(path, sizeof(path), "%.*s%s",
			 slash ? (int)(slash - name + 1) : 0, name,
			 text + strlen(include));
		read_file(path);
	} else if (text[0] == '\t' && nr_steps) {
		read_hex(&steps[nr_steps - 1], text);
	} else if (text[0] && nr_steps < STEPS_MAX) {
		read_step(&steps[nr_steps++], text, line);
	}
}

static void read_file(const char *name)
{
	FILE *f = fopen(name, "re");
	unsigned int line = 0;
	char text[512];

	if (!f)
		err(BAD, "%s", name);
	while (fgets(text, sizeof(text), f)) {
		text[strcspn(text, "#\n")] = '\0';
		read_line(name, text, ++line);
	}
	fclose(f);
}

static void __attribute__((constructor)) read_recording(void)
{
	const char *name = getenv("KCOLO_REPLAY");

	if (!name)
		errx(BAD, "KCOLO_REPLAY is to name a file");
	read_file(name);
}

static void __attribute__((destructor)) is_all_asked(void)
{
	if (at < nr_steps)
		bad("%u of %u steps were not asked for", nr_steps - at,
		    nr_steps);
}

static struct step *next(char what, int socket)
{
	struct step *s = &steps[at];

	if (at == nr_steps || s->what != what || s->socket != socket)
		return NULL;
	at++;
	return s;
}

static int number_of(int fd)
{
	int i;

	for (i = 0; i < SOCKETS_MAX; i++)
		if (sockets[i] && sockets[i] == fd)
			return i;
	return -1;
}

int __wrap_kcolo_nl_open(struct kcolo_nl *nl)
{
	struct step *s;
	int i = 0;

	while (i < SOCKETS_MAX - 1 && sockets[i])
		i++;
	s = next('o', i);
	if (!s)
		bad("a socket is opened that was not");
	sockets[i] = eventfd(0, EFD_CLOEXEC);
	nl->fd = sockets[i];
	nl->portid = s->value;
	nl->seq = 0;
	return nl->fd < 0 ? -errno : 0;
}

int __wrap_kcolo_nl_send(struct kcolo_nl *nl, struct nlmsghdr *nlh)
{
	struct step *s = next('>', number_of(nl->fd));
	const uint8_t *p = (const uint8_t *)nlh;
	size_t i;

	if (!s)
		bad("a request (command %u) is sent that was not",
		    *(p + NLMSG_HDRLEN));
	at--;
	for (i = 0; i < s->len && i < nlh->nlmsg_len; i++)
		if (p[i] != s->bytes[i])
			bad("byte %zu of a request is %02x, not %02x", i, p[i],
			    s->bytes[i]);
	if (s->len != nlh->nlmsg_len)
		bad("a request has %u bytes, not %zu", nlh->nlmsg_len, s->len);
	at++;
	return 0;
}

/* The fd that the kernel gave; any file does. */
static void make_session_fd(const struct step *s)
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)s->bytes;
	struct genlmsghdr *genl = nlmsg_data(nlh);
	struct nlattr *attr;
	int fd;

	if (nlh->nlmsg_type <= GENL_ID_CTRL ||
	    genl->cmd != KCOLO_CMD_SESSION_NEW)
		return;
	attr = nla_find(genlmsg_attrdata(genl, 0), genlmsg_attrlen(genl, 0),
			KCOLO_A_SESSION_FD);
	session_fd = attr ? nla_get_s32(attr) : -1;
	if (session_fd < 0 || fcntl(session_fd, F_GETFD) >= 0)
		bad("fd %d cannot be the session's", session_fd);
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (fd != session_fd) {
		dup3(fd, session_fd, O_CLOEXEC);
		close(fd);
	}
}

ssize_t __wrap_kcolo_nl_recv(struct kcolo_nl *nl, void *buf, size_t size)
{
	int i = number_of(nl->fd);
	struct step *s = next('!', i);

	if (s)
		return -s->value;
	s = next('<', i);
	if (!s)
		return 0;
	if (s->len > size)
		bad("a message is too long");
	make_session_fd(s);
	memcpy(buf, s->bytes, s->len);
	return s->len;
}

int __wrap_setsockopt(int fd, int level, int name, const void *value,
		      socklen_t len)
{
	struct step *s;

	if (level != SOL_NETLINK || name != NETLINK_ADD_MEMBERSHIP)
		return 0;
	s = next('j', number_of(fd));
	if (!s || len != sizeof(int) || *(const int *)value != s->value)
		bad("a group is joined that was not");
	return 0;
}

/* Return: what of an fd is there, as poll() has it. */
static short ready(const struct pollfd *p)
{
	int i = number_of(p->fd);

	if (at == nr_steps)
		return p->fd == session_fd ? POLLHUP : 0;
	if (i < 0 || steps[at].socket != i)
		return 0;
	return steps[at].what == '<' || steps[at].what == '!' ? POLLIN : 0;
}

/* A session ends when there is nothing more to say. */
int __wrap_poll(struct pollfd *fds, nfds_t nr, int timeout)
{
	int n = 0;
	nfds_t i;

	for (i = 0; i < nr; i++) {
		fds[i].revents = ready(&fds[i]);
		n += !!fds[i].revents;
	}
	if (n)
		return n;
	if (timeout < 0)
		bad("what is waited for did not come");
	passed_ms += timeout;
	return 0;
}

int __wrap_clock_gettime(clockid_t id, struct timespec *ts)
{
	(void)id;
	ts->tv_sec = START_S + passed_ms / 1000;
	ts->tv_nsec = START_NS + passed_ms % 1000 * 1000000;
	if (ts->tv_nsec >= 1000000000) {
		ts->tv_nsec -= 1000000000;
		ts->tv_sec++;
	}
	return 0;
}

int __wrap_execvp(const char *file, char * const *argv)
{
	is_all_asked();
	return __real_execvp(file, argv);
}
