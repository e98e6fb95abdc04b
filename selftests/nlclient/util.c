// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>
#include "nlclient.h"

static unsigned int nr_wrong;

static void __printf(2, 0) vnote(const char *what, const char *fmt, va_list ap)
{
	char text[1024];

	vsnprintf(text, sizeof(text), fmt, ap);
	printf("# %s%s\n", what, text);
	fflush(stdout);
}

void note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vnote("", fmt, ap);
	va_end(ap);
}

void wrong(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vnote("WRONG: ", fmt, ap);
	va_end(ap);
	nr_wrong++;
}

void fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vnote("FAILED: ", fmt, ap);
	va_end(ap);
	exit(1);
}

unsigned int wrongs(void)
{
	return nr_wrong;
}

u64 now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ull + t.tv_nsec / 1000000;
}

void sleep_ms(u32 ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000l };

	nanosleep(&t, NULL);
}

unsigned int kernel_version(void)
{
	unsigned int major = 0, minor = 0;
	struct utsname u;

	if (uname(&u) || sscanf(u.release, "%u.%u", &major, &minor) != 2)
		fail("which kernel is this?");
	return major * 1000 + minor;
}

long read_number(const char *path)
{
	FILE *f = fopen(path, "r");
	long v = -1;

	if (!f)
		return -1;
	if (fscanf(f, "%ld", &v) != 1)
		v = -1;
	fclose(f);
	return v;
}

void shell(const char *command)
{
	int status = system(command);

	if (status)
		fail("\"%s\" ended with %d", command, status);
}

int in_child(void (*run)(void *arg), void *arg)
{
	unsigned int before = nr_wrong;
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		fail("no process");
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		run(arg);
		exit(nr_wrong > before);
	}
	if (waitpid(pid, &status, 0) != pid)
		fail("a child is lost");
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}
