/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The wire protocol: what the bytes mean. Pure: encode and decode, no sockets,
 * no locks, no allocation. Little-endian. See Documentation/wire-protocol.rst.
 */
#ifndef KCOLO_WIRE_H
#define KCOLO_WIRE_H

#include <linux/types.h>
#ifdef __KERNEL__
#include <linux/crc32c.h>
#else
#include <stdbool.h>
/* Supplied by whoever links this file outside the kernel. */
__u32 crc32c(__u32 crc, const void *data, unsigned int len);
#endif

#define KCOLO_WIRE_MAGIC	0x4f4c434bU	/* "KCLO" */
#define KCOLO_WIRE_VERSION	3
/* Feature of HELLO, alike on both ends: the device state is not of the session. */
#define KCOLO_WIRE_EXTERNAL	0x1ULL
#define KCOLO_WIRE_FEATURES	KCOLO_WIRE_EXTERNAL

#define KCOLO_WIRE_HDR		32
#define KCOLO_WIRE_HELLO	144
#define KCOLO_WIRE_NAME		64
#define KCOLO_WIRE_REGIONS_HEAD	8
#define KCOLO_WIRE_REGION	80
#define KCOLO_WIRE_REGIONS_MAX	64
#define KCOLO_WIRE_PAGES_HEAD	16
#define KCOLO_WIRE_EXTENT	16
#define KCOLO_WIRE_EXTENTS_MAX	256
#define KCOLO_WIRE_PAGES_MAX	256		/* pages of one message */
#define KCOLO_WIRE_END		16
#define KCOLO_WIRE_SIZE		8
#define KCOLO_WIRE_HASHES_HEAD	16
#define KCOLO_WIRE_HASHES_MAX	4096		/* hashes of one message */
#define KCOLO_WIRE_VERIFIED_HEAD	16
#define KCOLO_WIRE_DIFFERENCE	16
#define KCOLO_WIRE_DIFFERENCES_MAX	64
#define KCOLO_WIRE_TEXT_MAX	200
#define KCOLO_WIRE_VMSTATE_MAX	(256U << 10)	/* bytes of one VMSTATE_SEND */
#define KCOLO_WIRE_PAGE_SIZE	4096U
#define KCOLO_WIRE_UUID		16

/* Longest body of a control message. */
#define KCOLO_WIRE_BODY_MAX	KCOLO_WIRE_VMSTATE_MAX

/* Names follow QEMU's COLOMessage where it has one. */
enum kcolo_wire_type {
	KCOLO_WIRE_HELLO_MSG = 1,	/* both ways, first on a connection */
	KCOLO_WIRE_REGIONS,		/* > the regions of the primary */
	KCOLO_WIRE_CHECKPOINT_READY,	/* < they are the secondary's too */
	KCOLO_WIRE_CHECKPOINT_REQUEST,	/* > an epoch opens */
	KCOLO_WIRE_CHECKPOINT_REPLY,	/* < the secondary can take it */
	KCOLO_WIRE_MIGRATE_RAM,		/* > a round begins; arg: its number */
	KCOLO_WIRE_PAGES,		/* > data: pages; arg: round */
	KCOLO_WIRE_VMSTATE_SIZE,	/* > size of the device state */
	KCOLO_WIRE_VMSTATE_SEND,	/* > a part of the device state */
	KCOLO_WIRE_CHECKPOINT_END,	/* > all is sent, and how much */
	KCOLO_WIRE_VMSTATE_RECEIVED,	/* < the epoch is committed */
	KCOLO_WIRE_VMSTATE_LOADED,	/* < and in place */
	KCOLO_WIRE_ABORT,		/* either; arg: abort reason; text */
	KCOLO_WIRE_FENCED,		/* < the secondary has taken over */
	KCOLO_WIRE_PING,		/* either */
	KCOLO_WIRE_PONG,		/* its answer */
	KCOLO_WIRE_CLOSE,		/* either; its session ends, as is meant */
	KCOLO_WIRE_HASHES,		/* > what pages of the epoch are, in the pause */
	KCOLO_WIRE_VERIFIED,		/* < and how many differ once it is in place */
	KCOLO_WIRE_TYPE_END,
};

enum kcolo_wire_channel {
	KCOLO_WIRE_CONTROL,
	KCOLO_WIRE_DATA,
};

enum kcolo_wire_encoding {
	KCOLO_WIRE_RAW = 1,
	KCOLO_WIRE_ZERO,
};

/* Flag of a PAGES message: payload_crc is meant. */
#define KCOLO_WIRE_F_CRC	0x1U
/* Flag of a region: all of its pages come, whatever the secondary has of it. */
#define KCOLO_WIRE_WHOLE	0x1U

/**
 * struct kcolo_wire_hdr - what stands before every message
 * @type: enum kcolo_wire_type
 * @flags: of the type
 * @length: bytes that follow the header
 * @arg: of the type
 * @epoch: the epoch the message belongs to, 0 when to none
 * @crc: CRC32C of the body; of PAGES, of head and extents
 */
struct kcolo_wire_hdr {
	__u16 type;
	__u16 flags;
	__u32 length;
	__u32 arg;
	__u64 epoch;
	__u32 crc;
};

/**
 * struct kcolo_wire_hello - who is there
 * @version: KCOLO_WIRE_VERSION
 * @channel: enum kcolo_wire_channel
 * @role: enum kcolo_role of the sender
 * @page_size: bytes
 * @features: KCOLO_WIRE_FEATURES that the session uses
 * @incarnation: a number the primary makes for each life of its connections
 * @committed: the last epoch known to be committed
 * @uuid: identity of the pair
 * @name: of the session
 */
struct kcolo_wire_hello {
	__u16 version;
	__u16 channel;
	__u32 role;
	__u32 page_size;
	__u64 features;
	__u64 incarnation;
	__u64 committed;
	__u8 uuid[KCOLO_WIRE_UUID];
	char name[KCOLO_WIRE_NAME];
};

/**
 * struct kcolo_wire_region - an entry of REGIONS
 * @size: bytes
 * @flags: KCOLO_WIRE_WHOLE, or 0: what comes builds upon the epoch that stands
 *	before the entries
 * @name: of the region
 */
struct kcolo_wire_region {
	__u64 size;
	__u32 flags;
	char name[KCOLO_WIRE_NAME];
};

/**
 * struct kcolo_wire_pages - what stands before the extents
 * @nr_extents: 1 to KCOLO_WIRE_EXTENTS_MAX
 * @payload_crc: CRC32C of the payload when KCOLO_WIRE_F_CRC is set
 * @payload_len: bytes after the extents
 */
struct kcolo_wire_pages {
	__u32 nr_extents;
	__u32 payload_crc;
	__u32 payload_len;
};

/**
 * struct kcolo_wire_extent - a run of pages
 * @first: index of the first page in the region
 * @count: pages
 * @region: number of the region on the primary
 * @encoding: enum kcolo_wire_encoding
 */
struct kcolo_wire_extent {
	__u64 first;
	__u32 count;
	__u16 region;
	__u8 encoding;
};

/**
 * struct kcolo_wire_end - how much an epoch is
 * @messages: PAGES messages of this epoch on the data connection
 * @pages: pages in them
 */
struct kcolo_wire_end {
	__u64 messages;
	__u64 pages;
};

/**
 * struct kcolo_wire_hashes - what stands before hashes, 4 bytes each
 * @first: index of the first page in the region
 * @count: hashes, a page each
 * @region: number of the region on the primary
 */
struct kcolo_wire_hashes {
	__u64 first;
	__u32 count;
	__u16 region;
};

/**
 * struct kcolo_wire_verified - what stands before the first pages that differ
 * @pages: that were compared
 * @different: that are not equal
 */
struct kcolo_wire_verified {
	__u64 pages;
	__u64 different;
};

void kcolo_wire_put_hdr(__u8 *buf, const struct kcolo_wire_hdr *hdr);
const char *kcolo_wire_get_hdr(const __u8 *buf, struct kcolo_wire_hdr *hdr);
const char *kcolo_wire_check(const struct kcolo_wire_hdr *hdr);

void kcolo_wire_put_hello(__u8 *buf, const struct kcolo_wire_hello *hello);
const char *kcolo_wire_get_hello(const __u8 *buf,
				 struct kcolo_wire_hello *hello);
void kcolo_wire_put_base(__u8 *buf, __u64 base);
__u64 kcolo_wire_get_base(const __u8 *buf);
void kcolo_wire_put_region(__u8 *buf, const struct kcolo_wire_region *region);
int kcolo_wire_name_ok(const char *name);
const char *kcolo_wire_get_region(const __u8 *buf,
				  struct kcolo_wire_region *region);
void kcolo_wire_put_pages(__u8 *buf, const struct kcolo_wire_pages *pages);
const char *kcolo_wire_get_pages(const __u8 *buf, __u32 body_len,
				 struct kcolo_wire_pages *pages);
void kcolo_wire_put_extent(__u8 *buf, const struct kcolo_wire_extent *extent);
void kcolo_wire_get_extent(const __u8 *buf, struct kcolo_wire_extent *extent);
const char *kcolo_wire_check_extents(const __u8 *buf,
				     const struct kcolo_wire_pages *pages,
				     const __u64 *region_pages,
				     unsigned int nr_regions);
void kcolo_wire_put_end(__u8 *buf, const struct kcolo_wire_end *end);
void kcolo_wire_get_end(const __u8 *buf, struct kcolo_wire_end *end);
void kcolo_wire_put_hashes(__u8 *buf, const struct kcolo_wire_hashes *hashes);
const char *kcolo_wire_get_hashes(const __u8 *buf, __u32 body_len,
				  struct kcolo_wire_hashes *hashes);
void kcolo_wire_put_verified(__u8 *buf,
			     const struct kcolo_wire_verified *verified);
const char *kcolo_wire_get_verified(const __u8 *buf, __u32 body_len,
				    struct kcolo_wire_verified *verified);
void kcolo_wire_put_difference(__u8 *buf, __u16 region, __u64 page);
void kcolo_wire_get_difference(const __u8 *buf, __u16 *region, __u64 *page);
void kcolo_wire_put_hash(__u8 *buf, __u32 hash);
__u32 kcolo_wire_get_hash(const __u8 *buf);
void kcolo_wire_put_size(__u8 *buf, __u64 size);
__u64 kcolo_wire_get_size(const __u8 *buf);

#endif
