/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KCOLO_LISTEN_H
#define KCOLO_LISTEN_H

#include "link.h"

struct kcolo_session;

void kcolo_listen_serve(struct kcolo_session *s);

#endif
