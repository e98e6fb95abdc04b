// SPDX-License-Identifier: GPL-2.0
/*
 * Sessions made, used and ended again and again: what they took is given back. Each
 * cache of the slab allocator and all that is vmalloc()ed are counted, before and
 * after, when everything that is freed late was freed.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "pair.h"

#define CYCLES		200
/*
 * Before it is counted: caches fill, modules load. The debug kernel's trackers of
 * references keep the last 128 that were given back, for each namespace.
 */
#define WARM_UP		20
#define WARM_UP_DEBUG	150
#define SETTLE_MS	3000
#define LOOKS		5
#define SHRINKS		8
#define SLAB		"/sys/kernel/slab"
#define MAX_CACHES	400

/*
 * Open all the time: a file that is opened for each look is a dentry and an inode,
 * which stay in caches of their own for as long as the kernel likes.
 */
struct cache {
	char name[64];
	int shrink, objects;
};

struct caches {
	unsigned int nr;
	struct cache at[MAX_CACHES];
};

/* Objects of each of the caches, in their order. */
struct counts {
	long objects[MAX_CACHES];
	long vmalloc;
};

/* It has to be there, or nothing is looked at. */
static int slab_file(const char *cache, const char *file, int flags)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), SLAB "/%s/%s", cache, file);
	fd = open(path, flags | O_CLOEXEC);
	if (fd < 0)
		fail("%s: %s", path, strerror(errno));
	return fd;
}

/* Another name for one of the others is a link. */
static bool is_cache(const struct dirent *d)
{
	struct stat st;
	char path[512];

	snprintf(path, sizeof(path), SLAB "/%.200s", d->d_name);
	return d->d_name[0] != '.' && !lstat(path, &st) && S_ISDIR(st.st_mode);
}

static void open_caches(struct caches *caches)
{
	DIR *dir = opendir(SLAB);
	struct dirent *d;
	struct cache *c;

	if (!dir)
		fail(SLAB ": %s", strerror(errno));
	while ((d = readdir(dir))) {
		if (!is_cache(d))
			continue;
		if (caches->nr == MAX_CACHES)
			fail("more than %d caches", MAX_CACHES);
		c = &caches->at[caches->nr++];
		snprintf(c->name, sizeof(c->name), "%.63s", d->d_name);
		c->shrink = slab_file(d->d_name, "shrink", O_WRONLY);
		c->objects = slab_file(d->d_name, "objects", O_RDONLY);
	}
	closedir(dir);
}

/*
 * The least that is seen. What is free in the slabs that a CPU has for itself is
 * said to be in use: a shrink takes those back, and whoever allocates before it is
 * read has some again, a dozen at once.
 */
static long live(const struct cache *c)
{
	long n, least = LONG_MAX;
	char text[64], *end;
	ssize_t len;
	int i;

	for (i = 0; i < SHRINKS; i++) {
		if (pwrite(c->shrink, "1\n", 2, 0) != 2)
			fail("%s: shrink: %s", c->name, strerror(errno));
		len = pread(c->objects, text, sizeof(text) - 1, 0);
		text[len < 0 ? 0 : len] = 0;
		n = strtol(text, &end, 10);
		if (end == text)
			fail("%s: how many objects is not said", c->name);
		least = n < least ? n : least;
	}
	return least;
}

/* Areas; of kcolo there is to be none. One that is unpurged was freed. */
static long count_vmalloc(void)
{
	FILE *f = fopen("/proc/vmallocinfo", "r");
	char line[512];
	long areas = 0;

	if (!f)
		fail("/proc/vmallocinfo: %s", strerror(errno));
	while (fgets(line, sizeof(line), f)) {
		areas += !strstr(line, "unpurged");
		if (strstr(line, "[kcolo]"))
			fail("no session is left, and this is: %s", line);
	}
	fclose(f);
	return areas;
}

static void forget_caches(void)
{
	FILE *f = fopen("/proc/sys/vm/drop_caches", "w");

	if (!f)
		fail("drop_caches: %s", strerror(errno));
	fputs("3\n", f);
	fclose(f);
}

static void take(const struct caches *caches, struct counts *c)
{
	unsigned int i;

	forget_caches();
	sleep_ms(SETTLE_MS);
	for (i = 0; i < caches->nr; i++)
		c->objects[i] = live(&caches->at[i]);
	c->vmalloc = count_vmalloc();
}

static void cycle(int n)
{
	char name[32];
	struct pair p;

	pair_up(&p, 60000);
	pair_write(&p, 0, 3 * PAGE, n);
	pair_checkpoint(&p);
	/* In each way, in turn: closed, deleted, in an epoch. */
	if (n % 3 == 1 && kcolo_session_del(p.a))
		fail("session del: %s", kcolo_error(p.a));
	if (n % 3 == 2)
		pair_ready(&p);
	snprintf(name, sizeof(name), "%s", p.name);
	pair_down(&p);
	await_gone(name, SOON_MS);
}

/*
 * The cache, perhaps shared with others, in which each vmalloc()ed area has an
 * object, and each gap: those are given back later, and are counted otherwise.
 */
static void cache_of_areas(char name[256])
{
	ssize_t len = readlink(SLAB "/vmap_area", name, 255);

	if (len < 0)
		len = snprintf(name, 255, "vmap_area");
	name[len] = 0;
}

/* What the debug kernel keeps of others' objects, with reports of its own. */
static bool of_debugging(const char *cache)
{
	return !strncmp(cache, "kmemleak_", 9) ||
	       !strcmp(cache, "debug_objects_cache");
}

/* Return: the cache that has grown most. */
static unsigned int most_grown(const struct caches *caches,
			       const struct counts *before,
			       const struct counts *after)
{
	unsigned int i, which = 0;
	char areas[256];
	long most = LONG_MIN, n;

	cache_of_areas(areas);
	for (i = 0; i < caches->nr; i++) {
		n = after->objects[i] - before->objects[i];
		if (n <= most || !strcmp(caches->at[i].name, areas) ||
		    of_debugging(caches->at[i].name))
			continue;
		most = n;
		which = i;
	}
	return which;
}

static void cycles(void)
{
	struct counts before, after;
	struct caches caches = {};
	int n, looks = LOOKS;
	unsigned int which;
	long most;

	for (n = 0; n < (slow > 1 ? WARM_UP_DEBUG : WARM_UP); n++)
		cycle(n);
	open_caches(&caches);
	/* To look takes memory, too: what it takes the first time stays. */
	take(&caches, &before);
	take(&caches, &before);
	for (n = 0; n < CYCLES; n++)
		cycle(n);
	/*
	 * One object that each second cycle leaves is no accident, unless it goes
	 * later: the kernel has its own ideas of when, and a leak stays.
	 */
	do {
		take(&caches, &after);
		which = most_grown(&caches, &before, &after);
		most = after.objects[which] - before.objects[which];
	} while (most >= CYCLES / 2 && --looks);
	expect(most < CYCLES / 2, "%s: %ld objects, %ld more than before",
	       caches.at[which].name, after.objects[which], most);
	printf("# vmalloc: %ld areas before and %ld after\n", before.vmalloc,
	       after.vmalloc);
	expect(after.vmalloc - before.vmalloc < CYCLES / 10,
	       "%ld vmalloc()ed areas before and %ld after", before.vmalloc,
	       after.vmalloc);
}

const struct scenario cycles_scenarios[] = {
	{ "cycles", "sessions made and ended leave nothing", cycles },
	{ 0 }
};
