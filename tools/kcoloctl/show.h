/* SPDX-License-Identifier: GPL-2.0 */
/* Sessions, events and counters in words and in JSON. */
#ifndef KCOLOCTL_SHOW_H
#define KCOLOCTL_SHOW_H

#include <json-c/json.h>
#include <kcolo.h>
#include "parse.h"

/* A name and an error, which may be any bytes, as plain() has them. */
#define NAME_PLAIN	PLAIN_MAX(KCOLO_NAME_MAX)
#define ERROR_PLAIN	PLAIN_MAX(512)

#define ADDR_MAX	80
#define UUID_MAX	40

/* json.c */
void *json_checked(void *p);
struct json_object *json_new(void);
void json_add_raw(struct json_object *o, const char *key, const char *v);
const char *json_text(struct json_object *o, const char *key);
void json_add(struct json_object *o, const char *key, struct json_object *v);
void json_add_u64(struct json_object *o, const char *key, uint64_t v);
void json_add_bool(struct json_object *o, const char *key, bool v);
void json_add_string(struct json_object *o, const char *key, const char *v);
void json_add_word(struct json_object *o, const char *key, const char *name,
		   unsigned int value);
void json_append(struct json_object *array, struct json_object *v);
void json_print(struct json_object *o, bool pretty);

/* show.c */
struct json_object *session_json(const struct kcolo_session_info *info);
const char *format_uuid(const uint8_t uuid[16], char buf[UUID_MAX]);

/* text.c */
void session_text(const struct kcolo_session_info *info,
		  const struct kcolo_stats *stats);

#endif
