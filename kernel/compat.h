/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between the kernels that kcolo builds for, and nothing else.
 * LINUX_VERSION_CODE appears in this file only.
 */
#ifndef KCOLO_COMPAT_H
#define KCOLO_COMPAT_H

#include <linux/version.h>
#include <linux/bvec.h>
#include <linux/kvm_host.h>
#include <linux/mm.h>
#include <linux/net.h>
#include <linux/netlink.h>
#include <linux/socket.h>
#include <linux/uio.h>
#include <net/genetlink.h>
#include <net/sock.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
static inline void vm_flags_set(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags |= flags;
}
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
#define kcolo_kvm_nr_as(kvm)		KVM_ADDRESS_SPACE_NUM
#define KCOLO_KVM_MAX_AS		KVM_ADDRESS_SPACE_NUM
#else
#define kcolo_kvm_nr_as(kvm)		kvm_arch_nr_memslot_as_ids(kvm)
#define KCOLO_KVM_MAX_AS		KVM_MAX_NR_ADDRESS_SPACES
#endif

static inline bool kcolo_slot_is_private(const struct kvm_memory_slot *slot)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
	return false;
#else
	return kvm_slot_can_be_private(slot);
#endif
}

/*
 * Hand pages to TCP without copying them: the caller does not write to them
 * until TCP has dropped its references. Debian's 6.1 defines MSG_SPLICE_PAGES
 * and ignores it, so the version decides. May send less than asked.
 */
static inline int kcolo_splice(struct socket *sock, struct bio_vec *bv,
			       unsigned int nr, size_t len, int flags)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
	return kernel_sendpage(sock, bv->bv_page, bv->bv_offset, bv->bv_len,
			       flags | (nr > 1 ? MSG_MORE |
					MSG_SENDPAGE_NOTLAST : 0));
#else
	struct msghdr msg = { .msg_flags = flags | MSG_SPLICE_PAGES };

	iov_iter_bvec(&msg.msg_iter, ITER_SOURCE, bv, nr, len);
	return sock_sendmsg(sock, &msg);
#endif
}

/*
 * Have a kernel socket hold its network namespace as one of user space does.
 * One that does not loses its timers when it is released, and what was not
 * acknowledged by then is never sent again.
 */
static inline void kcolo_sock_hold_net(struct sock *sk)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
	sk->sk_net_refcnt = 1;
	get_net_track(sock_net(sk), &sk->ns_tracker, GFP_KERNEL);
	sock_inuse_add(sock_net(sk), 1);
#else
	sk_net_refcnt_upgrade(sk);
#endif
}

/*
 * A refusal with numbers or names in it. Before 6.3 an extack holds constant
 * strings only, so there the text is the format's plain twin.
 */
#ifdef NL_SET_ERR_MSG_FMT
#define kcolo_refuse(extack, err, plain, fmt, ...) ({			\
	NL_SET_ERR_MSG_FMT(extack, fmt, ##__VA_ARGS__);			\
	(err);								\
})
#else
#define kcolo_refuse(extack, err, plain, fmt, ...) ({			\
	NL_SET_ERR_MSG(extack, plain);					\
	(err);								\
})
#endif

static inline struct nlattr **kcolo_dump_attrs(struct netlink_callback *cb)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
	return genl_dumpit_info(cb)->attrs;
#else
	return genl_dumpit_info(cb)->info.attrs;
#endif
}

/* Since 6.10 an event knows the source of its strings by itself. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
#define kcolo_trace_str(dst, src)	__assign_str(dst, src)
#else
#define kcolo_trace_str(dst, src)	__assign_str(dst)
#endif

#endif
