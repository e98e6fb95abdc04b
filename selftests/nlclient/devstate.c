// SPDX-License-Identifier: GPL-2.0
/* Device state of the largest size there is, and beyond. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "pair.h"

#define STATE_MAX	(256 * MIB)

static u64 fill(int fd, u64 size, const u8 *chunk)
{
	u64 done = 0;
	ssize_t n;

	while (done < size) {
		n = write(fd, chunk, size - done < 2 * MIB ? size - done :
			  2 * MIB);
		if (n <= 0)
			break;
		done += n;
	}
	return done;
}

static void devstate_large(void)
{
	u8 *chunk = malloc(2 * MIB);
	ssize_t n;
	struct pair p;

	memset(chunk, 0x77, 2 * MIB);
	pair_up(&p, 60000);
	pair_checkpoint(&p);
	pair_write(&p, 0, PAGE, 4);
	pair_ready(&p);
	n = write(p.fda, chunk, 2 * MIB);
	expect(n == MIB, "one write takes %zd bytes", n);
	fill(p.fda, STATE_MAX - MIB, chunk);
	errno = 0;
	n = write(p.fda, chunk, 1);
	expect(n == -1 && errno == EFBIG, "a byte above 256 MiB: %zd, %s", n,
	       strerror(errno));
	n = write(p.fda, chunk, MIB);
	expect(n == -1 && errno == EFBIG, "a MiB above 256 MiB: %zd, %s", n,
	       strerror(errno));
	if (kcolo_abort(p.a))
		fail("abort: %s", kcolo_error(p.a));
	await_state(p.a, KCOLO_STATE_IDLE);
	/* And nothing of that is in the next one. */
	pair_checkpoint(&p);
}

const struct scenario devstate_scenarios[] = {
	{ "devstate-large", "more than 256 MiB: EFBIG, abort, and a good one",
	  devstate_large },
	{ 0 }
};
