/* SPDX-License-Identifier: GPL-2.0 */
/* A line of "events": an action, an object, and keys with values. */
#ifndef KCOLOCTL_LINE_H
#define KCOLOCTL_LINE_H

#include <json-c/json.h>
#include <kcolo.h>
#include "kcoloctl.h"

/**
 * struct line_style - how lines are printed
 * @cli: call; JSON or text
 * @timestamps: when, too
 */
struct line_style {
	const struct cli *cli;
	bool timestamps;
};

struct json_object *line_new(const char *action, const char *object);
void line_print(const struct line_style *style, struct json_object *line);

/* lines.c: of what kcolo has */
struct json_object *line_of_session(const struct kcolo_session_info *info);
struct json_object *line_of_region(const struct kcolo_session_info *info,
				   const struct kcolo_region_info *region);
struct json_object *line_of_event(const struct kcolo_event *ev,
				  const struct kcolo_session_info *info);
void line_add_stats(struct json_object *line, const struct kcolo_stats *stats);

#endif
