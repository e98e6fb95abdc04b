/* SPDX-License-Identifier: GPL-2.0 */
/* Numbers, sizes and times in words, and back. */
#ifndef KCOLOCTL_PARSE_H
#define KCOLOCTL_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PARSE_MS	1
#define PARSE_S		1000

/* Enough for any of the format functions. */
#define FORMAT_MAX	32
/* Enough for a name, or "unknown-4294967295". */
#define WORD_MAX	32
/* Enough for a text of so many bytes, each as \xNN. */
#define PLAIN_MAX(len)	(4 * (len) + 1)
#define QUOTED_MAX(len)	(4 * (len) + 3)

bool parse_number(const char *text, uint64_t max, uint64_t *value);
bool parse_size(const char *text, uint64_t *bytes);
bool parse_time(const char *text, uint64_t unit, uint64_t *ms);
bool parse_switch(const char *text, bool *on);
const char *format_size(uint64_t bytes, char *buf, size_t len);
const char *format_time(uint64_t ms, char *buf, size_t len);
const char *format_bytes(uint64_t bytes, char *buf, size_t len);
const char *format_us(uint64_t us, char *buf, size_t len);
const char *plain(const char *text, char *buf, size_t len);
const char *ascii(const char *text, char *buf, size_t len);
const char *quoted(const char *text, char *buf, size_t len);
const char *word(const char *name, unsigned int value, char buf[WORD_MAX]);

#endif
