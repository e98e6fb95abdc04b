/* SPDX-License-Identifier: GPL-2.0 */
/* Colours on stdout. */
#ifndef KCOLOCTL_COLOR_H
#define KCOLOCTL_COLOR_H

#include <kcolo.h>
#include <stdbool.h>

enum color_when {
	COLOR_AUTO,		/* when stdout is a terminal */
	COLOR_ALWAYS,
	COLOR_NEVER,
};

enum style {
	STYLE_END,		/* of any other */
	STYLE_HEAD,
	STYLE_GOOD,
	STYLE_WARN,
	STYLE_BAD,
};

bool color_use(const char *text);
const char *paint(enum style style);
enum style style_of_state(enum kcolo_state state);

#endif
