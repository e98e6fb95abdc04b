/* SPDX-License-Identifier: GPL-2.0 */
/* What the programs of the tests say, and their clock. */
#ifndef SELFTESTS_SAY_H
#define SELFTESTS_SAY_H

#include <stdarg.h>

#define __attr(x)	__attribute__((x))
#define __printf(a, b)	__attr(__format__(__printf__, a, b))
#define __noreturn	__attr(__noreturn__)
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* A comment in KTAP, @what before it. */
void __printf(2, 0) note_as(const char *what, const char *fmt, va_list ap);
void __printf(1, 2) note(const char *fmt, ...);
/* Ends the scenario's process. */
void __noreturn __printf(1, 2) fail(const char *fmt, ...);
unsigned long long now_ms(void);
void sleep_ms(unsigned int ms);

#endif
