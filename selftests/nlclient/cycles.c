// SPDX-License-Identifier: GPL-2.0
/*
 * Sessions made, used and ended again and again: what they took is given back. Each
 * cache of the slab allocator and all that is vmalloc()ed are counted, before and
 * after, when everything that is freed late was freed.
 */
#include <dirent.h>
#include <errno.h>
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
#define LOOKS		10
#define SLAB		"/sys/kernel/slab"
#define MAX_CACHES	1000

struct count {
	char cache[64];
	long objects;
};

struct counts {
	unsigned int nr;
	struct count at[MAX_CACHES];
	long vmalloc;
};

/* It has to be there, or nothing is looked at. */
static void empty_slabs(const char *cache)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), SLAB "/%s/shrink", cache);
	f = fopen(path, "w");
	if (!f)
		fail("%s: %s", path, strerror(errno));
	fputs("1\n", f);
	fclose(f);
}

static long live(const char *cache)
{
	char path[512];
	long n = -1;
	FILE *f;

	snprintf(path, sizeof(path), SLAB "/%s/objects", cache);
	f = fopen(path, "r");
	if (!f || fscanf(f, "%ld", &n) != 1)
		fail("%s: %s", path, strerror(errno));
	fclose(f);
	return n;
}

/* Another name for one of the others is a link. */
static bool is_cache(const struct dirent *d)
{
	struct stat st;
	char path[512];

	snprintf(path, sizeof(path), SLAB "/%.200s", d->d_name);
	return d->d_name[0] != '.' && !lstat(path, &st) && S_ISDIR(st.st_mode);
}

static void count_slab(struct counts *c)
{
	DIR *dir = opendir(SLAB);
	struct dirent *d;

	if (!dir)
		fail(SLAB ": %s", strerror(errno));
	while ((d = readdir(dir)) && c->nr < MAX_CACHES) {
		if (!is_cache(d))
			continue;
		snprintf(c->at[c->nr].cache, sizeof(c->at[c->nr].cache), "%.63s",
			 d->d_name);
		/* Twice: what one frees another may have waited for. */
		empty_slabs(d->d_name);
		empty_slabs(d->d_name);
		c->at[c->nr++].objects = live(d->d_name);
	}
	closedir(dir);
}

/* Areas; of kcolo there is to be none. One that is unpurged was freed. */
static void count_vmalloc(struct counts *c)
{
	FILE *f = fopen("/proc/vmallocinfo", "r");
	char line[512];

	if (!f)
		fail("/proc/vmallocinfo: %s", strerror(errno));
	while (fgets(line, sizeof(line), f)) {
		c->vmalloc += !strstr(line, "unpurged");
		if (strstr(line, "[kcolo]"))
			fail("no session is left, and this is: %s", line);
	}
	fclose(f);
}

static void forget_caches(void)
{
	FILE *f = fopen("/proc/sys/vm/drop_caches", "w");

	if (!f)
		fail("drop_caches: %s", strerror(errno));
	fputs("3\n", f);
	fclose(f);
}

static struct counts *take(void)
{
	struct counts *c = calloc(1, sizeof(*c));

	if (!c)
		fail("no memory");
	sleep_ms(SETTLE_MS);
	forget_caches();
	count_slab(c);
	count_vmalloc(c);
	return c;
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

static long before_in(const struct counts *before, const char *cache)
{
	unsigned int i;

	for (i = 0; i < before->nr; i++)
		if (!strcmp(before->at[i].cache, cache))
			return before->at[i].objects;
	return LONG_MAX;
}

/* What the debug kernel keeps of others' objects, with reports of its own. */
static bool of_debugging(const char *cache)
{
	return !strncmp(cache, "kmemleak_", 9) ||
	       !strcmp(cache, "debug_objects_cache");
}

/* Return: how many of a cache more there are at most; *@which: in which. */
static long grown(const struct counts *before, const struct counts *after,
		  const struct count **which)
{
	char areas[256];
	long most = 0, n;
	unsigned int i;

	cache_of_areas(areas);
	for (i = 0; i < after->nr; i++) {
		n = after->at[i].objects -
		    before_in(before, after->at[i].cache);
		if (n < most || !strcmp(after->at[i].cache, areas) ||
		    of_debugging(after->at[i].cache))
			continue;
		most = n;
		*which = &after->at[i];
	}
	return most;
}

static void cycles(void)
{
	struct counts *before, *after;
	const struct count *which;
	int n, looks = LOOKS;
	long most;

	for (n = 0; n < (slow > 1 ? WARM_UP_DEBUG : WARM_UP); n++)
		cycle(n);
	/* To look takes memory, too: what it takes the first time stays. */
	free(take());
	before = take();
	for (n = 0; n < CYCLES; n++)
		cycle(n);
	/*
	 * One object that each second cycle leaves is no accident, unless it goes
	 * later: the kernel has its own ideas of when, and a leak stays.
	 */
	after = take();
	most = grown(before, after, &which);
	while (most >= CYCLES / 2 && --looks) {
		free(after);
		after = take();
		most = grown(before, after, &which);
	}
	expect(most < CYCLES / 2, "%s: %ld objects, %ld more than before",
	       which->cache, which->objects, most);
	printf("# vmalloc: %ld areas before and %ld after\n", before->vmalloc,
	       after->vmalloc);
	expect(after->vmalloc - before->vmalloc < CYCLES / 10,
	       "%ld vmalloc()ed areas before and %ld after", before->vmalloc,
	       after->vmalloc);
}

const struct scenario cycles_scenarios[] = {
	{ "cycles", "sessions made and ended leave nothing", cycles },
	{ 0 }
};
