// SPDX-License-Identifier: GPL-2.0
#include <signal.h>
#include <stdlib.h>

#include "kvmm.h"

static void on_stop(int sig)
{
	(void)sig;
	asked_to_stop = true;
}

int main(int argc, char **argv)
{
	struct sigaction stop = { .sa_handler = on_stop };

	options_parse(argc, argv);
	report_open();
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGINT, &stop, NULL);
	signal(SIGPIPE, SIG_IGN);
	switch (opt.mode) {
	case MODE_RUN:
		return run_main();
	case MODE_HOLD:
		return hold_main();
	case MODE_PRIMARY:
		return primary_main();
	case MODE_SECONDARY:
		return secondary_main();
	default:
		return EXIT_USAGE;
	}
}
