/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KCOLO_AWAIT_H
#define KCOLO_AWAIT_H

#include "session.h"

#define KCOLO_PAUSE_OVER	"the guest was paused for longer than pause-limit"

bool kcolo_interrupted(const struct kcolo_session *s);
enum kcolo_abort_reason kcolo_interruption(struct kcolo_session *s);
enum kcolo_abort_reason kcolo_because(struct kcolo_session *s,
				      enum kcolo_abort_reason reason,
				      const char *why);
enum kcolo_abort_reason kcolo_await_peer(struct kcolo_session *s,
					 enum kcolo_wire_type type);
enum kcolo_abort_reason kcolo_await_agreement(struct kcolo_session *s);
enum kcolo_abort_reason kcolo_await_verdict(struct kcolo_session *s);
enum kcolo_abort_reason kcolo_await_vmm(struct kcolo_session *s,
					enum kcolo_req req);
enum kcolo_abort_reason kcolo_await_log(struct kcolo_session *s);

#endif
