/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KCOLO_LINK_H
#define KCOLO_LINK_H

#include "transport.h"

struct kcolo_session;

/*
 * Called for each message on the control connection but PING and PONG. @body
 * has hdr->length bytes. Returns NULL, or what is wrong with the message.
 */
typedef const char *(*kcolo_link_fn)(struct kcolo_session *s,
				     const struct kcolo_wire_hdr *hdr,
				     const u8 *body);

int kcolo_link_connect(struct kcolo_session *s, struct kcolo_wire_hello *hello,
		       char *why, size_t len);
int kcolo_link_accept(struct kcolo_session *s, struct kcolo_conn *conn,
		      struct kcolo_wire_hello *hello);
int kcolo_link_greet(struct kcolo_session *s, struct kcolo_conn *conn,
		     enum kcolo_wire_channel channel, u64 incarnation);
void kcolo_link_refuse(struct kcolo_conn *conn, enum kcolo_wire_type type,
		       u32 reason, const char *why);
int kcolo_link_send(struct kcolo_session *s, struct kcolo_wire_hdr *hdr,
		    const void *body, kcolo_away_fn away);
int kcolo_link_say(struct kcolo_session *s, enum kcolo_wire_type type,
		   u64 epoch, u32 arg, const void *body, u32 len);
void kcolo_link_quote(char *to, size_t size, const u8 *text, size_t len);
void kcolo_link_close(struct kcolo_session *s);
void kcolo_link_hear_out(struct kcolo_session *s);
void kcolo_link_receive(struct kcolo_session *s, kcolo_link_fn fn);

#endif
