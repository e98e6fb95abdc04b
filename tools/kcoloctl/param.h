/* SPDX-License-Identifier: GPL-2.0 */
/* What can be set while a session lives. */
#ifndef KCOLOCTL_PARAM_H
#define KCOLOCTL_PARAM_H

#include <kcolo.h>

bool param_known(const char *name);
const char *param_set(struct kcolo_params *p, const char *name,
		      const char *value);

#endif
