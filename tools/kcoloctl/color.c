// SPDX-License-Identifier: GPL-2.0
/*
 * Colours: for a terminal, and for who wants none there is NO_COLOR.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "color.h"

static enum color_when when;

/**
 * color_use - say when there are to be colours
 * @text: auto, always or never
 *
 * Return: whether it is one of them.
 */
bool color_use(const char *text)
{
	static const char * const names[] = {
		[COLOR_AUTO] = "auto",
		[COLOR_ALWAYS] = "always",
		[COLOR_NEVER] = "never",
	};
	enum color_when i;

	for (i = COLOR_AUTO; i <= COLOR_NEVER; i++) {
		if (strcmp(names[i], text))
			continue;
		when = i;
		return true;
	}
	return false;
}

static bool is_set(const char *variable)
{
	const char *value = getenv(variable);

	return value && *value;
}

static bool terminal_has_colors(void)
{
	const char *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && !is_set("NO_COLOR") &&
	       (!term || strcmp(term, "dumb"));
}

/**
 * paint - begin or end a colour on stdout
 * @style: of what follows
 *
 * Return: what to print, which may be nothing.
 */
const char *paint(enum style style)
{
	static const char * const escapes[] = {
		[STYLE_END] = "\033[0m",
		[STYLE_HEAD] = "\033[1m",
		[STYLE_GOOD] = "\033[32m",
		[STYLE_WARN] = "\033[33m",
		[STYLE_BAD] = "\033[31m",
	};

	if (when == COLOR_AUTO)
		when = terminal_has_colors() ? COLOR_ALWAYS : COLOR_NEVER;
	return when == COLOR_ALWAYS ? escapes[style] : "";
}

/**
 * style_of_state - how a state is to look
 * @state: any, one of a newer kernel, too
 *
 * Return: a style.
 */
enum style style_of_state(enum kcolo_state state)
{
	switch (state) {
	case KCOLO_STATE_CONNECTING:
	case KCOLO_STATE_DOUBT:
	case KCOLO_STATE_LOST:
		return STYLE_WARN;
	case KCOLO_STATE_FENCED:
	case KCOLO_STATE_BROKEN:
	case KCOLO_STATE_CLOSED:
		return STYLE_BAD;
	default:
		return STYLE_GOOD;
	}
}
