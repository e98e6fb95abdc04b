// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "parse.h"

/* The digits that @text begins with. Return: what follows them, or NULL. */
static const char *digits(const char *text, uint64_t *value)
{
	const char *p;

	*value = 0;
	for (p = text; *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(*value, (uint64_t)10, value) ||
		    __builtin_add_overflow(*value, (uint64_t)(*p - '0'), value))
			return NULL;
	return p == text ? NULL : p;
}

/**
 * parse_number - a decimal number
 * @text: all of it
 * @max: what it may be
 * @value: where to; unchanged on failure
 *
 * Return: whether it is one.
 */
bool parse_number(const char *text, uint64_t max, uint64_t *value)
{
	uint64_t v;
	const char *rest = digits(text, &v);

	if (!rest || *rest || v > max)
		return false;
	*value = v;
	return true;
}

/**
 * parse_size - bytes, with K, M, G or T for powers of 1024
 * @text: all of it
 * @bytes: where to; unchanged on failure
 *
 * Return: whether it is a size that 64 bits can hold.
 */
bool parse_size(const char *text, uint64_t *bytes)
{
	static const char suffixes[] = "KMGT", small[] = "kmgt";
	uint64_t v, unit = 1;
	const char *rest = digits(text, &v), *suffix;

	if (!rest)
		return false;
	if (*rest) {
		suffix = strchr(suffixes, *rest);
		unit <<= 10 * (suffix ? suffix - suffixes + 1 : 0);
		suffix = strchr(small, *rest);
		unit <<= 10 * (suffix ? suffix - small + 1 : 0);
		if (unit == 1 || rest[1])
			return false;
	}
	if (__builtin_mul_overflow(v, unit, &v))
		return false;
	*bytes = v;
	return true;
}

/**
 * parse_time - a time, as 500ms or 2s
 * @text: all of it
 * @unit: what a plain number is in: PARSE_MS or PARSE_S
 * @ms: where to, milliseconds; unchanged on failure
 *
 * Return: whether it is a time that 64 bits can hold.
 */
bool parse_time(const char *text, uint64_t unit, uint64_t *ms)
{
	uint64_t v;
	const char *rest = digits(text, &v);

	if (!rest)
		return false;
	if (!strcmp(rest, "ms"))
		unit = PARSE_MS;
	else if (!strcmp(rest, "s"))
		unit = PARSE_S;
	else if (*rest)
		return false;
	if (__builtin_mul_overflow(v, unit, &v))
		return false;
	*ms = v;
	return true;
}

/**
 * parse_switch - on or off
 * @text: all of it
 * @on: where to; unchanged on failure
 *
 * Return: whether it is one of the two.
 */
bool parse_switch(const char *text, bool *on)
{
	bool is_on = !strcmp(text, "on");

	if (!is_on && strcmp(text, "off"))
		return false;
	*on = is_on;
	return true;
}

/**
 * format_size - bytes in words that parse_size() understands
 * @bytes: exact
 * @buf: where to
 * @len: of @buf, FORMAT_MAX is enough
 *
 * Return: @buf.
 */
const char *format_size(uint64_t bytes, char *buf, size_t len)
{
	static const char * const suffixes[] = { "", "K", "M", "G", "T" };
	unsigned int i = 0;

	while (bytes && !(bytes % 1024) && i < 4) {
		bytes /= 1024;
		i++;
	}
	snprintf(buf, len, "%" PRIu64 "%s", bytes, suffixes[i]);
	return buf;
}

/**
 * format_time - milliseconds in words that parse_time() understands
 * @ms: exact
 * @buf: where to
 * @len: of @buf, FORMAT_MAX is enough
 *
 * Return: @buf.
 */
const char *format_time(uint64_t ms, char *buf, size_t len)
{
	if (ms && !(ms % 1000))
		snprintf(buf, len, "%" PRIu64 "s", ms / 1000);
	else
		snprintf(buf, len, "%" PRIu64 "ms", ms);
	return buf;
}

/* Without the zeroes at the end of a fraction, as in "2.50" or "64.0". */
static void trim(char *number)
{
	size_t n = strlen(number);

	while (n && number[n - 1] == '0')
		number[--n] = '\0';
	if (n && number[n - 1] == '.')
		number[n - 1] = '\0';
}

/**
 * format_bytes - bytes for people: rounded, with a unit
 * @bytes: number
 * @buf: where to
 * @len: of @buf, FORMAT_MAX is enough
 *
 * Return: @buf.
 */
const char *format_bytes(uint64_t bytes, char *buf, size_t len)
{
	static const char * const units[] = {
		"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", NULL
	};
	char number[FORMAT_MAX];
	double v = bytes;
	unsigned int i = 0;

	/* As it is printed: 1023.96 would be 1024.0. */
	while (v >= 1023.95 && units[i + 1]) {
		v /= 1024;
		i++;
	}
	snprintf(number, sizeof(number), "%.1f", v);
	trim(number);
	snprintf(buf, len, "%s %s", number, units[i]);
	return buf;
}

/**
 * format_us - microseconds for people: three digits after the point at most
 * @us: number
 * @buf: where to
 * @len: of @buf, FORMAT_MAX is enough
 *
 * Return: @buf.
 */
const char *format_us(uint64_t us, char *buf, size_t len)
{
	char number[FORMAT_MAX];

	if (us && us < 1000) {
		snprintf(buf, len, "%" PRIu64 " us", us);
		return buf;
	}
	snprintf(number, sizeof(number), "%.3f",
		 us < 1000000 ? us / 1e3 : us / 1e6);
	trim(number);
	snprintf(buf, len, "%s %s", number, us && us < 1000000 ? "ms" : "s");
	return buf;
}

static const char *escape(const char *text, bool (*is_good)(unsigned char),
			  char *buf, size_t len)
{
	size_t n = 0;

	for (; *text && n + sizeof("\\xff") <= len; text++) {
		if (is_good(*text))
			buf[n++] = *text;
		else
			n += snprintf(buf + n, len - n, "\\x%02x",
				      (unsigned char)*text);
	}
	buf[n] = '\0';
	return buf;
}

static bool is_ascii(unsigned char c)
{
	return c < 0x80;
}

static bool is_printable(unsigned char c)
{
	return c >= ' ' && c < 0x7f;
}

/**
 * plain - a text of the kernel's that may have been another's, for a terminal
 * @text: any bytes
 * @buf: where to
 * @len: of @buf, PLAIN_MAX(its length) is enough, else the end is left out
 *
 * A backslash stays one: what is plain does not change.
 *
 * Return: @buf, with \xNN for what is not printable ASCII.
 */
const char *plain(const char *text, char *buf, size_t len)
{
	return escape(text, is_printable, buf, len);
}

/**
 * ascii - such a text for who escapes control characters himself
 * @text: any bytes
 * @buf: where to
 * @len: of @buf, as of plain()
 *
 * Return: @buf, with \xNN for what is not ASCII, and may not be UTF-8 either.
 */
const char *ascii(const char *text, char *buf, size_t len)
{
	return escape(text, is_ascii, buf, len);
}

/**
 * word - a value of an enum in a word
 * @name: the library's, NULL when it does not know the value
 * @value: value, from a newer kernel then
 * @buf: for the latter
 *
 * Return: @name or @buf.
 */
const char *word(const char *name, unsigned int value, char buf[WORD_MAX])
{
	if (name)
		return name;
	snprintf(buf, WORD_MAX, "unknown-%u", value);
	return buf;
}

/* What shells and Python's shlex take for more than itself is quoted, too. */
static bool is_bare(const char *text)
{
	const char *p;

	for (p = text; *p; p++)
		if (!is_printable(*p) || strchr(" \"'\\", *p))
			return false;
	return p != text;
}

/**
 * quoted - a value of a line for scripts, which has to end somewhere
 * @text: any bytes
 * @buf: where to
 * @len: of @buf, QUOTED_MAX(its length) is enough, else the end is left out
 *
 * Return: @buf: @text as it is, or, if it is empty or has spaces, quotes,
 * backslashes or what is not printable ASCII, in double quotes, with \" and \\,
 * and \xNN for what is not printable.
 */
const char *quoted(const char *text, char *buf, size_t len)
{
	size_t n = 0;

	if (is_bare(text)) {
		snprintf(buf, len, "%s", text);
		return buf;
	}
	buf[n++] = '"';
	for (; *text && n + sizeof("\\xff\"") <= len; text++) {
		if (!is_printable(*text))
			n += snprintf(buf + n, len - n, "\\x%02x",
				      (unsigned char)*text);
		else if (*text == '"' || *text == '\\')
			n += snprintf(buf + n, len - n, "\\%c", *text);
		else
			buf[n++] = *text;
	}
	buf[n++] = '"';
	buf[n] = '\0';
	return buf;
}
