// SPDX-License-Identifier: GPL-2.0
/*
 * A line of "events" in text and in JSON. It is made once, as a JSON object, so
 * that both say the same; its strings are as they came until it is printed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include "color.h"
#include "line.h"
#include "show.h"

#define TIME_MAX	48

/**
 * line_new - begin a line
 * @action: exists, create, change or destroy
 * @object: session or region; "-" is all there is
 *
 * Return: a line, for line_print().
 */
struct json_object *line_new(const char *action, const char *object)
{
	struct json_object *line = json_new();

	json_add_raw(line, "action", action);
	json_add_raw(line, "object", object);
	return line;
}

/* ISO 8601, with microseconds and the zone. */
static const char *format_now(char buf[TIME_MAX])
{
	struct timespec now;
	struct tm tm;
	char zone[8];
	size_t n;

	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &tm);
	n = strftime(buf, TIME_MAX, "%Y-%m-%dT%H:%M:%S", &tm);
	strftime(zone, sizeof(zone), "%z", &tm);
	snprintf(buf + n, TIME_MAX - n, ".%06ld%.3s:%s", now.tv_nsec / 1000,
		 zone, zone + 3);
	return buf;
}

static void print_json(const struct line_style *style, struct json_object *line)
{
	struct json_object *o = json_new();
	char buf[TIME_MAX];

	if (style->timestamps)
		json_add_raw(o, "time", format_now(buf));
	json_object_object_foreach(line, key, v) {
		if (json_object_is_type(v, json_type_string))
			json_add_string(o, key, json_object_get_string(v));
		else
			json_add(o, key, json_object_get(v));
	}
	json_print(o, false);
}

/* What is, is said in full; what happens has only what it is about. */
static bool is_nothing(struct json_object *v, bool exists)
{
	if (!v)
		return true;
	if (exists)
		return false;
	if (json_object_is_type(v, json_type_int))
		return !json_object_get_uint64(v);
	return json_object_is_type(v, json_type_string) &&
	       !strcmp(json_object_get_string(v), "none");
}

static void print_value(struct json_object *v)
{
	const char *text = json_object_get_string(v);
	size_t len = QUOTED_MAX(strlen(text));
	char *buf;

	if (json_object_is_type(v, json_type_boolean)) {
		fputs(json_object_get_boolean(v) ? "yes" : "no", stdout);
		return;
	}
	buf = json_checked(malloc(len));
	fputs(quoted(text, buf, len), stdout);
	free(buf);
}

static enum style style_of_action(const char *action)
{
	if (!strcmp(action, "create"))
		return STYLE_GOOD;
	return strcmp(action, "destroy") ? STYLE_HEAD : STYLE_BAD;
}

static void print_text(const struct line_style *style, struct json_object *line)
{
	const char *action = json_text(line, "action");
	bool exists = !strcmp(action, "exists");
	char buf[TIME_MAX];

	if (style->timestamps)
		printf("%s ", format_now(buf));
	printf("%s%s%s %s", paint(style_of_action(action)), action,
	       paint(STYLE_END), json_text(line, "object"));
	json_object_object_foreach(line, key, v) {
		if (!strcmp(key, "action") || !strcmp(key, "object") ||
		    is_nothing(v, exists))
			continue;
		printf(" %s:", key);
		print_value(v);
	}
	putchar('\n');
}

/**
 * line_print - print a line
 * @style: how
 * @line: what; put
 */
void line_print(const struct line_style *style, struct json_object *line)
{
	if (style->cli->json)
		print_json(style, line);
	else
		print_text(style, line);
	json_object_put(line);
}
