/* SPDX-License-Identifier: GPL-2.0 */
/* HELLOs that do not fit, for either end. */
#ifndef KPEER_HELLO_H
#define KPEER_HELLO_H

#include "peer.h"

/**
 * struct misfit - a HELLO with something wrong
 * @name: what is wrong
 * @spoil: changes a HELLO that would fit
 * @error: what the kernel has to say
 */
struct misfit {
	const char *name;
	void (*spoil)(struct kcolo_wire_hello *hello);
	const char *error;
};

extern const struct misfit misfits[];	/* ends with an entry without a name */

/* stray.c: peers that are not the one that is waited for */
void hello_refused(int fd, const char *error);
void stray_peers(void);
void stray_uuid(void);
void stray_drip(void);
void stray_silent(void);
void stray_late(void);
void stray_flood(void);

#endif /* KPEER_HELLO_H */
