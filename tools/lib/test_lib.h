/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of the library's test share. */
#ifndef KCOLO_TEST_LIB_H
#define KCOLO_TEST_LIB_H

#include <stdbool.h>
#include "kcolo.h"

/* test_lib.c */
void ok(bool good, const char *what);
struct kcolo *begin(void);
bool readable(struct kcolo *k);

/* test_handles.c */
void test_handles(void);

/* test_reread.c */
void test_reread(void);

#endif
