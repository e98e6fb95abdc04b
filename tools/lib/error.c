// SPDX-License-Identifier: LGPL-2.1-or-later
/* The last error of a handle, in words. */
#include <stdarg.h>
#include <stdio.h>
#include "internal.h"

/**
 * kcolo_fail - remember an error in words
 * @k: handle
 * @err: negative errno
 * @fmt: as in printf()
 *
 * Return: @err.
 */
int kcolo_fail(struct kcolo *k, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(k->error, sizeof(k->error), fmt, ap);
	va_end(ap);
	return err;
}

/**
 * kcolo_error - the last error in words
 * @k: handle, or NULL
 *
 * Return: a string that lasts until the next call, never NULL.
 */
const char *kcolo_error(const struct kcolo *k)
{
	if (!k)
		return "there is no handle";
	return k->error[0] ? k->error : "no error";
}
