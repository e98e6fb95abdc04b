// SPDX-License-Identifier: GPL-2.0
/*
 * A page whose next access waits, by userfaultfd: so that a session's thread
 * stands where it touches the VMM's memory, for as long as it is looked at.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "pair.h"

int hold_page(void *page)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = {
		.range = { .start = (uintptr_t)page, .len = PAGE },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) ||
	    ioctl(fd, UFFDIO_REGISTER, &reg))
		fail("userfaultfd: %s", strerror(errno));
	if (madvise(page, PAGE, MADV_DONTNEED))
		fail("madvise: %s", strerror(errno));
	return fd;
}

void await_held(int uffd)
{
	struct pollfd pfd = { .fd = uffd, .events = POLLIN };

	if (poll(&pfd, 1, SOON_MS) != 1 || pfd.revents != POLLIN)
		fail("nobody comes to the page that is held");
}

void let_go(int uffd, void *page)
{
	struct uffdio_zeropage zero = {
		.range = { .start = (uintptr_t)page, .len = PAGE },
	};

	if (ioctl(uffd, UFFDIO_ZEROPAGE, &zero))
		fail("userfaultfd: %s", strerror(errno));
	close(uffd);
}
