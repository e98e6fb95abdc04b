// SPDX-License-Identifier: GPL-2.0
/*
 * The code that runs in the guest, on every vCPU: write the stream, and call
 * the VMM after each batch. Built freestanding, linked to BOOT_CODE.
 *
 * The number of the step is kept in an XMM register and the seed in an MSR as
 * well, so a restore that loses either is noticed here.
 */
#include "layout.h"
#include "stream.h"

static inline u32 port_in(u16 port)
{
	u32 value;

	asm volatile("inl %w1, %0" : "=a" (value) : "Nd" (port) : "memory");
	return value;
}

static inline void port_out(u16 port, u32 value)
{
	asm volatile("outl %0, %w1" : : "a" (value), "Nd" (port) : "memory");
}

static inline u64 msr_read(u32 msr)
{
	u32 low, high;

	asm volatile("rdmsr" : "=a" (low), "=d" (high) : "c" (msr));
	return (u64)high << 32 | low;
}

static inline void msr_write(u32 msr, u64 value)
{
	asm volatile("wrmsr" : : "c" (msr), "a" ((u32)value),
		     "d" ((u32)(value >> 32)));
}

static inline void xmm_set(u64 value)
{
	asm volatile("movq %0, %%xmm15" : : "r" (value));
}

static inline u64 xmm_get(void)
{
	u64 value;

	asm volatile("movq %%xmm15, %0" : "=r" (value));
	return value;
}

static void fail(enum guest_error error)
{
	for (;;)
		port_out(PORT_ERROR, error);
}

void guest_exception(u64 vector, u64 code, u64 rip, u64 address)
{
	port_out(PORT_DETAIL, vector);
	port_out(PORT_DETAIL, code);
	port_out(PORT_DETAIL, rip);
	port_out(PORT_DETAIL, address >> 32);
	port_out(PORT_DETAIL, address);
	fail(GUEST_ERROR_EXCEPTION);
}

static void one_step(struct stream *s)
{
	u64 page = stream_pick(s);
	u64 *at = stream_address(s, page);

	if (!stream_page_good(s, page, at))
		fail(GUEST_ERROR_PAGE);
	stream_fill(s, page, at);
	s->step++;
	xmm_set(s->step);
}

static void idle(struct stream *s)
{
	u32 i;

	for (;;) {
		if (s->pattern == PATTERN_NONE) {
			asm volatile("hlt");
			continue;
		}
		for (i = 0; i < 10000; i++)
			asm volatile("pause");
		s->window = port_in(PORT_BATCH);
	}
}

void guest_main(struct stream *s)
{
	u64 sentinel = s->seed >> 20;	/* canonical */
	u32 i;

	if (s->magic != STREAM_MAGIC)
		fail(GUEST_ERROR_STREAM);
	msr_write(MSR_SENTINEL, sentinel);
	xmm_set(s->step);
	if (s->pattern >= PATTERN_NONE)
		idle(s);
	for (;;) {
		for (i = 0; i < s->batch; i++) {
			if (xmm_get() != s->step)
				fail(GUEST_ERROR_XMM);
			one_step(s);
		}
		if (msr_read(MSR_SENTINEL) != sentinel)
			fail(GUEST_ERROR_MSR);
		s->window = port_in(PORT_BATCH);
	}
}
