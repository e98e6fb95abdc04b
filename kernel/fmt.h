/* SPDX-License-Identifier: GPL-2.0 */
/* Before every other header: how kcolo's lines in the log begin. */
#define pr_fmt(fmt) "kcolo: " fmt
