// SPDX-License-Identifier: GPL-2.0
/*
 * What RAM has to be: every writer's stream is written once more, from step 0
 * to the step it has come to, to a shadow of RAM, which must then equal RAM.
 */
#include <stdlib.h>
#include <string.h>

#include "kvmm.h"

#define SHOW_MAX	20
#define STEP_MAX	BIT_ULL(40)

struct stream *stream_now(struct vm *vm, u32 index)
{
	if (index < opt.vcpus)
		return vcpu_stream(vm, index);
	if (opt.device && index == STREAM_DEVICE)
		return &vm->device.state.stream;
	if (opt.device && index == STREAM_MAILS)
		return &vm->device.state.mailbox;
	return NULL;
}

u64 steps_of(struct vm *vm)
{
	struct stream *s;
	u64 steps = 0;
	u32 i;

	for (i = 0; i < MAX_STREAMS; i++) {
		s = stream_now(vm, i);
		if (s)
			steps += s->step;
	}
	return steps;
}

u64 steps_note(struct vm *vm)
{
	struct stream *s;
	u64 steps = 0;
	u32 i;

	for (i = 0; i < MAX_STREAMS; i++) {
		s = stream_now(vm, i);
		if (!s || s->step > STEP_MAX)
			continue;
		vm->noted[i] = s->step;
		steps += s->step;
	}
	return steps;
}

/*
 * Distinct pages that the streams have written up to the last note, since they were
 * forgotten: only the choice of pages is gone through. A paused vCPU may be in the middle of one
 * more page, and the boot area is not counted.
 */
u64 dirtied_count(struct vm *vm)
{
	struct stream_extent *e;
	u64 page, count = 0;
	struct stream *s;
	u32 i, r;

	for (i = 0; i < MAX_STREAMS; i++) {
		for (s = &vm->follower[i]; s->step < vm->noted[i]; s->step++) {
			page = stream_pick(s);
			e = stream_extent(s, &page);
			vm->region[e->region].dirtied[e->region_page + page] = 1;
		}
	}
	for (r = 0; r < vm->nr_regions; r++) {
		for (page = 0; page < vm->region[r].size >> KVMM_PAGE_SHIFT;
		     page++)
			count += vm->region[r].dirtied[page];
	}
	return count;
}

void dirtied_forget(struct vm *vm)
{
	u32 r;

	for (r = 0; r < vm->nr_regions; r++)
		memset(vm->region[r].dirtied, 0,
		       vm->region[r].size >> KVMM_PAGE_SHIFT);
}

static bool replay_stream(u32 index, struct stream *s, const struct stream *now,
			  u8 *const shadow[MAX_REGIONS])
{
	u64 page, value, *at;

	if (now->magic != STREAM_MAGIC || now->step > STEP_MAX) {
		complain("writer %u: its state is not one", index);
		return false;
	}
	stream_to_host(s, shadow);
	while (s->step < now->step) {
		page = stream_pick(s);
		at = stream_address(s, page);
		if (index == STREAM_MAILS) {
			at = mailbox_word(s, at, &value);
			*at = value;
		} else {
			stream_fill(s, page, at);
		}
		s->step++;
	}
	if (s->seed == now->seed && s->rng == now->rng && s->key == now->key &&
	    s->at == now->at && s->npages == now->npages)
		return true;
	complain("writer %u: at step %llu its state is not what it has to be",
		 index, s->step);
	return false;
}

static void show(const struct region *r, u64 page, const u64 *is,
		 const u64 *must)
{
	u32 w = 0;

	while (is[w] == must[w])
		w++;
	complain("%s page %llu word %u: is %llx, must be %llx (steps %llu, %llu)",
		 r->name, page, w, is[w], must[w], is[1], must[1]);
}

static u64 compare(struct vm *vm, u8 *const shadow[MAX_REGIONS])
{
	u64 page, pages, bad = 0;
	struct region *r;
	const u64 *is, *must;
	u32 i;

	for (i = 0; i < vm->nr_regions; i++) {
		r = &vm->region[i];
		pages = r->size >> KVMM_PAGE_SHIFT;
		for (page = i ? 0 : BOOT_PAGES; page < pages; page++) {
			is = (u64 *)(r->mem + (page << KVMM_PAGE_SHIFT));
			must = (u64 *)(shadow[i] + (page << KVMM_PAGE_SHIFT));
			if (!memcmp(is, must, KVMM_PAGE_SIZE))
				continue;
			if (bad++ < SHOW_MAX)
				show(r, page, is, must);
		}
	}
	return bad;
}

bool replay_check(struct vm *vm)
{
	u8 *shadow[MAX_REGIONS] = {};
	struct stream *s = xcalloc(1, sizeof(*s));
	u64 from = now_us(), bad;
	bool good = true;
	u32 i;

	for (i = 0; i < vm->nr_regions; i++)
		shadow[i] = xcalloc(vm->region[i].size, 1);
	for (i = 0; i < MAX_STREAMS; i++) {
		if (!stream_now(vm, i))
			continue;
		*s = vm->origin[i];
		good &= replay_stream(i, s, stream_now(vm, i), shadow);
	}
	bad = compare(vm, shadow);
	if (bad)
		complain("replay: %llu pages differ", bad);
	say("replay of %llu steps in %llu ms: %s", steps_of(vm),
	    (now_us() - from) / 1000, good && !bad ? "equal" : "DIFFERENT");
	for (i = 0; i < vm->nr_regions; i++)
		free(shadow[i]);
	free(s);
	return good && !bad;
}
