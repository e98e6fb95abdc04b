// SPDX-License-Identifier: GPL-2.0
/*
 * kvmm run: no kcolo. The guest runs and is paused at odd moments; at the end it
 * goes on twice, here and restored in a second VM with a copy of its RAM, and
 * both must have what the replay says. Proves the VMM right by itself.
 */
#include <stdlib.h>
#include <string.h>

#include "kvmm.h"

static void one_pause(struct vm *vm, u64 n)
{
	u64 from = now_us(), steps, dirtied;
	size_t len;
	void *state;

	vm_pause(vm);
	state = state_save(vm, &len);
	steps = steps_note(vm);
	vm_resume(vm);
	from = now_us() - from;
	free(state);
	dirtied = dirtied_count(vm);
	dirtied_forget(vm);

	say("pause %llu: %llu us, state %zu bytes, %llu steps, %llu pages dirtied",
	    n, from, len, steps, dirtied);
	report_begin("pause");
	report_u64("pause_us", from);
	report_u64("state_bytes", len);
	report_u64("steps", steps);
	report_u64("dirtied_pages", dirtied);
	report_end();
}

static void copy_ram(struct vm *to, const struct vm *from)
{
	u32 i;

	for (i = 0; i < from->nr_regions; i++)
		memcpy(to->region[i].mem, from->region[i].mem,
		       from->region[i].size);
}

/* Stop the guest where its RAM can be checked, and check it. */
static bool check(struct vm *vm, const char *which)
{
	bool good = vm_pause_at_batch(vm);
	u64 mmio = 0;
	u32 i;

	for (i = 0; i < opt.vcpus; i++)
		mmio += vm->vcpu[i].exits_mmio;
	say("%s guest: %llu steps, %lu memslot changes, %llu MMIO exits", which,
	    steps_of(vm), atomic_load(&vm->churns), mmio);
	if (opt.corrupt)
		ram_corrupt(vm);
	if (!good)
		complain("%s guest: %s", which, vm->failed);
	else if (opt.verify)
		good = replay_check(vm);
	return good;
}

static bool restore_and_check(struct vm *vm, struct vm *second)
{
	u64 hash, steps;
	size_t len;
	void *state;
	bool good;

	vm_pause(vm);
	state = state_save(vm, &len);
	hash = ram_hash(vm);
	steps = steps_of(vm);
	vm_create(second, false);
	copy_ram(second, vm);
	state_load(second, state, len);
	free(state);
	vm_start(second);
	good = steps_of(second) == steps && ram_hash(second) == hash;
	if (!good)
		complain("the copy is not equal");
	vm_resume(second);
	vm_resume(vm);
	sleep_ms(opt.run_on_ms);
	good &= check(vm, "first");
	good &= check(second, "restored");
	if (steps_of(second) <= steps && opt.pattern < PATTERN_NONE) {
		complain("the restored guest does not go on");
		good = false;
	}
	return good;
}

int run_main(void)
{
	struct vm *vm = xcalloc(2, sizeof(*vm));
	u64 end, n = 0;
	bool good;

	vm_create(&vm[0], true);
	vm_start(&vm[0]);
	vm_resume(&vm[0]);
	toggle_start(&vm[0]);
	end = now_us() + opt.seconds * 1000000ull;
	while (now_us() < end && !asked_to_stop && !vm_failed(&vm[0])) {
		sleep_ms(opt.interval_ms);
		one_pause(&vm[0], ++n);
	}
	good = !vm_failed(&vm[0]);
	if (good)
		good = restore_and_check(&vm[0], &vm[1]);
	else
		complain("%s", vm[0].failed);
	report_begin("summary");
	report_bool("good", good);
	report_u64("steps", steps_of(&vm[0]));
	report_u64("churns", atomic_load(&vm[0].churns));
	report_u64("toggles", atomic_load(&vm[0].toggles));
	report_end();
	vm_destroy(&vm[0]);
	if (vm[1].fd)
		vm_destroy(&vm[1]);
	free(vm);
	return good ? EXIT_GOOD : EXIT_MISMATCH;
}

/*
 * kvmm hold: an idle VM, for as long as the process lives. While there is one,
 * the kernel does not patch its code each time another comes or goes (static
 * keys in the scheduler and in KVM), which emulated hosts do not always survive.
 */
int hold_main(void)
{
	struct vm *vm = xcalloc(1, sizeof(*vm));

	vm_create(vm, false);
	while (!asked_to_stop)
		sleep_ms(1000);
	vm_destroy(vm);
	free(vm);
	return EXIT_GOOD;
}
