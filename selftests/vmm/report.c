// SPDX-License-Identifier: GPL-2.0
/* Results for programs: an object of JSON a line. */
#include <errno.h>
#include <string.h>

#include "kvmm.h"

static FILE *out;

void report_open(void)
{
	if (!opt.json)
		return;
	out = strcmp(opt.json, "-") ? fopen(opt.json, "we") : stdout;
	if (!out)
		die(EXIT_USAGE, "%s: %s", opt.json, strerror(errno));
}

static void put_string(const char *s)
{
	fputc('"', out);
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			fputc('\\', out);
		if ((u8)*s >= ' ')
			fputc(*s, out);
	}
	fputc('"', out);
}

void report_begin(const char *type)
{
	if (!out)
		return;
	fputs("{\"type\":", out);
	put_string(type);
}

static bool key_of(const char *key)
{
	if (!out)
		return false;
	fputc(',', out);
	put_string(key);
	fputc(':', out);
	return true;
}

void report_u64(const char *key, u64 value)
{
	if (key_of(key))
		fprintf(out, "%llu", value);
}

void report_str(const char *key, const char *value)
{
	if (key_of(key))
		put_string(value);
}

void report_bool(const char *key, bool value)
{
	if (key_of(key))
		fputs(value ? "true" : "false", out);
}

void report_end(void)
{
	if (!out)
		return;
	fputs("}\n", out);
	fflush(out);
}
