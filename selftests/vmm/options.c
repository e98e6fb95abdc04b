// SPDX-License-Identifier: GPL-2.0
/* The command line. */
#include <stdlib.h>
#include <string.h>

#include "kvmm.h"

enum kind {
	FLAG, NOT_FLAG, NUMBER32, NUMBER64, SIZE, TEXT, CHOICE, RATE, FAULT,
};

/* The modes that have an option, as bits. */
enum {
	RUN = 1 << MODE_RUN,
	PRIMARY = 1 << MODE_PRIMARY,
	SECONDARY = 1 << MODE_SECONDARY,
	HOLD = 1 << MODE_HOLD,
	BOTH = PRIMARY | SECONDARY,
	ALL = RUN | BOTH,
};

struct options opt = {
	.size = { 64 << 20, (16 << 20) + 0x7000, 267 << 12 },
	.vcpus = 1,
	.seed = 1,
	.words = 4,
	.batch = 8,
	.zero_every = 32,
	.hot = 1 << 20,
	.device = true,
	.log = true,
	.dma_rate = 500,
	.smm = true,
	.smi_each = 16,
	.kvm = "/dev/kvm",
	.name = "kvmm",
	.connect_ms = 30000,
	.verify_each = 1,
	.seconds = 2,
	.interval_ms = 100,
	.abort_each = 3,
	.random_ms = 1000,
	.run_on_ms = 500,
	.lost_ms = 5000,
};

static const char *const modes[] = { "run", "primary", "secondary", "hold", NULL };
static const char *const patterns[] = {
	"uniform", "hot", "seq", "sparse", "none", "spin", NULL
};

static const char *const contents[] = { "words", "pages", NULL };
static const char *const manuals[] = { "initial", "plain", "off", NULL };
static const char *const kinds[] = { "periodic", "urgent", "mixed", NULL };
static const char *const promotes[] = { "lost", "command", NULL };
static const char *const switches[] = { "off", "on", NULL };
static const char *const device_states[] = { "session", "external", NULL };
static const char *const moments[] = {
	"none", "precopy", "ready", "flushing", "flushed", "committing",
	"received", "committed", "rand", NULL
};

/* An option, and where its value goes. */
static const struct option_def {
	const char *name;
	enum kind kind;
	u32 modes;
	void *value;
	const void *more;	/* CHOICE: the names; numbers: a bool to set */
	const char *help;
} defs[] = {
	{ "ram", SIZE, ALL, &opt.size[0], NULL,
	  "size of region ram0" },
	{ "ram1", SIZE, ALL, &opt.size[1], NULL,
	  "size of region ram1, 0: none" },
	{ "vram", SIZE, ALL, &opt.size[2], NULL,
	  "size of region vram, 0: none" },
	{ "join", FLAG, ALL, &opt.join, NULL,
	  "ram1 follows ram0, and a memslot has parts of both" },
	{ "memfd", FLAG, ALL, &opt.memfd, NULL,
	  "RAM is a shared memfd" },
	{ "vcpus", NUMBER32, ALL, &opt.vcpus, NULL,
	  "1 to 4" },
	{ "nice", NUMBER32, ALL, &opt.nice, NULL,
	  "of the vCPU threads: the guest leaves more of a busy CPU to others" },
	{ "seed", NUMBER64, ALL, &opt.seed, NULL,
	  "of what is written" },
	{ "pattern", CHOICE, ALL, &opt.pattern, patterns,
	  "which pages are written" },
	{ "content", CHOICE, ALL, &opt.content, contents,
	  "what is written to a page" },
	{ "words", NUMBER32, ALL, &opt.words, NULL,
	  "words a step, with --content words" },
	{ "batch", NUMBER32, ALL, &opt.batch, NULL,
	  "steps between two exits" },
	{ "zero-every", NUMBER32, ALL, &opt.zero_every, NULL,
	  "one step in N writes zeroes, 0: none" },
	{ "hot", SIZE, ALL, &opt.hot, NULL,
	  "size of the hot set of --pattern hot" },
	{ "span", SIZE, ALL, &opt.span, NULL,
	  "the vCPUs write so much of RAM only" },
	{ "rate", RATE, ALL, &opt.rate, NULL,
	  "SIZE[/TIME]: bytes of pages written while the guest runs, e.g. 32M/2s" },
	{ "burst", FLAG, ALL, &opt.burst, NULL,
	  "at the start of each interval, not spread over it" },
	{ "no-device", NOT_FLAG, ALL, &opt.device, NULL,
	  "no DMA thread" },
	{ "no-log", NOT_FLAG, PRIMARY, &opt.log, NULL,
	  "do not log the writes of the VMM: the checks must fail" },
	{ "dma-rate", NUMBER32, ALL, &opt.dma_rate, NULL,
	  "steps of the DMA thread a second" },
	{ "churn", NUMBER32, ALL, &opt.churn_ms, NULL,
	  "change memslots each N ms" },
	{ "churns", NUMBER64, ALL, &opt.churn_count, NULL,
	  "so often, 0: for ever" },
	{ "churn-paused", FLAG, ALL, &opt.churn_paused, NULL,
	  "also in a pause" },
	{ "manual", CHOICE, ALL, &opt.manual, manuals,
	  "KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2; off is the legacy log" },
	{ "late-log", FLAG, PRIMARY, &opt.late_log, NULL,
	  "the guest runs for a while before its memslots log: large pages" },
	{ "toggle-log", NUMBER32, RUN | PRIMARY, &opt.toggle_ms, NULL,
	  "switch that off and on, or on and off, each N ms or so" },
	{ "no-smm", NOT_FLAG, ALL, &opt.smm, NULL,
	  "no memslot in address space 1" },
	{ "bare-vram", FLAG, ALL, &opt.bare_vram, NULL,
	  "no memslot over vram: only the device writes it" },
	{ "smi-each", NUMBER32, ALL, &opt.smi_each, NULL,
	  "an SMI each N batches of the first vCPU, 0: none" },
	{ "kvm", TEXT, ALL | HOLD, &opt.kvm, NULL,
	  "device of KVM" },
	{ "json", TEXT, ALL, &opt.json, NULL,
	  "file for results, - is standard output" },
	{ "quiet", FLAG, ALL, &opt.quiet, NULL,
	  "no progress" },
	{ "verify", FLAG, ALL, &opt.verify, NULL,
	  "replay what was written at the end" },
	{ "seconds", NUMBER32, RUN, &opt.seconds, NULL,
	  "how long to run" },
	{ "interval", NUMBER32, ALL, &opt.interval_ms, NULL,
	  "ms from the end of a checkpoint to the next" },
	{ "name", TEXT, BOTH, &opt.name, NULL,
	  "of the session; KCOLO_FD in the environment is one made before" },
	{ "connect", TEXT, PRIMARY, &opt.address, NULL,
	  "ADDR:PORT of the secondary's session" },
	{ "listen", TEXT, SECONDARY, &opt.address, NULL,
	  "ADDR:PORT of the session" },
	{ "side", TEXT, BOTH, &opt.side, NULL,
	  "ADDR:PORT of the side channel between the two kvmm" },
	{ "connect-timeout", NUMBER32, BOTH, &opt.connect_ms, NULL,
	  "ms to wait for the other end" },
	{ "lost-wait", NUMBER32, BOTH, &opt.lost_ms, NULL,
	  "ms that the guest goes on after the peer is lost, or that it is waited for" },
	{ "verify-each", NUMBER32, BOTH, &opt.verify_each, NULL,
	  "hash all RAM at each Nth checkpoint, 0: never" },
	{ "verify-late", FLAG, PRIMARY, &opt.verify_late, NULL,
	  "hash once the checkpoint is received, for undisturbed pauses" },
	{ "threshold", SIZE, PRIMARY, &opt.threshold, &opt.has_threshold,
	  "as in kcolo" },
	{ "max-iterations", NUMBER32, PRIMARY, &opt.max_iterations, &opt.has_max_iterations,
	  "as in kcolo" },
	{ "min-gain", NUMBER32, PRIMARY, &opt.min_gain, &opt.has_min_gain,
	  "as in kcolo" },
	{ "peer-timeout", NUMBER32, BOTH, &opt.peer_timeout, &opt.has_peer_timeout,
	  "as in kcolo" },
	{ "pause-limit", NUMBER32, PRIMARY, &opt.pause_limit, &opt.has_pause_limit,
	  "as in kcolo" },
	{ "staging-limit", SIZE, SECONDARY, &opt.staging_limit, NULL,
	  "as in kcolo" },
	{ "checksum", CHOICE, PRIMARY, &opt.checksum, switches,
	  "as in kcolo" },
	{ "device-state", CHOICE, BOTH, &opt.external, device_states,
	  "how it gets over; external is the side channel" },
	{ "in-place", FLAG, SECONDARY, &opt.in_place, NULL,
	  "take pages as they come: RAM is a cache, not to be restored" },
	{ "clean", FLAG, BOTH, &opt.clean, NULL,
	  "copy RAM over the side channel, and have kcolo send what is new" },
	{ "log-sync", FLAG, PRIMARY, &opt.log_sync, NULL,
	  "log the writes of the VMM elsewhere, and bring that when asked" },
	{ "log-sync-timeout", NUMBER32, PRIMARY, &opt.log_sync_ms, &opt.has_log_sync_ms,
	  "as in kcolo" },
	{ "log-again", FLAG, PRIMARY, &opt.log_again, NULL,
	  "and a page more each time, so that pre-copy does not end by itself" },
	{ "deaf", FLAG, PRIMARY, &opt.deaf, NULL,
	  "do not answer when asked" },
	{ "count", NUMBER64, BOTH, &opt.count, NULL,
	  "checkpoints to commit, 0: for ever" },
	{ "kind", CHOICE, PRIMARY, &opt.kinds, kinds,
	  "of the checkpoints" },
	{ "lock-step", FLAG, PRIMARY, &opt.lock_step, NULL,
	  "resume at checkpoint-committed" },
	{ "no-events", FLAG, BOTH, &opt.no_events, NULL,
	  "do not subscribe, read the session's state" },
	{ "exit-on-lost", FLAG, PRIMARY, &opt.exit_on_lost, NULL,
	  "end when the peer is lost" },
	{ "extra-region", FLAG, PRIMARY, &opt.extra_region, NULL,
	  "add a region that the secondary lacks, until it is refused" },
	{ "state-pad", SIZE, PRIMARY, &opt.state_pad, NULL,
	  "bytes more of device state: a commit takes so much longer" },
	{ "abort-at", CHOICE, PRIMARY, &opt.abort_at, moments,
	  "abort a checkpoint in this state" },
	{ "abort-each", NUMBER32, PRIMARY, &opt.abort_each, NULL,
	  "each Nth of them, 0: none" },
	{ "abort-first", NUMBER64, PRIMARY, &opt.abort_first, NULL,
	  "the first N of them, too; at precopy in the midst of the full sync" },
	{ "die-at", FAULT, PRIMARY, &opt.die, moments,
	  "STATE:N or rand:N, SIGKILL oneself at checkpoint N" },
	{ "stop-at", FAULT, PRIMARY, &opt.stop, moments,
	  "STATE:N or rand:N, SIGSTOP oneself at checkpoint N" },
	{ "stall-at", FAULT, PRIMARY, &opt.stall, moments,
	  "ready:N or flushed:N, do nothing more for checkpoint N" },
	{ "run-at", FAULT, PRIMARY, &opt.run_at, moments,
	  "STATE:N or rand:N, run the command of --run at checkpoint N, 0 is each" },
	{ "relinks", NUMBER64, PRIMARY, &opt.relinks, NULL,
	  "times that the peer has to come back before --count ends it" },
	{ "plug-at", NUMBER64, PRIMARY, &opt.plug_at, NULL,
	  "plug a DIMM before checkpoint N, on both ends" },
	{ "unplug-at", NUMBER64, PRIMARY, &opt.unplug_at, NULL,
	  "and take it away before checkpoint N" },
	{ "reconnect", FLAG, BOTH, &opt.reconnect, NULL,
	  "a peer that is lost is waited for" },
	{ "run", TEXT, PRIMARY, &opt.run_command, NULL,
	  "what, e.g. 'hostctl kill a'" },
	{ "rand-max", NUMBER32, PRIMARY, &opt.random_ms, NULL,
	  "ms from the checkpoint's start, for rand" },
	{ "promote", CHOICE, SECONDARY, &opt.promote, promotes,
	  "when: the peer is lost, or command: kcoloctl promote, SIGUSR2, promote on --side" },
	{ "promote-after-epoch", NUMBER64, SECONDARY, &opt.promote_epoch, NULL,
	  "promote once this epoch is committed" },
	{ "apply-delay", NUMBER32, SECONDARY, &opt.apply_ms, NULL,
	  "ms from checkpoint-prepared to apply" },
	{ "drop-each", NUMBER32, SECONDARY, &opt.drop_each, NULL,
	  "drop each Nth epoch that is prepared" },
	{ "no-apply", FLAG, SECONDARY, &opt.no_apply, NULL,
	  "leave apply and drop to somebody else" },
	{ "run-on", NUMBER32, SECONDARY | RUN, &opt.run_on_ms, NULL,
	  "ms to run the restored guest" },
	{ "reprotect", TEXT, SECONDARY, &opt.reprotect, NULL,
	  "ADDR:PORT of another secondary, for the guest once it was taken over" },
	{ "reprotect-side", TEXT, SECONDARY, &opt.reprotect_side, NULL,
	  "its --side" },
	{ "linger", NUMBER32, SECONDARY, &opt.linger_ms, NULL,
	  "ms to keep the session afterwards" },
	{ "mute", FLAG, SECONDARY, &opt.mute, NULL,
	  "no side channel after the first commit: the checks must fail" },
	{ "corrupt", FLAG, SECONDARY | RUN, &opt.corrupt, NULL,
	  "change a bit of RAM: the checks must fail" },
};

static __noreturn void show_options(void)
{
	const struct option_def *d;
	char name[40];
	u32 i;

	fputs("usage: kvmm run|primary|secondary|hold [OPTION]...\n", stdout);
	for (d = defs; d < defs + sizeof(defs) / sizeof(*defs); d++) {
		snprintf(name, sizeof(name), "--%s%s", d->name,
			 d->kind == FLAG || d->kind == NOT_FLAG ? "" : " X");
		printf("  %c%c%c %-22s %s", d->modes & RUN ? 'r' : '-',
		       d->modes & PRIMARY ? 'p' : '-',
		       d->modes & SECONDARY ? 's' : '-', name, d->help);
		if (d->kind == CHOICE)
			for (i = 0; ((const char *const *)d->more)[i]; i++)
				printf("%s%s", i ? "|" : ": ",
				       ((const char *const *)d->more)[i]);
		putchar('\n');
	}
	exit(0);
}

static u64 number_of(const struct option_def *d, const char *text, char **end)
{
	u64 value;

	if (*text < '0' || *text > '9')
		die(EXIT_USAGE, "--%s: %s is not a number", d->name, text);
	value = strtoull(text, end, 0);
	return value;
}

static u64 size_of(const struct option_def *d, const char *text, char **end)
{
	u64 value = number_of(d, text, end);

	switch (**end) {
	case 'G':
		value <<= 10;
		fallthrough;
	case 'M':
		value <<= 10;
		fallthrough;
	case 'K':
		value <<= 10;
		++*end;
	}
	return value;
}

static u32 choice(const struct option_def *d, const char *text, size_t len)
{
	const char *const *names = d->more;
	u32 i;

	for (i = 0; names[i]; i++)
		if (strlen(names[i]) == len && !strncmp(names[i], text, len))
			return i;
	die(EXIT_USAGE, "--%s: there is no %.*s", d->name, (int)len, text);
}

/* SIZE, SIZE/2s, SIZE/500ms */
static void rate(const struct option_def *d, const char *text, char **end)
{
	opt.rate = size_of(d, text, end);
	opt.rate_ms = 1000;
	if (**end != '/')
		return;
	opt.rate_ms = number_of(d, *end + 1, end);
	if (!strcmp(*end, "ms")) {
		*end += 2;
	} else if (!strcmp(*end, "s")) {
		opt.rate_ms *= 1000;
		++*end;
	}
}

static void fault(const struct option_def *d, const char *text, char **end)
{
	struct fault *f = d->value;
	const char *colon = strchr(text, ':');

	if (!colon)
		die(EXIT_USAGE, "--%s wants STATE:N", d->name);
	f->moment = choice(d, text, colon - text);
	f->checkpoint = number_of(d, colon + 1, end);
}

static void set(const struct option_def *d, const char *text)
{
	char *end = "";

	switch (d->kind) {
	case FLAG:
	case NOT_FLAG:
		*(bool *)d->value = d->kind == FLAG;
		return;
	case NUMBER32:
		*(u32 *)d->value = number_of(d, text, &end);
		break;
	case NUMBER64:
		*(u64 *)d->value = number_of(d, text, &end);
		break;
	case SIZE:
		*(u64 *)d->value = size_of(d, text, &end);
		break;
	case TEXT:
		*(const char **)d->value = text;
		return;
	case CHOICE:
		if (d->value == &opt.external) {
			opt.external = choice(d, text, strlen(text));
			return;
		}
		*(u32 *)d->value = choice(d, text, strlen(text));
		if (d->value == &opt.checksum)
			opt.has_checksum = true;
		return;
	case RATE:
		rate(d, text, &end);
		break;
	case FAULT:
		fault(d, text, &end);
		break;
	}
	if (*end)
		die(EXIT_USAGE, "--%s: %s is not understood", d->name, text);
	if (d->more && d->kind != FAULT)
		*(bool *)d->more = true;
}

static int parse_one(int argc, char **argv, int i)
{
	const char *arg = argv[i] + 2, *text = strchr(arg, '=');
	size_t len = text ? (size_t)(text - arg) : strlen(arg);
	const struct option_def *d;

	if (strncmp(argv[i], "--", 2))
		die(EXIT_USAGE, "%s is no option; see kvmm --help", argv[i]);
	for (d = defs; d < defs + sizeof(defs) / sizeof(*defs); d++)
		if (strlen(d->name) == len && !strncmp(d->name, arg, len))
			break;
	if (d == defs + sizeof(defs) / sizeof(*defs) ||
	    !(d->modes & 1u << opt.mode))
		die(EXIT_USAGE, "kvmm %s has no option %s", modes[opt.mode],
		    argv[i]);
	if (text) {
		text++;
	} else if (d->kind != FLAG && d->kind != NOT_FLAG) {
		if (++i == argc)
			die(EXIT_USAGE, "--%s wants a value", d->name);
		text = argv[i];
	}
	set(d, text);
	return i;
}

static void check(void)
{
	u32 i;

	for (i = 0; i < MAX_REGIONS; i++)
		if (opt.size[i] % KVMM_PAGE_SIZE)
			die(EXIT_USAGE, "a region has whole pages");
	if (opt.size[0] < 4 << 20)
		die(EXIT_USAGE, "--ram is 4M at least");
	if ((opt.size[1] && opt.size[1] < 1 << 20) ||
	    (opt.size[2] && opt.size[2] < 1 << 20))
		die(EXIT_USAGE, "--ram1 and --vram are 1M at least, or 0");
	if (opt.join && (!opt.size[1] ||
			 opt.size[0] + opt.size[1] > GPA_RAM_MAX))
		die(EXIT_USAGE, "--join has --ram and --ram1, in %llu MiB",
		    GPA_RAM_MAX >> 20);
	if (opt.late_log && opt.memfd)
		die(EXIT_USAGE, "--late-log is for private memory, without --memfd");
	if (opt.mode == MODE_HOLD)
		opt.size[0] = 4 << 20;
	if (!opt.vcpus || opt.vcpus > MAX_VCPUS)
		die(EXIT_USAGE, "--vcpus is 1 to %u", MAX_VCPUS);
	if (!opt.batch || !opt.dma_rate || opt.dma_rate > 1000000)
		die(EXIT_USAGE, "--batch is 1 at least, --dma-rate 1 to 1000000");
	if (opt.rate && (!opt.rate_ms ||
			 opt.rate / KVMM_PAGE_SIZE < opt.vcpus))
		die(EXIT_USAGE, "--rate is a page a vCPU at least");
	if (opt.hot / KVMM_PAGE_SIZE < opt.vcpus)
		die(EXIT_USAGE, "--hot is a page a vCPU at least");
	if (1 << opt.mode & BOTH && !opt.address && !getenv("KCOLO_FD"))
		die(EXIT_USAGE, "--connect, --listen or KCOLO_FD is needed");
	if (!opt.side && (opt.external || opt.clean))
		die(EXIT_USAGE, "--device-state external and --clean need --side");
	opt.reprotect_verify = opt.verify_each;
	if (!opt.side)
		opt.verify_each = 0;
}

void options_parse(int argc, char **argv)
{
	const struct option_def mode = { .name = "mode", .more = modes };
	int i;

	if (argc < 2 || !strcmp(argv[1], "--help") || !strcmp(argv[1], "help"))
		show_options();
	opt.mode = choice(&mode, argv[1], strlen(argv[1]));
	for (i = 2; i < argc; i++)
		i = parse_one(argc, argv, i);
	check();
}
