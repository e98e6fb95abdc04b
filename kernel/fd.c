// SPDX-License-Identifier: GPL-2.0
/*
 * The session fd: the right to drive a session, and its life. What can be
 * mapped: the scratch area at offset 0 (primary), the log of region n at
 * KCOLO_LOG_OFFSET(n). What can be written: the device state of the open epoch
 * (primary). What can be read: that of the epoch promoted (secondary).
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include "end.h"
#include "fd.h"
#include "session.h"

/* Bytes of device state that one write() takes. */
#define WRITE_MAX	BIT(20)

static void scratch_vm_close(struct vm_area_struct *vma)
{
	struct kcolo_session *s = vma->vm_private_data;

	mutex_lock(&s->scratch.lock);
	if (s->scratch.mm == vma->vm_mm && s->scratch.uaddr == vma->vm_start)
		s->scratch.uaddr = 0;
	s->scratch.gen++;
	mutex_unlock(&s->scratch.lock);
}

static vm_fault_t scratch_vm_fault(struct vm_fault *vmf)
{
	struct kcolo_scratch *scratch;
	vm_fault_t ret = VM_FAULT_SIGBUS;

	scratch = &((struct kcolo_session *)vmf->vma->vm_private_data)->scratch;
	mutex_lock(&scratch->lock);
	if (vmf->pgoff < scratch->nr) {
		vmf->page = scratch->page[vmf->pgoff];
		get_page(vmf->page);
		ret = 0;
	}
	mutex_unlock(&scratch->lock);
	return ret;
}

static vm_fault_t log_vm_fault(struct vm_fault *vmf)
{
	struct kcolo_session *s = vmf->vma->vm_private_data;
	u64 offset = (u64)vmf->pgoff << PAGE_SHIFT;
	unsigned int n = KCOLO_LOG_REGION(offset);
	vm_fault_t ret = VM_FAULT_SIGBUS;
	struct kcolo_region *r;

	offset -= KCOLO_LOG_OFFSET(n);
	mutex_lock(&s->map_lock);
	r = n < KCOLO_MAX_REGIONS ? s->region[n] : NULL;
	if (r && offset < r->log_size) {
		vmf->page = vmalloc_to_page((void *)r->log + offset);
		get_page(vmf->page);
		ret = 0;
	}
	mutex_unlock(&s->map_lock);
	return ret;
}

/* A mapping is whole or not there: parts of one could not be verified. */
static int no_split(struct vm_area_struct *vma, unsigned long addr)
{
	return -EINVAL;
}

static int no_mremap(struct vm_area_struct *vma)
{
	return -EINVAL;
}

static const struct vm_operations_struct scratch_vm_ops = {
	.close = scratch_vm_close,
	.fault = scratch_vm_fault,
	.may_split = no_split,
	.mremap = no_mremap,
};

static const struct vm_operations_struct log_vm_ops = {
	.fault = log_vm_fault,
	.may_split = no_split,
	.mremap = no_mremap,
};

static int mmap_scratch(struct kcolo_session *s, struct vm_area_struct *vma)
{
	int err = -EBUSY;

	if (vma->vm_end - vma->vm_start != KCOLO_SCRATCH_SIZE)
		return -EINVAL;
	mutex_lock(&s->scratch.lock);
	if (!s->scratch.uaddr) {
		s->scratch.uaddr = vma->vm_start;
		s->scratch.mm = vma->vm_mm;
		s->scratch.gen++;
		err = 0;
	}
	mutex_unlock(&s->scratch.lock);
	if (!err)
		vma->vm_ops = &scratch_vm_ops;
	return err;
}

static int mmap_log(struct kcolo_session *s, struct vm_area_struct *vma)
{
	u64 offset = (u64)vma->vm_pgoff << PAGE_SHIFT;
	unsigned int n = KCOLO_LOG_REGION(offset);
	int err = -EINVAL;

	mutex_lock(&s->map_lock);
	if (n < KCOLO_MAX_REGIONS && s->region[n] && s->region[n]->log &&
	    offset == KCOLO_LOG_OFFSET(n) &&
	    vma->vm_end - vma->vm_start == s->region[n]->log_size)
		err = 0;
	mutex_unlock(&s->map_lock);
	if (!err)
		vma->vm_ops = &log_vm_ops;
	return err;
}

static int kcolo_fd_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct kcolo_session *s = file->private_data;

	/* A private mapping would give the writer a copy of its own. */
	if (!(vma->vm_flags & VM_SHARED) ||
	    (!vma->vm_pgoff && s->role != KCOLO_ROLE_PRIMARY))
		return -EINVAL;
	vma->vm_private_data = s;
	vm_flags_set(vma, VM_DONTCOPY | VM_DONTEXPAND | VM_DONTDUMP);
	return vma->vm_pgoff ? mmap_log(s, vma) : mmap_scratch(s, vma);
}

static int devstate_append(struct kcolo_session *s, const void *buf, size_t len)
{
	int err;

	mutex_lock(&s->lock);
	switch (s->state) {
	case KCOLO_STATE_READY:
	case KCOLO_STATE_FLUSHING:
	case KCOLO_STATE_FLUSHED:
		/* An epoch that was given up with the link has none any more. */
		err = -EBUSY;
		if (s->devstate && !test_bit(KCOLO_REQ_COMMIT, &s->req))
			err = kcolo_devstate_reserve(s->devstate,
						     s->devstate->len + len);
		break;
	default:
		err = -EBUSY;
	}
	if (!err) {
		memcpy(s->devstate->data + s->devstate->len, buf, len);
		s->devstate->len += len;
	}
	mutex_unlock(&s->lock);
	return err;
}

static ssize_t kcolo_fd_write(struct file *file, const char __user *ubuf,
			      size_t len, loff_t *ppos)
{
	struct kcolo_session *s = file->private_data;
	void *buf;
	int err;

	if (s->role != KCOLO_ROLE_PRIMARY)
		return -EBADF;
	if (s->external)
		return -EOPNOTSUPP;
	if (!len)
		return 0;
	len = min(len, WRITE_MAX);
	buf = vmemdup_user(ubuf, len);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	err = devstate_append(s, buf, len);
	kvfree(buf);
	return err ? err : len;
}

static ssize_t kcolo_fd_read(struct file *file, char __user *ubuf, size_t len,
			     loff_t *ppos)
{
	struct kcolo_session *s = file->private_data;
	struct kcolo_devstate *ds = NULL;
	ssize_t ret = -EBUSY;

	if (s->role != KCOLO_ROLE_SECONDARY)
		return -EBADF;
	if (s->external)
		return -EOPNOTSUPP;
	/* Before, the next commit could put another one in its place. */
	mutex_lock(&s->lock);
	if (s->state == KCOLO_STATE_PROMOTED) {
		ds = s->saved;
		ret = -ENODATA;	/* with regions that were clean from the start */
	}
	if (ds)
		kref_get(&ds->ref);
	mutex_unlock(&s->lock);
	if (!ds)
		return ret;
	ret = simple_read_from_buffer(ubuf, len, ppos, ds->data, ds->len);
	kcolo_devstate_put(ds);
	return ret;
}

static __poll_t kcolo_fd_poll(struct file *file, poll_table *wait)
{
	struct kcolo_session *s = file->private_data;
	__poll_t mask = 0;

	poll_wait(file, &s->wq, wait);
	switch (READ_ONCE(s->state)) {
	case KCOLO_STATE_CLOSED:
		mask = EPOLLHUP;
		break;
	case KCOLO_STATE_PROMOTED:
		mask = EPOLLIN | EPOLLRDNORM;
		break;
	case KCOLO_STATE_READY:
	case KCOLO_STATE_FLUSHING:
	case KCOLO_STATE_FLUSHED:
		mask = EPOLLOUT | EPOLLWRNORM;
		break;
	default:
		break;
	}
	return mask;
}

static int kcolo_fd_release(struct inode *inode, struct file *file)
{
	struct kcolo_session *s = file->private_data;
	bool meant;

	/*
	 * A close() is meant; a process that is killed, or ends without one,
	 * is a guest that dies, and its peer is to take over.
	 */
	meant = !(current->flags & PF_EXITING) && !READ_ONCE(s->guest.gone);
	kcolo_session_end(s, meant);
	kcolo_session_put(s);
	return 0;
}

static const struct file_operations kcolo_fops = {
	.owner = THIS_MODULE,
	.mmap = kcolo_fd_mmap,
	.read = kcolo_fd_read,
	.write = kcolo_fd_write,
	.poll = kcolo_fd_poll,
	.release = kcolo_fd_release,
	.llseek = default_llseek,
};

/**
 * kcolo_fd_create - make the file of a session
 * @s: reserved session; the file takes a reference of its own
 *
 * The last fput() of it ends the session.
 *
 * Return: a file that the caller owns, or an ERR_PTR.
 */
struct file *kcolo_fd_create(struct kcolo_session *s)
{
	struct file *file;

	file = anon_inode_getfile("[kcolo]", &kcolo_fops, s, O_RDWR);
	if (IS_ERR(file))
		return file;
	file->f_mode |= FMODE_LSEEK | FMODE_PREAD;
	kref_get(&s->ref);
	return file;
}

/**
 * kcolo_fd_session - the session of a file
 * @file: any file, held by the caller
 *
 * Return: a session that lives as long as the file, or NULL when the file is
 * not a session's.
 */
struct kcolo_session *kcolo_fd_session(struct file *file)
{
	return file->f_op == &kcolo_fops ? file->private_data : NULL;
}
