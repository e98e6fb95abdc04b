// SPDX-License-Identifier: GPL-2.0
/* A VM: its KVM file, its vCPUs, and what lies in RAM when it starts. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kvmm.h"

extern const u8 guest_image[], guest_image_end[], smm_code[], smm_code_end[];

#define CPUID_ENTRIES	100
#define EXCEPTIONS	32

#define PTE_PRESENT	1
#define PTE_WRITE	2
#define PTE_LARGE	0x80

static int extension(struct vm *vm, int cap)
{
	return ioctl(vm->fd, KVM_CHECK_EXTENSION, cap);
}

static void create_vm(struct vm *vm)
{
	vm->kvm_fd = open(opt.kvm, O_RDWR | O_CLOEXEC);
	if (vm->kvm_fd < 0)
		die(EXIT_USAGE, "%s: %s", opt.kvm, strerror(errno));
	if (ioctl(vm->kvm_fd, KVM_GET_API_VERSION, 0) != KVM_API_VERSION)
		die(EXIT_USAGE, "%s has not the KVM API that is known here",
		    opt.kvm);
	vm->fd = ioctl(vm->kvm_fd, KVM_CREATE_VM, 0);
	if (vm->fd < 0)
		die(EXIT_USAGE, "KVM_CREATE_VM: %s", strerror(errno));
	ioctl(vm->fd, KVM_SET_TSS_ADDR, 0xfffbd000ul);
	log_manual(vm, opt.manual);
	vm->has_smm = opt.smm &&
		extension(vm, KVM_CAP_MULTI_ADDRESS_SPACE) >= 2;
	vm->has_smi = vm->has_smm && opt.smi_each &&
		opt.pattern < PATTERN_NONE &&
		extension(vm, KVM_CAP_X86_SMM) > 0;
	vm->has_readonly = extension(vm, KVM_CAP_READONLY_MEM) > 0;
}

static void create_vcpu(struct vm *vm, u32 index)
{
	struct vcpu *v = &vm->vcpu[index];

	v->vm = vm;
	v->index = index;
	v->fd = ioctl(vm->fd, KVM_CREATE_VCPU, index);
	if (v->fd < 0)
		die(EXIT_USAGE, "KVM_CREATE_VCPU: %s", strerror(errno));
	v->run_size = ioctl(vm->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	v->run = mmap(NULL, v->run_size, PROT_READ | PROT_WRITE, MAP_SHARED,
		      v->fd, 0);
	if (v->run == MAP_FAILED)
		die(EXIT_USAGE, "mmap of a vCPU: %s", strerror(errno));
	if (ioctl(v->fd, KVM_SET_CPUID2, vm->cpuid))
		die(EXIT_USAGE, "KVM_SET_CPUID2: %s", strerror(errno));
}

static void read_cpuid(struct vm *vm)
{
	vm->cpuid = xcalloc(1, sizeof(*vm->cpuid) +
			    CPUID_ENTRIES * sizeof(vm->cpuid->entries[0]));
	vm->cpuid->nent = CPUID_ENTRIES;
	if (ioctl(vm->kvm_fd, KVM_GET_SUPPORTED_CPUID, vm->cpuid))
		die(EXIT_USAGE, "KVM_GET_SUPPORTED_CPUID: %s",
		    strerror(errno));
}

/* The lower half of an interrupt gate of ring 0; the upper half is 0. */
static u64 idt_gate(u64 handler)
{
	return (handler & 0xffff) | 8 << 16 | 0x8e00ull << 32 |
		handler >> 16 << 48;
}

/* Page tables that map the first BOOT_GIB GiB to themselves, and a GDT. */
static void write_boot_area(struct vm *vm)
{
	u8 *ram = vm->region[0].mem;
	u64 *pml4 = (u64 *)(ram + BOOT_PML4);
	u64 *pdpt = (u64 *)(ram + BOOT_PDPT);
	u64 *pd = (u64 *)(ram + BOOT_PD);
	u64 *gdt = (u64 *)(ram + BOOT_GDT);
	u64 *idt = (u64 *)(ram + BOOT_IDT);
	u64 size = guest_image_end - guest_image;
	u64 i;

	pml4[0] = BOOT_PDPT | PTE_PRESENT | PTE_WRITE;
	for (i = 0; i < BOOT_GIB; i++)
		pdpt[i] = (BOOT_PD + (i << KVMM_PAGE_SHIFT)) |
			  PTE_PRESENT | PTE_WRITE;
	for (i = 0; i < BOOT_GIB * 512; i++)
		pd[i] = i << 21 | PTE_PRESENT | PTE_WRITE | PTE_LARGE;
	gdt[1] = 0x00af9b000000ffffull;		/* 64-bit code */
	gdt[2] = 0x00cf93000000ffffull;		/* data */
	for (i = 0; i < EXCEPTIONS; i++)
		idt[2 * i] = idt_gate(BOOT_STUBS + i * 16);
	if (size > BOOT_CODE_MAX)
		die(EXIT_USAGE, "the guest's code is too large");
	memcpy(ram + BOOT_CODE, guest_image, size);
	memcpy(ram + BOOT_SMM_CODE, smm_code, smm_code_end - smm_code);
	for (i = 0; i < opt.vcpus; i++)
		memcpy(vcpu_stream(vm, i), &vm->origin[i],
		       sizeof(struct stream));
}

static struct kvm_segment segment(u16 selector, u8 type, bool code)
{
	return (struct kvm_segment) {
		.limit = ~0u, .selector = selector, .type = type,
		.present = 1, .s = 1, .g = 1, .l = code, .db = !code,
	};
}

static void set_long_mode(struct vcpu *v)
{
	struct kvm_sregs sregs;

	if (ioctl(v->fd, KVM_GET_SREGS, &sregs))
		die(EXIT_USAGE, "KVM_GET_SREGS: %s", strerror(errno));
	sregs.cr0 = 0x80010033;		/* PG WP NE ET MP PE */
	sregs.cr3 = BOOT_PML4;
	sregs.cr4 = 0x620;		/* OSXMMEXCPT OSFXSR PAE */
	sregs.efer = 0x500;		/* LMA LME */
	sregs.gdt.base = BOOT_GDT;
	sregs.gdt.limit = 3 * 8 - 1;
	sregs.idt.base = BOOT_IDT;
	sregs.idt.limit = EXCEPTIONS * 16 - 1;
	sregs.cs = segment(8, 11, true);
	sregs.ds = segment(16, 3, false);
	sregs.es = sregs.ds;
	sregs.fs = sregs.ds;
	sregs.gs = sregs.ds;
	sregs.ss = sregs.ds;
	if (ioctl(v->fd, KVM_SET_SREGS, &sregs))
		die(EXIT_USAGE, "KVM_SET_SREGS: %s", strerror(errno));
}

static void boot_vcpu(struct vcpu *v)
{
	struct kvm_regs regs = {
		.rip = BOOT_CODE,
		.rflags = 2,
		.rdi = BOOT_STREAM + ((u64)v->index << KVMM_PAGE_SHIFT),
		.rsp = BOOT_STACK + (v->index + 1) * BOOT_STACK_SIZE,
	};

	set_long_mode(v);
	if (ioctl(v->fd, KVM_SET_REGS, &regs))
		die(EXIT_USAGE, "KVM_SET_REGS: %s", strerror(errno));
}

static void init_locks(struct vm *vm)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&vm->lock, NULL);
	pthread_mutex_init(&vm->slot_lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&vm->cond, &attr);
	pthread_condattr_destroy(&attr);
}

/* With @boot the guest starts anew, else its state is to be loaded. */
void vm_create(struct vm *vm, bool boot)
{
	u32 i;

	init_locks(vm);
	create_vm(vm);
	ram_init(vm);
	shares_init(vm);
	slots_init(vm);
	read_cpuid(vm);
	for (i = 0; i < opt.vcpus; i++)
		create_vcpu(vm, i);
	if (!boot)
		return;
	write_boot_area(vm);
	for (i = 0; i < opt.vcpus; i++)
		boot_vcpu(&vm->vcpu[i]);
}

void vm_destroy(struct vm *vm)
{
	struct vcpu *v;

	vm->quit = true;
	vm_resume(vm);
	churn_stop(vm);
	toggle_stop(vm);
	for (v = vm->vcpu; v < vm->vcpu + opt.vcpus; v++) {
		if (v->started) {
			v->run->immediate_exit = 1;
			pthread_kill(v->thread, SIGUSR1);
			pthread_join(v->thread, NULL);
		}
		munmap(v->run, v->run_size);
		close(v->fd);
	}
	if (vm->device.started)
		pthread_join(vm->device.thread, NULL);
	close(vm->fd);
	close(vm->kvm_fd);
	free(vm->cpuid);
	ram_free(vm);
}
