// SPDX-License-Identifier: GPL-2.0
/* The regions of RAM: what they are, their hash, and the log of our writes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <kcolo.h>

#include "plug.h"

#define LARGE_PAGE	(2ull << 20)
#define LOG_BITS	(8 * sizeof(long))

static const struct {
	const char *name;
	u64 gpa;
	u64 max;
} places[MAX_REGIONS] = {
	{ "ram0", GPA_RAM0, GPA_RAM_MAX },
	{ "ram1", GPA_RAM1, GPA_RAM_MAX },
	{ "vram", GPA_VRAM, GPA_VRAM_MAX },
};

/* In a mapping that has room for it; what is left over stays. */
static u8 *large_pages(u8 *mem, u64 size)
{
	mem = (u8 *)(((u64)mem + LARGE_PAGE - 1) & -LARGE_PAGE);
	madvise(mem, size, MADV_HUGEPAGE);
	/* One that is read first is none, but a small page of zeroes. */
	memset(mem, 0, size);
	return mem;
}

static u8 *map_memory(const char *name, u64 size)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, fd = -1;
	u8 *mem;

	if (opt.memfd) {
		fd = memfd_create(name, MFD_CLOEXEC);
		if (fd < 0 || ftruncate(fd, size))
			die(EXIT_USAGE, "memfd of %llu bytes: %s", size,
			    strerror(errno));
		flags = MAP_SHARED | MAP_NORESERVE;
	}
	mem = mmap(NULL, opt.late_log ? size + LARGE_PAGE : size,
		   PROT_READ | PROT_WRITE, flags, fd, 0);
	if (mem == MAP_FAILED)
		die(EXIT_USAGE, "mmap of %llu bytes: %s", size,
		    strerror(errno));
	if (opt.late_log)
		mem = large_pages(mem, size);
	if (fd >= 0)
		close(fd);
	return mem;
}

/* With --join ram1 begins where ram0 ends, for the guest and in our memory. */
static void place(struct vm *vm, struct region *r, u32 i)
{
	const struct region *ram0 = vm->region;

	if (opt.join && i == 1) {
		r->gpa = ram0->gpa + ram0->size;
		r->mem = ram0->mem + ram0->size;
		return;
	}
	r->gpa = places[i].gpa;
	r->mem = map_memory(r->name, opt.join && i == 0 ?
			    r->size + opt.size[1] : r->size);
}

void ram_init(struct vm *vm)
{
	struct region *r;
	u32 i;

	for (i = 0; i < MAX_REGIONS; i++) {
		if (!opt.size[i])
			continue;
		if (opt.size[i] > places[i].max)
			die(EXIT_USAGE, "%s can have %llu MiB at most",
			    places[i].name, places[i].max >> 20);
		r = &vm->region[vm->nr_regions++];
		r->name = places[i].name;
		r->size = opt.size[i];
		place(vm, r, i);
		r->page_hash = xcalloc(r->size >> KVMM_PAGE_SHIFT,
				       sizeof(*r->page_hash));
		r->base_hash = xcalloc(r->size >> KVMM_PAGE_SHIFT,
				       sizeof(*r->base_hash));
		r->dirtied = xcalloc(r->size >> KVMM_PAGE_SHIFT, 1);
		r->own_log = xcalloc((r->size >> KVMM_PAGE_SHIFT) / LOG_BITS + 1,
				     sizeof(*r->own_log));
	}
}

void ram_free(struct vm *vm)
{
	struct region *r;

	for (r = vm->region; r < vm->region + vm->nr_regions; r++) {
		munmap(r->mem, r->size);
		free(r->page_hash);
		free(r->base_hash);
		free(r->own_log);
		free(r->dirtied);
	}
}

u64 ram_pages(const struct vm *vm)
{
	u64 pages = 0;
	u32 i;

	for (i = 0; i < vm->nr_regions; i++)
		pages += vm->region[i].size >> KVMM_PAGE_SHIFT;
	return pages;
}

/* Four lanes, so that the multiplications overlap. */
static u64 hash_page(const void *page)
{
	const u64 k = 0x9fb21c651e98df25ull;
	u64 a = 1, b = 2, c = 3, d = 4;
	const u64 *w = page;
	const u64 *end = w + KVMM_PAGE_WORDS;

	for (; w < end; w += 4) {
		a = (a ^ w[0]) * k;
		b = (b ^ w[1]) * k;
		c = (c ^ w[2]) * k;
		d = (d ^ w[3]) * k;
		a ^= a >> 29;
		b ^= b >> 29;
		c ^= c >> 29;
		d ^= d >> 29;
	}
	return stream_mix(a ^ stream_mix(b ^ stream_mix(c ^ stream_mix(d))));
}

/* The hash of all RAM: of every page, and of where it is. */
u64 ram_hash(struct vm *vm)
{
	struct region *r;
	u64 page, hash = 0;
	u32 i;

	for (i = 0; i < vm->nr_regions; i++) {
		r = &vm->region[i];
		for (page = 0; page < r->size >> KVMM_PAGE_SHIFT; page++) {
			r->page_hash[page] =
				hash_page(r->mem + (page << KVMM_PAGE_SHIFT));
			hash += stream_mix(r->page_hash[page] ^
					   stream_mix((u64)i << 40 | page));
		}
	}
	return hash + plug_hash(vm);
}

static void log_own(struct region *r, u64 offset, u64 len)
{
	u64 page = offset >> KVMM_PAGE_SHIFT;

	for (; page <= (offset + len - 1) >> KVMM_PAGE_SHIFT; page++)
		__atomic_fetch_or(&r->own_log[page / LOG_BITS],
				  1ul << page % LOG_BITS, __ATOMIC_RELEASE);
}

static void sync_region(struct region *r, const struct kcolo_region *log)
{
	u64 pages = r->size >> KVMM_PAGE_SHIFT, page, at;
	unsigned long word;

	for (at = 0; at < pages; at += LOG_BITS) {
		word = __atomic_exchange_n(&r->own_log[at / LOG_BITS], 0,
					   __ATOMIC_ACQUIRE);
		for (page = at; word; page++, word >>= 1)
			if (word & 1)
				kcolo_log_dirty(log, page << KVMM_PAGE_SHIFT, 1);
	}
}

void ram_log_sync(struct vm *vm)
{
	const struct kcolo_region *log;
	struct region *r;

	for (r = vm->region; r < vm->region + vm->nr_regions; r++) {
		log = __atomic_load_n(&r->log, __ATOMIC_SEQ_CST);
		if (log && opt.log)
			sync_region(r, log);
	}
}

void ram_log(struct vm *vm, const void *mem, u64 len)
{
	const struct kcolo_region *log;
	const u8 *at = mem;
	struct region *r;

	for (r = vm->region; r < vm->region + vm->nr_regions; r++) {
		if (at < r->mem || at >= r->mem + r->size)
			continue;
		if (opt.log_sync)
			return log_own(r, at - r->mem, len);
		/*
		 * A write before the session knows the region is read by the
		 * first checkpoint, which sends everything.
		 */
		log = __atomic_load_n(&r->log, __ATOMIC_SEQ_CST);
		if (log && opt.log)
			kcolo_log_dirty(log, at - r->mem, len);
		return;
	}
}

void ram_alias(const struct vm *vm, struct alias *alias)
{
	u64 pages;

	/* An odd first page: nothing is aligned to the words of a bitmap. */
	alias->region = vm->nr_regions > 1 ? 1 : 0;
	alias->page = alias->region ? 13 : BOOT_PAGES + 51;
	pages = vm->region[alias->region].size >> KVMM_PAGE_SHIFT;
	alias->npages = pages / 4 < 200 ? pages / 4 : 200;
}

void *ram_at(struct vm *vm, u64 gpa, u64 len)
{
	static const u64 window[2] = { GPA_ALIAS0, GPA_ALIAS1 };
	struct alias alias;
	struct region *r;
	u32 i;

	for (r = vm->region; r < vm->region + vm->nr_regions; r++)
		if (gpa >= r->gpa && gpa + len <= r->gpa + r->size)
			return r->mem + (gpa - r->gpa);
	ram_alias(vm, &alias);
	for (i = 0; i < 2; i++)
		if (gpa >= window[i] && gpa + len <=
		    window[i] + (alias.npages << KVMM_PAGE_SHIFT))
			return vm->region[alias.region].mem +
			       (alias.page << KVMM_PAGE_SHIFT) +
			       (gpa - window[i]);
	return NULL;
}

/* Negative control: a check that does not notice this is none. */
void ram_corrupt(struct vm *vm)
{
	struct region *r = &vm->region[random_below(vm->nr_regions)];
	u64 boot = r == vm->region ? BOOT_PAGES << KVMM_PAGE_SHIFT : 0;
	u64 at = boot + random_below(r->size - boot);

	r->mem[at] ^= 1 << random_below(8);
	say("one bit changed: %s page %llu byte %llu", r->name,
	    at >> KVMM_PAGE_SHIFT, at % KVMM_PAGE_SIZE);
}
