// SPDX-License-Identifier: GPL-2.0
/* What a verification needs and leaves: memory that few sessions ever have. */
#include <linux/mm.h>
#include <linux/slab.h>
#include "gfp.h"
#include "verify.h"

/**
 * kcolo_verify_data - a session's place for verifications
 * @s: session; its lock is held
 *
 * Return: it, made if need be, or NULL.
 */
struct kcolo_verify *kcolo_verify_data(struct kcolo_session *s)
{
	lockdep_assert_held(&s->lock);
	if (!s->verify)
		s->verify = kvzalloc(sizeof(*s->verify), KCOLO_GFP);
	return s->verify;
}

/**
 * kcolo_verify_forget - forget what the primary said of its pages
 * @v: of a secondary; the caller's for now
 */
void kcolo_verify_forget(struct kcolo_verify *v)
{
	unsigned int i;

	for (i = 0; i < KCOLO_MAX_REGIONS; i++) {
		kvfree(v->hash[i]);
		v->hash[i] = NULL;
	}
	v->hashed = 0;
	v->open = 0;
}

/**
 * kcolo_verify_free - free what verifications have left
 * @v: of a session that is no more, or NULL
 */
void kcolo_verify_free(struct kcolo_verify *v)
{
	if (v)
		kcolo_verify_forget(v);
	kvfree(v);
}
