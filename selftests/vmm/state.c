// SPDX-License-Identifier: GPL-2.0
/*
 * Device state: what a guest is besides its RAM, as one block of bytes. A header
 * with version, length and CRC, then sections; the geometry comes first, and a
 * guest of another geometry is refused.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "kvmm.h"

#define STATE_MAGIC	"KVMMDEV"
#define STATE_VERSION	1
#define GEOMETRY_MAX	512
#define MAX_MSRS	16

struct state_header {
	char magic[8];
	u32 version;
	u32 crc;		/* of all that follows the header */
	u64 length;		/* of all that follows the header */
};

enum section_type {
	SECTION_GEOMETRY,
	SECTION_VCPU,
	SECTION_DEVICE,
	SECTION_PAD,		/* nothing, and much of it */
};

struct section {
	u32 type;
	u32 index;
	u64 length;		/* of the data that follow */
};

struct vcpu_state {
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	struct kvm_xsave xsave;
	struct kvm_xcrs xcrs;
	struct kvm_debugregs debugregs;
	struct kvm_vcpu_events events;
	struct kvm_mp_state mp_state;
	u32 nr_msrs;
	struct kvm_msr_entry msr[MAX_MSRS];
};

static const u32 msrs[] = {
	0x10,			/* TSC */
	0x174, 0x175, 0x176,	/* SYSENTER_CS, ESP, EIP */
	0x277,			/* PAT */
	0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084,	/* STAR .. SYSCALL_MASK */
	0xc0000102,		/* KERNEL_GS_BASE */
	0xc0000103,		/* TSC_AUX */
};

struct one_msr {
	struct kvm_msrs head;
	struct kvm_msr_entry entry;
};

static int msr_call(struct vcpu *v, unsigned long call, u32 index, u64 *value)
{
	struct one_msr msr = {
		.head.nmsrs = 1,
		.entry = { .index = index, .data = *value },
	};
	int ret = ioctl(v->fd, call, &msr);

	*value = msr.entry.data;
	return ret == 1 ? 0 : -1;
}

#define CALL(v, request, arg) do {					\
	if (ioctl((v)->fd, request, arg))				\
		die(EXIT_USAGE, "%s: %s", #request, strerror(errno));	\
} while (0)

static void vcpu_save(struct vcpu *v, struct vcpu_state *s)
{
	u64 value;
	u32 i;

	CALL(v, KVM_GET_REGS, &s->regs);
	CALL(v, KVM_GET_SREGS, &s->sregs);
	CALL(v, KVM_GET_XSAVE, &s->xsave);
	CALL(v, KVM_GET_XCRS, &s->xcrs);
	CALL(v, KVM_GET_DEBUGREGS, &s->debugregs);
	CALL(v, KVM_GET_VCPU_EVENTS, &s->events);
	CALL(v, KVM_GET_MP_STATE, &s->mp_state);
	for (i = 0; i < sizeof(msrs) / sizeof(*msrs); i++) {
		value = 0;
		if (msr_call(v, KVM_GET_MSRS, msrs[i], &value))
			continue;	/* this CPU has none */
		s->msr[s->nr_msrs].index = msrs[i];
		s->msr[s->nr_msrs++].data = value;
	}
}

static void vcpu_load(struct vcpu *v, struct vcpu_state *s)
{
	u64 value;
	u32 i;

	if (s->nr_msrs > MAX_MSRS)
		die(EXIT_MISMATCH, "device state with %u MSRs", s->nr_msrs);
	CALL(v, KVM_SET_SREGS, &s->sregs);
	CALL(v, KVM_SET_REGS, &s->regs);
	CALL(v, KVM_SET_XCRS, &s->xcrs);
	CALL(v, KVM_SET_XSAVE, &s->xsave);
	for (i = 0; i < s->nr_msrs; i++) {
		value = s->msr[i].data;
		if (msr_call(v, KVM_SET_MSRS, s->msr[i].index, &value))
			die(EXIT_USAGE, "cannot set MSR %x to %llx",
			    s->msr[i].index, value);
	}
	CALL(v, KVM_SET_VCPU_EVENTS, &s->events);
	CALL(v, KVM_SET_DEBUGREGS, &s->debugregs);
	CALL(v, KVM_SET_MP_STATE, &s->mp_state);
}

/* What must be the same on both hosts. */
static size_t geometry(struct vm *vm, char *text)
{
	size_t n = 0;
	u32 i;

	memset(text, 0, GEOMETRY_MAX);
	for (i = 0; i < vm->nr_regions; i++)
		n += snprintf(text + n, GEOMETRY_MAX - n, "%s %llu, ",
			      vm->region[i].name, vm->region[i].size);
	n += snprintf(text + n, GEOMETRY_MAX - n,
		      "vcpus %u, seed %llu, pattern %u, content %u, words %u",
		      opt.vcpus, opt.seed, opt.pattern, opt.content,
		      opt.words);
	n += snprintf(text + n, GEOMETRY_MAX - n,
		      ", zero %u, batch %u, hot %llu, span %llu, rate %llu",
		      opt.zero_every, opt.batch, opt.hot, opt.span, opt.rate);
	n += snprintf(text + n, GEOMETRY_MAX - n, ", device %u, bare %u",
		      opt.device, opt.bare_vram);
	return n + 1;
}

struct writer {
	u8 *buf;
	size_t len;
};

static void put(struct writer *w, enum section_type type, u32 index,
		const void *data, size_t len)
{
	struct section section = { type, index, len };

	w->buf = realloc(w->buf, w->len + sizeof(section) + len);
	if (!w->buf)
		die(EXIT_USAGE, "out of memory");
	memcpy(w->buf + w->len, &section, sizeof(section));
	memcpy(w->buf + w->len + sizeof(section), data, len);
	w->len += sizeof(section) + len;
}

static void put_pad(struct writer *w)
{
	void *pad = xcalloc(1, opt.state_pad);

	put(w, SECTION_PAD, 0, pad, opt.state_pad);
	free(pad);
}

/* Of a paused guest. The caller frees what is returned. */
void *state_save(struct vm *vm, size_t *len)
{
	struct state_header header = {
		.magic = STATE_MAGIC, .version = STATE_VERSION,
	};
	struct writer w = { xcalloc(1, sizeof(header)), sizeof(header) };
	struct vcpu_state *state = xcalloc(1, sizeof(*state));
	char text[GEOMETRY_MAX];
	u32 i;

	put(&w, SECTION_GEOMETRY, 0, text, geometry(vm, text));
	for (i = 0; i < opt.vcpus; i++) {
		memset(state, 0, sizeof(*state));
		vcpu_save(&vm->vcpu[i], state);
		put(&w, SECTION_VCPU, i, state, sizeof(*state));
	}
	put(&w, SECTION_DEVICE, 0, &vm->device.state,
	    sizeof(vm->device.state));
	free(state);
	if (opt.state_pad)
		put_pad(&w);
	header.length = w.len - sizeof(header);
	header.crc = crc32_of(w.buf + sizeof(header), header.length);
	memcpy(w.buf, &header, sizeof(header));
	*len = w.len;
	return w.buf;
}

static void load_device(struct vm *vm, const void *data)
{
	u8 *mem[MAX_REGIONS] = {};
	u32 i;

	memcpy(&vm->device.state, data, sizeof(vm->device.state));
	for (i = 0; i < vm->nr_regions; i++)
		mem[i] = vm->region[i].mem;
	stream_to_host(&vm->device.state.stream, mem);
	stream_to_host(&vm->device.state.mailbox, mem);
}

static void load_section(struct vm *vm, const struct section *s,
			 const void *data)
{
	struct vcpu_state *state;
	char text[GEOMETRY_MAX];

	if (s->type == SECTION_GEOMETRY) {
		if (geometry(vm, text) != s->length ||
		    memcmp(text, data, s->length))
			die(EXIT_USAGE, "the state is of another guest: %.*s; this is: %s",
			    (int)s->length, (const char *)data, text);
	} else if (s->type == SECTION_VCPU && s->index < opt.vcpus &&
		   s->length == sizeof(*state)) {
		state = xcalloc(1, sizeof(*state));
		memcpy(state, data, sizeof(*state));
		vcpu_load(&vm->vcpu[s->index], state);
		free(state);
	} else if (s->type == SECTION_DEVICE &&
		   s->length == sizeof(vm->device.state)) {
		load_device(vm, data);
	} else if (s->type != SECTION_PAD) {
		die(EXIT_MISMATCH, "device state: section %u.%u of %llu bytes",
		    s->type, s->index, s->length);
	}
}

/* Into a guest whose threads were not started. Ends the process if it is bad. */
void state_load(struct vm *vm, const void *buf, size_t len)
{
	const u8 *at = buf, *end = at + len;
	struct state_header header;
	struct section section;
	u32 sections = 0;

	if (len < sizeof(header))
		die(EXIT_MISMATCH, "device state of %zu bytes", len);
	memcpy(&header, at, sizeof(header));
	at += sizeof(header);
	if (memcmp(header.magic, STATE_MAGIC, sizeof(header.magic)) ||
	    header.version != STATE_VERSION ||
	    header.length != (u64)(end - at))
		die(EXIT_MISMATCH, "device state: bad header, %zu bytes", len);
	if (crc32_of(at, header.length) != header.crc)
		die(EXIT_MISMATCH, "device state: bad CRC, %zu bytes", len);
	while ((size_t)(end - at) >= sizeof(section)) {
		memcpy(&section, at, sizeof(section));
		at += sizeof(section);
		if (section.length > (u64)(end - at))
			die(EXIT_MISMATCH, "device state: cut section");
		load_section(vm, &section, at);
		at += section.length;
		sections += section.type != SECTION_PAD;
	}
	if (at != end || sections != opt.vcpus + 2)
		die(EXIT_MISMATCH, "device state: %u sections", sections);
}
