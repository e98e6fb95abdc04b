// SPDX-License-Identifier: GPL-2.0
/*
 * The device thread: emulated DMA. It writes guest RAM from outside KVM, a
 * stream over its own pages and single words in the mailboxes of the vCPUs'
 * pages, and logs each write after it was done.
 */
#include <time.h>

#include "kvmm.h"

#define TICK_MS	10

u64 *mailbox_word(const struct stream *s, u64 *at, u64 *value)
{
	*value = stream_mix(s->seed + s->step);
	return at + KVMM_PAGE_WORDS - 1 - (*value & (STREAM_MAILBOX - 1));
}

static void one_step(struct vm *vm)
{
	struct stream *s = &vm->device.state.stream;
	u64 page, value, *at;

	page = stream_pick(s);
	at = stream_address(s, page);
	stream_fill(s, page, at);
	ram_log(vm, at, KVMM_PAGE_SIZE);
	s->step++;

	s = &vm->device.state.mailbox;
	page = stream_pick(s);
	at = mailbox_word(s, stream_address(s, page), &value);
	*at = value;
	ram_log(vm, at, sizeof(*at));
	s->step++;
}

void *device_main(void *arg)
{
	struct vm *vm = arg;
	u64 last = now_us(), now, due;
	struct timespec ts;

	pthread_mutex_lock(&vm->lock);
	while (!vm->quit) {
		if (vm->pausing) {
			vm->device.parked = true;
			pthread_cond_broadcast(&vm->cond);
			while (vm->pausing && !vm->quit)
				pthread_cond_wait(&vm->cond, &vm->lock);
			vm->device.parked = false;
			last = now_us();
			continue;
		}
		pthread_mutex_unlock(&vm->lock);
		now = now_us();
		for (due = (now - last) * opt.dma_rate / 1000000;
		     due && !vm->pausing; due--) {
			one_step(vm);
			last += 1000000 / opt.dma_rate;
		}
		now += TICK_MS * 1000;
		ts.tv_sec = now / 1000000;
		ts.tv_nsec = (long)(now % 1000000) * 1000;
		pthread_mutex_lock(&vm->lock);
		if (!vm->pausing && !vm->quit)
			pthread_cond_timedwait(&vm->cond, &vm->lock, &ts);
	}
	pthread_mutex_unlock(&vm->lock);
	return NULL;
}
