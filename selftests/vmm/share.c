// SPDX-License-Identifier: GPL-2.0
/*
 * Who writes which pages. The boot area is nobody's; the last sixteenth of each
 * region is the device's, where some pages have no memslot and some a read-only
 * one; the rest is shared out to the vCPUs. With a device, the last words of a
 * vCPU's page are the device's too (the mailbox), so both write the same pages.
 */
#include <string.h>

#include "kvmm.h"

u32 device_pages(const struct vm *vm, u32 region)
{
	u64 pages = vm->region[region].size >> KVMM_PAGE_SHIFT;

	if (region == 2 && opt.bare_vram)
		return pages;
	return opt.device ? (pages + 15) / 16 : 0;
}

/* Pages at the very end of ram1 that no memslot maps. */
u32 unmapped_pages(const struct vm *vm, u32 region)
{
	return region == 1 ? device_pages(vm, region) / 4 : 0;
}

/* Pages before those that the guest can only read. */
u32 read_only_pages(const struct vm *vm, u32 region)
{
	return region == 1 && vm->has_readonly ?
		device_pages(vm, region) / 4 : 0;
}

static void add_extent(struct vm *vm, struct stream *s, u32 region, u64 page,
		       u64 npages)
{
	struct stream_extent *e = &s->extent[s->nr_extents];
	struct alias alias;
	u64 first, end;

	if (!npages)
		return;
	s->nr_extents++;
	s->npages += npages;
	e->base = vm->region[region].gpa + (page << KVMM_PAGE_SHIFT);
	e->npages = npages;
	e->region = region;
	e->region_page = page;

	ram_alias(vm, &alias);
	first = alias.page > page ? alias.page : page;
	end = alias.page + alias.npages;
	if (end > page + npages)
		end = page + npages;
	if (alias.region != region || first >= end)
		return;
	e->alias_first = first - page;
	e->alias_npages = end - first;
	e->alias[0] = GPA_ALIAS0 + ((first - alias.page) << KVMM_PAGE_SHIFT);
	e->alias[1] = GPA_ALIAS1 + ((first - alias.page) << KVMM_PAGE_SHIFT);
}

static void stream_init(struct stream *s, u32 index)
{
	u64 pages;

	s->magic = STREAM_MAGIC;
	s->seed = stream_mix(opt.seed ^ stream_mix(index));
	s->rng = stream_mix(s->seed) | 1;
	s->pattern = opt.pattern;
	s->content = opt.content;
	s->words = opt.words;
	s->zero_every = opt.zero_every;
	s->limit = KVMM_PAGE_WORDS - (opt.device ? STREAM_MAILBOX : 0);
	s->batch = opt.batch;
	while (1ull << s->bits < s->npages)
		s->bits++;
	pages = opt.hot / KVMM_PAGE_SIZE / opt.vcpus;
	s->hot_pages = pages < s->npages ? pages : s->npages;
	if (!s->hot_pages)
		s->hot_pages = 1;
	if (opt.rate && opt.pattern == PATTERN_UNIFORM)
		s->per_interval = opt.rate / KVMM_PAGE_SIZE / opt.vcpus;
}

static void vcpu_share(struct vm *vm, u32 index)
{
	u64 span = opt.span / KVMM_PAGE_SIZE / opt.vcpus;
	struct stream *s = &vm->origin[index];
	u64 pages, boot;
	u32 i;

	for (i = 0; i < vm->nr_regions; i++) {
		boot = i ? 0 : BOOT_PAGES;
		pages = vm->region[i].size >> KVMM_PAGE_SHIFT;
		pages = (pages - boot - device_pages(vm, i)) / opt.vcpus;
		add_extent(vm, s, i, boot + index * pages,
			   opt.span && s->npages + pages > span ?
			   span - s->npages : pages);
	}
	stream_init(s, index);
	if (opt.span && s->npages < span)
		die(EXIT_USAGE, "there is less RAM to write than --span");
	if (s->npages < s->per_interval)
		die(EXIT_USAGE,
		    "--rate is %llu pages an interval of a vCPU's %llu",
		    s->per_interval, s->npages);
}

static void device_shares(struct vm *vm)
{
	struct stream *own = &vm->origin[STREAM_DEVICE];
	struct stream *mails = &vm->origin[STREAM_MAILS];
	u64 pages, boot;
	u32 i;

	for (i = 0; i < vm->nr_regions; i++) {
		boot = i ? 0 : BOOT_PAGES;
		pages = vm->region[i].size >> KVMM_PAGE_SHIFT;
		add_extent(vm, own, i, pages - device_pages(vm, i),
			   device_pages(vm, i));
		add_extent(vm, mails, i, boot,
			   pages - boot - device_pages(vm, i));
	}
	stream_init(own, STREAM_DEVICE);
	stream_init(mails, STREAM_MAILS);
	own->pattern = PATTERN_UNIFORM;
	own->per_interval = 0;
	own->limit = KVMM_PAGE_WORDS;
	mails->pattern = PATTERN_UNIFORM;
	mails->per_interval = 0;
}

void shares_init(struct vm *vm)
{
	u8 *mem[MAX_REGIONS] = {};
	u32 i;

	for (i = 0; i < opt.vcpus; i++)
		vcpu_share(vm, i);
	if (opt.device)
		device_shares(vm);
	memcpy(vm->follower, vm->origin, sizeof(vm->follower));
	for (i = 0; i < vm->nr_regions; i++)
		mem[i] = vm->region[i].mem;
	vm->device.state.stream = vm->origin[STREAM_DEVICE];
	vm->device.state.mailbox = vm->origin[STREAM_MAILS];
	stream_to_host(&vm->device.state.stream, mem);
	stream_to_host(&vm->device.state.mailbox, mem);
}

void stream_to_host(struct stream *s, u8 *const mem[MAX_REGIONS])
{
	struct stream_extent *e;

	for (e = s->extent; e < s->extent + s->nr_extents; e++) {
		e->base = (u64)(mem[e->region] +
				(e->region_page << KVMM_PAGE_SHIFT));
		e->alias[0] = e->base +
			((u64)e->alias_first << KVMM_PAGE_SHIFT);
		e->alias[1] = e->alias[0];
	}
}

struct stream *vcpu_stream(struct vm *vm, u32 index)
{
	return (struct stream *)(vm->region[0].mem + BOOT_STREAM +
				 ((u64)index << KVMM_PAGE_SHIFT));
}
