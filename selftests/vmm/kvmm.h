/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kvmm: a small VMM that kcolo is tested with.
 *
 * What the files share. A struct vm is one guest: regions of RAM, memslots over
 * them, vCPUs, and a device thread that writes RAM from outside KVM. One process
 * can have several (kvmm run has two).
 */
#ifndef KVMM_H
#define KVMM_H

#include <linux/kvm.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <kcolo.h>

#include "layout.h"
#include "stream.h"
#include "types.h"

#define MAX_VCPUS	4
#define MAX_REGIONS	3
#define MAX_SLOTS	24
#define MAX_DETAILS	5
/* The writers: the vCPUs, the device in its share, its mailbox words. */
#define STREAM_DEVICE	MAX_VCPUS
#define STREAM_MAILS	(MAX_VCPUS + 1)
#define MAX_STREAMS	(MAX_VCPUS + 2)

/* What the process exits with. */
enum exit_code {
	EXIT_GOOD,
	EXIT_MISMATCH,		/* RAM is not what it has to be */
	EXIT_USAGE,		/* options, or the host cannot do it */
	EXIT_FENCED,
	EXIT_LOST,		/* the peer is lost, or nothing was committed */
	EXIT_SESSION,		/* kcolo refused, or the session ended */
};

enum mode { MODE_RUN, MODE_PRIMARY, MODE_SECONDARY, MODE_HOLD };
enum manual { MANUAL_INITIAL, MANUAL_PLAIN, MANUAL_OFF };
enum kinds { KINDS_PERIODIC, KINDS_URGENT, KINDS_MIXED };
enum promote { PROMOTE_LOST, PROMOTE_COMMAND };

/* Moments of a checkpoint at which a primary can be told to do something. */
enum moment {
	MOMENT_NONE,
	MOMENT_PRECOPY,
	MOMENT_READY,
	MOMENT_FLUSHING,
	MOMENT_FLUSHED,
	MOMENT_COMMITTING,
	MOMENT_RECEIVED,
	MOMENT_COMMITTED,
	MOMENT_RANDOM,
};

/* When something is to happen to a primary. */
struct fault {
	enum moment moment;
	u64 checkpoint;
};

/* options.c */
struct options {
	enum mode mode;
	/* the guest */
	u64 size[MAX_REGIONS];
	bool join;		/* a memslot has parts of two regions */
	bool memfd;
	u32 vcpus;
	u32 nice;
	u64 seed;
	enum stream_pattern pattern;
	enum stream_content content;
	u32 words;
	u32 batch;
	u32 zero_every;
	u64 hot;
	u64 span;
	u64 rate;		/* bytes each rate_ms, 0: as fast as it goes */
	u64 rate_ms;
	bool burst;
	bool device;
	bool log;		/* tell kcolo of our own writes */
	u32 dma_rate;		/* steps a second */
	u32 churn_ms;
	u64 churn_count;	/* of changes, 0: no end */
	bool churn_paused;
	enum manual manual;
	bool late_log;		/* once the guest has run */
	u32 toggle_ms;		/* between changes of that, 0: none */
	bool smm;
	bool bare_vram;		/* no memslot over it */
	u32 smi_each;		/* batches, 0: never */
	const char *kvm;
	bool corrupt;		/* damage RAM, to see it noticed */
	/* both ends */
	const char *name;
	const char *address;
	const char *side;
	u32 connect_ms;
	u32 verify_each;
	bool verify_late;	/* hash after the commit, not in the pause that counts */
	bool verify;
	bool external;		/* device state over the side channel */
	bool in_place;		/* RAM is a cache */
	bool clean;		/* RAM over the side channel before the first epoch */
	const char *json;
	bool quiet;
	/* run and primary */
	u32 seconds;
	u32 interval_ms;
	u64 count;
	enum kinds kinds;
	bool has_threshold, has_max_iterations, has_min_gain, has_checksum;
	bool has_peer_timeout, has_pause_limit, has_log_sync_ms;
	u64 threshold;
	u32 max_iterations, min_gain, checksum, peer_timeout, pause_limit;
	u32 log_sync_ms;
	bool lock_step;
	bool no_events;
	bool exit_on_lost;
	bool extra_region;
	u64 state_pad;
	bool log_sync, log_again, deaf;
	bool reconnect;
	u64 plug_at, unplug_at;
	u64 relinks;
	const char *reprotect, *reprotect_side;
	u32 reprotect_verify;
	enum moment abort_at;
	u32 abort_each;
	u64 abort_first;
	struct fault die, stop, run_at, stall;
	const char *run_command;
	u32 random_ms;
	/* secondary */
	enum promote promote;
	bool mute;
	u64 promote_epoch;
	u32 run_on_ms;
	u32 linger_ms, lost_ms;
	u32 apply_ms, drop_each;
	bool no_apply;
	u64 staging_limit;
};

extern struct options opt;
void options_parse(int argc, char **argv);

/* util.c */
__noreturn __printf(2, 3) void die(int code, const char *fmt, ...);
__printf(1, 2) void say(const char *fmt, ...);
__printf(1, 2) void complain(const char *fmt, ...);
u64 now_us(void);
void sleep_ms(u32 ms);
void *xcalloc(size_t n, size_t size);
u32 crc32_of(const void *data, size_t len);
u64 random_below(u64 n);	/* not reproducible, not for the guest */
extern atomic_bool asked_to_stop;	/* by SIGTERM or SIGINT */

/* memory.c */
struct region {
	const char *name;
	u64 gpa;
	u64 size;
	u8 *mem;
	u64 *page_hash;		/* of the last ram_hash(), a page each */
	u64 *base_hash;		/* what they were at the last commit */
	u8 *dirtied;		/* since the last commit, a byte a page */
	/* set once the session knows the region; writes are logged there */
	const struct kcolo_region *log;	/* atomic */
	unsigned long *own_log;	/* with --log-sync: where they are logged first */
};

struct slot {
	bool used;
	bool read_only;
	bool alias;
	bool boot;
	u32 as;
	u32 id;
	u64 gpa;
	u32 region;
	u64 offset;
	u64 size;
};

struct vcpu {
	struct vm *vm;
	u32 index;
	int fd;
	struct kvm_run *run;
	size_t run_size;
	pthread_t thread;
	bool started;
	bool parked;
	bool dead;		/* it cannot go on, see vm->failed */
	u64 paced_steps;
	u64 paced_from;		/* us; 0: not begun */
	u64 exits_mmio;
	u64 batches;
	u32 detail[MAX_DETAILS];	/* of an error the guest found */
	u32 nr_details;
};

struct device {
	pthread_t thread;
	bool started;
	bool parked;
	struct device_state {
		struct stream stream;	/* its share */
		struct stream mailbox;	/* words in the pages of the vCPUs */
	} state;
};

/**
 * struct plug - a DIMM
 * @mem: NULL when there is none
 * @counts: it is a part of RAM's hash
 * @leaving: the primary has it no more (secondary)
 */
struct plug {
	u8 *mem;
	struct kcolo_region region;
	bool counts;
	bool leaving;
};

struct vm {
	struct plug plug;
	int kvm_fd;
	int fd;
	struct region region[MAX_REGIONS];
	u32 nr_regions;
	struct kvm_cpuid2 *cpuid;

	struct vcpu vcpu[MAX_VCPUS];
	struct device device;
	/* what each writer's stream begins as */
	struct stream origin[MAX_STREAMS];
	/* where each writer was at the last pause, to count dirtied pages */
	struct stream follower[MAX_STREAMS];
	u64 noted[MAX_STREAMS];	/* steps */

	/* protects what follows, and the flags of vCPUs and device above */
	pthread_mutex_t lock;
	pthread_cond_t cond;
	atomic_bool pausing;
	bool to_batch;		/* park at the end of a batch only */
	atomic_bool quit;
	char failed[160];	/* why the guest cannot go on */

	pthread_mutex_t slot_lock;
	bool slots_held;	/* by who paused the guest */
	struct slot slot[MAX_SLOTS];
	bool logs;		/* slots made from now on do */
	bool has_smm, has_smi, has_readonly;
	atomic_uint window;	/* where the alias is now */
	pthread_t churn_thread;
	atomic_bool churning;
	atomic_ulong churns;
	pthread_t toggle_thread;
	atomic_bool toggling;
	atomic_ulong toggles;
};

void ram_init(struct vm *vm);
void ram_free(struct vm *vm);
u64 ram_hash(struct vm *vm);
u64 ram_pages(const struct vm *vm);
void ram_corrupt(struct vm *vm);	/* change one bit of it */
/* After a write of the VMM's own; @mem lies in a region. */
void ram_log(struct vm *vm, const void *mem, u64 len);
/* Bring what was logged elsewhere to kcolo's log. */
void ram_log_sync(struct vm *vm);
/* Memory behind @len bytes at @gpa, or NULL; the alias has two windows. */
void *ram_at(struct vm *vm, u64 gpa, u64 len);
struct alias {
	u32 region;
	u64 page;
	u64 npages;
};

void ram_alias(const struct vm *vm, struct alias *alias);

/* applied.c */
void applied_note(struct vm *vm);	/* what RAM is at the last ram_hash() */
/*
 * Whether all pages that have changed from note to ram_hash() are in the applied
 * logs; @set is how many those have.
 */
bool applied_check(struct vm *vm, const struct kcolo_region *region, u64 *set);

/* share.c */
void shares_init(struct vm *vm);
u32 device_pages(const struct vm *vm, u32 region);
u32 unmapped_pages(const struct vm *vm, u32 region);
u32 read_only_pages(const struct vm *vm, u32 region);
/* Make the addresses in @s those of @mem, the regions' memory in this process. */
void stream_to_host(struct stream *s, u8 *const mem[MAX_REGIONS]);
struct stream *vcpu_stream(struct vm *vm, u32 index);

/* slots.c */
void slots_init(struct vm *vm);
void slots_log(struct vm *vm);
void slot_set(struct vm *vm, const struct slot *slot, bool present);
struct slot *slot_new(struct vm *vm);
u32 slot_free_id(struct vm *vm);

/* churn.c */
void churn_start(struct vm *vm);
void churn_stop(struct vm *vm);

/* toggle.c */
void log_manual(struct vm *vm, enum manual manual);
void toggle_start(struct vm *vm);
void toggle_stop(struct vm *vm);

/* guest.c */
void vm_create(struct vm *vm, bool boot);
void vm_destroy(struct vm *vm);

/* vcpu.c */
void vm_start(struct vm *vm);		/* threads; the guest begins paused */
void vm_resume(struct vm *vm);
void vm_pause(struct vm *vm);
bool vm_pause_at_batch(struct vm *vm);	/* false: the guest has failed */
bool vm_failed(struct vm *vm);
u32 vm_smis(struct vm *vm);		/* how often the guest was in SMM */

/* device.c */
void *device_main(void *arg);
/* The word that the next step of @s writes in the mailbox of the page at @at. */
u64 *mailbox_word(const struct stream *s, u64 *at, u64 *value);

/* state.c */
void *state_save(struct vm *vm, size_t *len);
void state_load(struct vm *vm, const void *buf, size_t len);

/* replay.c */
/* In a pause: note where all writers are. Returns the steps of all. */
u64 steps_note(struct vm *vm);
u64 dirtied_count(struct vm *vm);
void dirtied_forget(struct vm *vm);	/* distinct pages from note to note */
bool replay_check(struct vm *vm);	/* of a guest paused at a batch */
/* The stream of a writer as it is now, or NULL when there is no such writer. */
struct stream *stream_now(struct vm *vm, u32 index);
u64 steps_of(struct vm *vm);		/* of all writers */

/* report.c */
void report_open(void);
void report_begin(const char *type);
void report_u64(const char *key, u64 value);
void report_str(const char *key, const char *value);
void report_bool(const char *key, bool value);
void report_end(void);

/* faults.c */
void fault_begin(u64 checkpoint);	/* arms what comes at a random time */
void fault_at(enum moment moment, u64 checkpoint);
bool fault_wants(enum moment moment, u64 checkpoint);

/* run.c, protect.c, standby.c: return the exit code */
int run_main(void);
int hold_main(void);
int primary_main(void);
int secondary_main(void);

#endif /* KVMM_H */
