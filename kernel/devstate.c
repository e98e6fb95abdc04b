// SPDX-License-Identifier: GPL-2.0
/* The device state of an epoch: bytes that only the VMM understands. */
#include <linux/mm.h>
#include <linux/slab.h>
#include "gfp.h"
#include "session.h"

static void devstate_free(struct kref *ref)
{
	struct kcolo_devstate *ds = container_of(ref, struct kcolo_devstate,
						 ref);

	kvfree(ds->data);
	kfree(ds);
}

/**
 * kcolo_devstate_new - make an empty device state
 *
 * Return: one with a reference, the caller's, or NULL.
 */
struct kcolo_devstate *kcolo_devstate_new(void)
{
	struct kcolo_devstate *ds = kzalloc(sizeof(*ds), KCOLO_GFP);

	if (ds)
		kref_init(&ds->ref);
	return ds;
}

/**
 * kcolo_devstate_reserve - have room
 * @ds: only the caller writes to it
 * @size: bytes there must be room for
 *
 * Return: 0, -EFBIG when that is more than a device state may have, -ENOMEM.
 */
int kcolo_devstate_reserve(struct kcolo_devstate *ds, size_t size)
{
	size_t cap;
	u8 *data;

	if (size > KCOLO_DEVSTATE_MAX)
		return -EFBIG;
	if (size <= ds->cap)
		return 0;
	cap = max_t(size_t, roundup_pow_of_two(size), PAGE_SIZE);
	data = kvmalloc(cap, KCOLO_GFP);
	if (!data)
		return -ENOMEM;
	if (ds->len)
		memcpy(data, ds->data, ds->len);
	kvfree(ds->data);
	ds->data = data;
	ds->cap = cap;
	return 0;
}

/**
 * kcolo_devstate_put - give a reference back
 * @ds: or NULL
 */
void kcolo_devstate_put(struct kcolo_devstate *ds)
{
	if (ds)
		kref_put(&ds->ref, devstate_free);
}
