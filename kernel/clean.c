// SPDX-License-Identifier: GPL-2.0
/*
 * A session whose VMMs have copied the guest's RAM themselves: every region is
 * what the peer has already, and no full sync is needed.
 */
#include <linux/file.h>
#include <linux/sched.h>
#include "clean.h"
#include "mutate.h"
#include "session.h"

static int refuse(int err, struct netlink_ext_ack *extack)
{
	switch (err) {
	case -ESRCH:
		NL_SET_ERR_MSG(extack, "the VMM has died: delete the session");
		break;
	case -EBADFD:
		NL_SET_ERR_MSG(extack,
			       "the scratch area is not mapped: mmap offset 0 of the session fd");
		break;
	case -EOPNOTSUPP:
		NL_SET_ERR_MSG(extack,
			       "a memslot over a region lacks KVM_MEM_LOG_DIRTY_PAGES or has private memory");
		break;
	case -ESTALE:
		NL_SET_ERR_MSG(extack, KCOLO_LARGE_UNLOGGED);
		break;
	case -EAGAIN:
		NL_SET_ERR_MSG(extack, "the memslots have changed meanwhile: say clean again");
		break;
	case -EINTR:
		NL_SET_ERR_MSG(extack, "interrupted: say clean again");
		break;
	case -ENOMEM:
		break;
	default:
		NL_SET_ERR_MSG(extack, "KVM's dirty log could not be cleared");
	}
	return err;
}

/*
 * The tracker is the worker's, which does not look at it before a checkpoint
 * has begun: for that it takes the session's lock.
 */
static int clean_primary(struct kcolo_session *s, struct netlink_ext_ack *extack)
{
	struct file *vm;
	int err;

	if (s->guest.mm != current->mm) {
		NL_SET_ERR_MSG(extack, "clean is said by the process whose VM it is");
		return -EXDEV;
	}
	vm = kcolo_guest_vm(&s->guest);
	if (!vm)
		return refuse(-ESRCH, extack);
	if (!kcolo_mutant(clean_running) && !kcolo_guest_hold_vcpus(vm)) {
		NL_SET_ERR_MSG(extack, "a vCPU is running: pause the guest first");
		err = -EBUSY;
		goto out;
	}
	err = kcolo_dirty_clean(&s->tracker);
	if (!kcolo_mutant(clean_running))
		kcolo_guest_release_vcpus(vm);
	if (err)
		refuse(err, extack);
	else
		s->synced = true;
out:
	fput(vm);
	return err;
}

/**
 * kcolo_clean - take it that every region is what the peer has already
 * @s: session whose state allows it; its lock is held
 * @extack: where a refusal says what to do
 *
 * A primary forgets what is dirty in all sources, while no vCPU runs; a
 * secondary stages its first epoch, since there is something to protect.
 *
 * Return: 0 or a negative errno.
 */
int kcolo_clean(struct kcolo_session *s, struct netlink_ext_ack *extack)
{
	struct kcolo_region *r;
	unsigned int i;
	int err = 0;

	lockdep_assert_held(&s->lock);

	if (s->regions_agreed || s->committed) {
		NL_SET_ERR_MSG(extack, "the first checkpoint has begun already");
		return -EBUSY;
	}
	if (!kcolo_session_nr_regions(s)) {
		NL_SET_ERR_MSG(extack, "add the regions first");
		return -ENOTCONN;
	}
	if (s->role == KCOLO_ROLE_PRIMARY)
		err = clean_primary(s, extack);
	if (err)
		return err;
	for (i = 0; (r = kcolo_next_region(s, &i)); i++)
		r->based = true;
	s->clean = true;
	return 0;
}
