/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KCOLO_VERIFY_H
#define KCOLO_VERIFY_H

#include "session.h"

/**
 * struct kcolo_difference - a page that is not equal
 * @region: name of its region
 * @page: index in it
 */
struct kcolo_difference {
	char region[KCOLO_NAME_MAX + 1];
	u64 page;
};

/**
 * struct kcolo_verify - what a verification has found, or is about to
 * @epoch: the last that was verified, 0 is none; under session.lock, as the next
 *	four
 * @pages: that were compared
 * @different: that are not equal
 * @nr: entries of @at
 * @at: the first of them
 * @open: secondary: the epoch that @hash is of; of who receives on control while it
 *	is open, and of the worker when it is committed; so the next two
 * @hashed: pages of which there is a hash
 * @hash: a CRC32C a page, by the primary's numbers of regions
 */
struct kcolo_verify {
	u64 epoch;
	u64 pages;
	u64 different;
	unsigned int nr;
	struct kcolo_difference at[KCOLO_WIRE_DIFFERENCES_MAX];
	u64 open;
	u64 hashed;
	u32 *hash[KCOLO_MAX_REGIONS];
};

/* verify_data.c */
struct kcolo_verify *kcolo_verify_data(struct kcolo_session *s);
void kcolo_verify_forget(struct kcolo_verify *v);

/* verify.c */
int kcolo_verify_want(struct kcolo_session *s);
int kcolo_verify_send(struct kcolo_session *s);
const char *kcolo_verify_result(struct kcolo_session *s,
				const struct kcolo_wire_hdr *hdr, const u8 *body);
const char *kcolo_verify_take(struct kcolo_session *s,
			      const struct kcolo_wire_hdr *hdr, const u8 *body);
void kcolo_verify_compare(struct kcolo_session *s);

#endif
