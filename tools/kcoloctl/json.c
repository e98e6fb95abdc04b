// SPDX-License-Identifier: GPL-2.0
/*
 * json-c, with its failures looked at: all of them are want of memory.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "kcoloctl.h"
#include "show.h"

/**
 * json_checked - what was asked for is there
 * @p: of malloc() or json-c
 *
 * Return: @p; not at all when it is NULL.
 */
void *json_checked(void *p)
{
	if (p)
		return p;
	complain("out of memory");
	exit(EXIT_REFUSED);
}

/**
 * json_new - an object
 *
 * Return: one that the caller puts.
 */
struct json_object *json_new(void)
{
	return json_checked(json_object_new_object());
}

/**
 * json_add - add a member
 * @o: object
 * @key: name of the member
 * @v: value, given to @o; NULL is null
 */
void json_add(struct json_object *o, const char *key, struct json_object *v)
{
	if (json_object_object_add(o, key, v))
		json_checked(NULL);
}

/**
 * json_add_u64 - add a number
 * @o: object
 * @key: name of the member
 * @v: value
 */
void json_add_u64(struct json_object *o, const char *key, uint64_t v)
{
	json_add(o, key, json_checked(json_object_new_uint64(v)));
}

/**
 * json_add_bool - add a truth
 * @o: object
 * @key: name of the member
 * @v: value
 */
void json_add_bool(struct json_object *o, const char *key, bool v)
{
	json_add(o, key, json_checked(json_object_new_boolean(v)));
}

/**
 * json_add_string - add a string
 * @o: object
 * @key: name of the member
 * @v: value; "" is null. JSON is UTF-8, which it need not be.
 */
void json_add_string(struct json_object *o, const char *key, const char *v)
{
	size_t len = PLAIN_MAX(strlen(v));
	char *buf = json_checked(malloc(len));

	ascii(v, buf, len);
	json_add(o, key, v[0] ? json_checked(json_object_new_string(buf)) : NULL);
	free(buf);
}

/**
 * json_add_raw - add a string as it is
 * @o: object that is not printed as JSON
 * @key: name of the member
 * @v: value, any bytes; "" is null
 */
void json_add_raw(struct json_object *o, const char *key, const char *v)
{
	json_add(o, key, v[0] ? json_checked(json_object_new_string(v)) : NULL);
}

/**
 * json_text - a string that an object has
 * @o: object
 * @key: name of the member
 *
 * Return: its value, or "".
 */
const char *json_text(struct json_object *o, const char *key)
{
	struct json_object *v = json_object_object_get(o, key);

	return v ? json_object_get_string(v) : "";
}

/**
 * json_add_word - add a value of an enum
 * @o: object
 * @key: name of the member
 * @name: of the value, NULL when it is not known
 * @value: value
 */
void json_add_word(struct json_object *o, const char *key, const char *name,
		   unsigned int value)
{
	char buf[WORD_MAX];

	json_add_string(o, key, word(name, value, buf));
}

/**
 * json_append - add to an array
 * @array: array
 * @v: value, given to @array
 */
void json_append(struct json_object *array, struct json_object *v)
{
	if (json_object_array_add(array, v))
		json_checked(NULL);
}

/**
 * json_print - print on one line, or for people
 * @o: what; put
 * @pretty: on several lines
 */
void json_print(struct json_object *o, bool pretty)
{
	int flags = JSON_C_TO_STRING_NOSLASHESCAPE;

	flags |= pretty ? JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED :
			  JSON_C_TO_STRING_PLAIN;
	puts(json_checked((void *)json_object_to_json_string_ext(o, flags)));
	json_object_put(o);
}
