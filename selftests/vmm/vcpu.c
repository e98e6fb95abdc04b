// SPDX-License-Identifier: GPL-2.0
/* The vCPU threads: run, serve exits, keep the rate, pause and go on. */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <time.h>

#include "kvmm.h"

/*
 * A guest that its host has held up for longer does not catch up: what one
 * checkpoint has slowed down would be the load of the next.
 */
#define BEHIND_US	100000

__printf(2, 3) static void fail(struct vcpu *v, const char *fmt, ...)
{
	struct vm *vm = v->vm;
	struct kvm_regs regs = {};
	char why[100];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	ioctl(v->fd, KVM_GET_REGS, &regs);
	pthread_mutex_lock(&vm->lock);
	v->dead = true;
	if (!vm->failed[0])
		snprintf(vm->failed, sizeof(vm->failed),
			 "vCPU %u: %s (rip %llx)", v->index, why, regs.rip);
	pthread_cond_broadcast(&vm->cond);
	pthread_mutex_unlock(&vm->lock);
}

/* An access to RAM whose slot is away at the moment: do it on the memory. */
static void serve_mmio(struct vcpu *v)
{
	u64 gpa = v->run->mmio.phys_addr;
	u32 len = v->run->mmio.len;
	void *mem = ram_at(v->vm, gpa, len);

	v->exits_mmio++;
	if (!mem || len > sizeof(v->run->mmio.data)) {
		fail(v, "access of %u bytes to %llx, where nothing is", len,
		     gpa);
	} else if (!v->run->mmio.is_write) {
		memcpy(v->run->mmio.data, mem, len);
	} else {
		memcpy(mem, v->run->mmio.data, len);
		ram_log(v->vm, mem, len);
	}
}

/* Returns whether the guest stands at the end of a batch. */
static bool serve_io(struct vcpu *v)
{
	u32 *data = (u32 *)((u8 *)v->run + v->run->io.data_offset);

	if (v->run->io.direction == KVM_EXIT_IO_IN &&
	    v->run->io.port == PORT_BATCH) {
		*data = atomic_load(&v->vm->window);
		return true;
	}
	if (v->run->io.port == PORT_DETAIL)
		v->detail[v->nr_details++ % MAX_DETAILS] = *data;
	else if (v->run->io.port == PORT_ERROR)
		fail(v, "the guest has found error %u (%x %x %x %x %x)", *data,
		     v->detail[0], v->detail[1], v->detail[2], v->detail[3],
		     v->detail[4]);
	else
		fail(v, "access to port %x", v->run->io.port);
	return false;
}

static bool serve_exit(struct vcpu *v)
{
	switch (v->run->exit_reason) {
	case KVM_EXIT_IO:
		return serve_io(v);
	case KVM_EXIT_MMIO:
		serve_mmio(v);
		return false;
	case KVM_EXIT_HLT:
		return true;
	case KVM_EXIT_INTR:
		return false;
	case KVM_EXIT_INTERNAL_ERROR:
		fail(v, "KVM internal error %u", v->run->internal.suberror);
		return false;
	default:
		fail(v, "exit reason %u", v->run->exit_reason);
		return false;
	}
}

/* Complete what the last exit began, without running the guest. */
static void complete_exit(struct vcpu *v)
{
	v->run->immediate_exit = 1;
	while (!v->dead && !ioctl(v->fd, KVM_RUN, 0))
		serve_exit(v);
	if (!v->dead && errno != EINTR)
		fail(v, "KVM_RUN: %s", strerror(errno));
}

/* Called and returns with the lock held. */
static void park(struct vcpu *v)
{
	struct vm *vm = v->vm;
	u64 from;

	pthread_mutex_unlock(&vm->lock);
	complete_exit(v);
	pthread_mutex_lock(&vm->lock);
	v->parked = true;
	pthread_cond_broadcast(&vm->cond);
	from = now_us();
	while ((vm->pausing || v->dead) && !vm->quit)
		pthread_cond_wait(&vm->cond, &vm->lock);
	/* The rate is one of the time that the guest runs. */
	if (v->paced_from)
		v->paced_from += now_us() - from;
	v->parked = false;
	v->run->immediate_exit = 0;
	pthread_cond_broadcast(&vm->cond);
}

static void wait_until(struct vm *vm, u64 us)
{
	struct timespec ts = { us / 1000000, (long)(us % 1000000) * 1000 };

	while (!vm->pausing && !vm->quit && now_us() < us)
		pthread_cond_timedwait(&vm->cond, &vm->lock, &ts);
}

/* At the end of a batch: wait until the next is due. With the lock held. */
static void pace(struct vcpu *v)
{
	u64 per = opt.rate / KVMM_PAGE_SIZE / opt.vcpus;
	u64 now = now_us(), interval = opt.rate_ms * 1000, due;
	u64 behind = opt.burst || interval < BEHIND_US ? interval : BEHIND_US;

	if (opt.pattern == PATTERN_NONE)
		return wait_until(v->vm, now + 1000);
	if (!opt.rate || opt.pattern == PATTERN_SPIN)
		return;
	if (!v->paced_from)
		v->paced_from = now;
	v->paced_steps += opt.batch;
	due = v->paced_from;
	if (opt.burst)
		due += v->paced_steps / per * interval;
	else
		due += v->paced_steps * interval / per;
	if (now > due + behind) {
		v->paced_from = now;
		v->paced_steps = 0;
		return;
	}
	wait_until(v->vm, due);
}

/* In SMM the vCPU sees the second address space only. */
static void smi(struct vcpu *v)
{
	if (v->index || !v->vm->has_smi || v->batches++ % opt.smi_each)
		return;
	if (ioctl(v->fd, KVM_SMI, 0))
		fail(v, "KVM_SMI: %s", strerror(errno));
}

u32 vm_smis(struct vm *vm)
{
	return *(volatile u32 *)(vm->region[0].mem + BOOT_SMM_COUNT);
}

static void *vcpu_main(void *arg)
{
	struct vcpu *v = arg;
	struct vm *vm = v->vm;
	bool at_batch = false;

	/* Of this thread only: Linux has a niceness for each. */
	if (setpriority(PRIO_PROCESS, 0, opt.nice))
		fail(v, "setpriority: %s", strerror(errno));
	pthread_mutex_lock(&vm->lock);
	while (!vm->quit) {
		if (at_batch)
			pace(v);
		if (v->dead || (vm->pausing && (at_batch || !vm->to_batch))) {
			park(v);
			at_batch = false;
			continue;
		}
		pthread_mutex_unlock(&vm->lock);
		if (at_batch)
			smi(v);
		at_batch = false;
		if (!ioctl(v->fd, KVM_RUN, 0))
			at_batch = serve_exit(v);
		else if (errno != EINTR && errno != EAGAIN)
			fail(v, "KVM_RUN: %s", strerror(errno));
		pthread_mutex_lock(&vm->lock);
	}
	pthread_mutex_unlock(&vm->lock);
	return NULL;
}

static void on_kick(int sig)
{
	(void)sig;	/* it is there to interrupt KVM_RUN */
}

static bool all_parked(struct vm *vm)
{
	u32 i;

	for (i = 0; i < opt.vcpus; i++)
		if (!vm->vcpu[i].parked)
			return false;
	return !vm->device.started || vm->device.parked;
}

static bool any_parked(struct vm *vm)
{
	u32 i;

	for (i = 0; i < opt.vcpus; i++)
		if (vm->vcpu[i].parked && !vm->vcpu[i].dead)
			return true;
	return false;
}

void vm_start(struct vm *vm)
{
	struct sigaction kick = { .sa_handler = on_kick };
	u32 i;

	sigaction(SIGUSR1, &kick, NULL);
	vm->pausing = true;
	for (i = 0; i < opt.vcpus; i++) {
		if (pthread_create(&vm->vcpu[i].thread, NULL, vcpu_main,
				   &vm->vcpu[i]))
			die(EXIT_USAGE, "cannot create a vCPU thread");
		vm->vcpu[i].started = true;
	}
	if (opt.device) {
		if (pthread_create(&vm->device.thread, NULL, device_main, vm))
			die(EXIT_USAGE, "cannot create the device thread");
		vm->device.started = true;
	}
	churn_start(vm);
	vm_pause(vm);
}

static void kick_all(struct vm *vm)
{
	u32 i;

	for (i = 0; i < opt.vcpus; i++) {
		vm->vcpu[i].run->immediate_exit = 1;
		pthread_kill(vm->vcpu[i].thread, SIGUSR1);
	}
}

static void wait_parked(struct vm *vm)
{
	pthread_cond_broadcast(&vm->cond);
	while (!all_parked(vm))
		pthread_cond_wait(&vm->cond, &vm->lock);
}

/* No memslot changes in a pause, unless that is wanted. */
static void hold_slots(struct vm *vm)
{
	if (opt.churn_paused || vm->slots_held)
		return;
	pthread_mutex_lock(&vm->slot_lock);
	vm->slots_held = true;
}

static void release_slots(struct vm *vm)
{
	if (!vm->slots_held)
		return;
	vm->slots_held = false;
	pthread_mutex_unlock(&vm->slot_lock);
}

void vm_pause(struct vm *vm)
{
	pthread_mutex_lock(&vm->lock);
	vm->to_batch = false;
	vm->pausing = true;
	kick_all(vm);
	wait_parked(vm);
	pthread_mutex_unlock(&vm->lock);
	hold_slots(vm);
}

void vm_resume(struct vm *vm)
{
	release_slots(vm);
	pthread_mutex_lock(&vm->lock);
	vm->pausing = false;
	pthread_cond_broadcast(&vm->cond);
	pthread_mutex_unlock(&vm->lock);
}

bool vm_pause_at_batch(struct vm *vm)
{
	vm_resume(vm);
	pthread_mutex_lock(&vm->lock);
	/* Whoever is parked has to move, or it would stay in mid-batch. */
	while (any_parked(vm))
		pthread_cond_wait(&vm->cond, &vm->lock);
	vm->to_batch = true;
	vm->pausing = true;
	wait_parked(vm);
	pthread_mutex_unlock(&vm->lock);
	hold_slots(vm);
	return !vm_failed(vm);
}

bool vm_failed(struct vm *vm)
{
	bool failed;

	pthread_mutex_lock(&vm->lock);
	failed = vm->failed[0];
	pthread_mutex_unlock(&vm->lock);
	return failed;
}
