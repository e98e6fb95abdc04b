// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>
#include "nlclient.h"

static unsigned int nr_wrong;

void wrong(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	note_as("WRONG: ", fmt, ap);
	va_end(ap);
	nr_wrong++;
}

unsigned int wrongs(void)
{
	return nr_wrong;
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
