/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The side channel: lines of text over TCP between the two kvmm, beside kcolo.
 *
 * primary to secondary:
 *	hash EPOCH HASH		RAM at the pause of this epoch, in hex
 *	skip EPOCH		this epoch is not verified
 *	pages EPOCH REGION FIRST HASH...	asked for by a bad verdict
 *	end EPOCH		of the pages
 *	state EPOCH LENGTH OFFSET BYTES	device state, in hex (carry.h)
 *	ram REGION OFFSET BYTES	RAM before the first epoch, in hex
 *	copied			that was all of it
 *	bye			the primary ends; nothing is to be promoted
 * secondary to primary:
 *	have EPOCH		the hash has arrived
 *	clean			RAM is what was copied, and kcolo knows it
 *	verdict EPOCH ok|bad
 *	differs REGION PAGE	one of the first pages that do
 *	end EPOCH		of the list of pages
 * anybody to secondary:
 *	promote
 */
#ifndef KVMM_SIDE_H
#define KVMM_SIDE_H

#include <stdbool.h>
#include <stddef.h>

#include "types.h"

#define SIDE_LINE_MAX	4096

/**
 * struct side - one connection
 * @fd: -1 when there is none
 */
struct side {
	int fd;
	size_t len;
	char buf[SIDE_LINE_MAX];
};

/* Retries until @ms have passed, then ends the process. */
void side_connect(struct side *side, const char *address, u32 ms);
int side_listen(const char *address);
void side_accept(struct side *side, int listener);
void side_close(struct side *side);
__printf(2, 3) bool side_send(struct side *side, const char *fmt, ...);
/* 1 and a line without its end, 0 after @timeout_ms, -1 when it is closed. */
int side_line(struct side *side, char line[SIDE_LINE_MAX], int timeout_ms);

#endif /* KVMM_SIDE_H */
