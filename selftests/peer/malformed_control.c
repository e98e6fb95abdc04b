// SPDX-License-Identifier: GPL-2.0
/* What may not come on the control connection. */
#include "malformed.h"

#define DEVSTATE_MAX	(256ull << 20)	/* as Documentation/wire-protocol.rst */

static const u8 some[64] = { 1, 2, 3 };

static void bad_magic(struct buf *b)
{
	buf_size(b, 2, 8);
	b->p[3] ^= 0x80;
	buf_fix_header(b, 0);
}

static void bad_type(struct buf *b)
{
	buf_message(b, 0xffff, 2, 0, NULL, 0);
}

static void bad_length(struct buf *b)
{
	buf_message(b, KCOLO_WIRE_PING, 0, 0, some, 1);
}

static void long_state(struct buf *b)
{
	static const u8 state[KCOLO_WIRE_VMSTATE_MAX + 1];

	buf_size(b, 2, sizeof(state));
	buf_message(b, KCOLO_WIRE_VMSTATE_SEND, 2, 0, state, sizeof(state));
}

static void bad_flags(struct buf *b)
{
	buf_message(b, KCOLO_WIRE_PING, 0, 0, NULL, 0);
	b->p[6] = 1;
	buf_fix_header(b, 0);
}

static void header_crc(struct buf *b)
{
	buf_size(b, 2, 8);
	b->p[31] ^= 1;
}

static void body_crc(struct buf *b)
{
	buf_size(b, 2, 8);
	b->p[KCOLO_WIRE_HDR] ^= 1;
}

static void pages_on_control(struct buf *b)
{
	struct pages m = {};

	pages_add(&m, 0, 9, 1, 210);
	pages_put(&m, b, 2, 0);
}

static void request(struct buf *b, u64 epoch)
{
	buf_message(b, KCOLO_WIRE_CHECKPOINT_REQUEST, epoch, 0, NULL, 0);
}

static void request_1(struct buf *b)
{
	request(b, 1);
}

static void request_0(struct buf *b)
{
	request(b, 0);
}

static void request_3(struct buf *b)
{
	request(b, 3);
}

static void put_regions(struct buf *b)
{
	regions_put(b, 2);
}

static void unknown_regions(struct buf *b)
{
	regions_put(b, 1);
	b->p[12] = 2;
	buf_fix_header(b, 0);
}

static void odd_regions(struct buf *b)
{
	static const u8 body[KCOLO_WIRE_REGIONS_HEAD + KCOLO_WIRE_REGION + 1];

	buf_message(b, KCOLO_WIRE_REGIONS, 2, 0, body, sizeof(body));
}

static void size_of_3(struct buf *b)
{
	buf_size(b, 3, 8);
}

static void size_of_2(struct buf *b)
{
	buf_size(b, 2, 8);
}

static void size_too_large(struct buf *b)
{
	buf_size(b, 2, DEVSTATE_MAX + 1);
}

static void size_largest(struct buf *b)
{
	buf_size(b, 2, ~0ull);
}

static void size_twice(struct buf *b)
{
	buf_size(b, 2, 8);
	buf_size(b, 2, 8);
}

static void state_beyond(struct buf *b)
{
	buf_size(b, 2, 10);
	buf_message(b, KCOLO_WIRE_VMSTATE_SEND, 2, 0, some, 11);
}

static void state_more(struct buf *b)
{
	buf_size(b, 2, 10);
	buf_message(b, KCOLO_WIRE_VMSTATE_SEND, 2, 0, some, 10);
	buf_message(b, KCOLO_WIRE_VMSTATE_SEND, 2, 0, some, 1);
}

static void state_without_size(struct buf *b)
{
	buf_message(b, KCOLO_WIRE_VMSTATE_SEND, 2, 0, some, 1);
}

static void end_without_state(struct buf *b)
{
	buf_size(b, 2, 10);
	buf_message(b, KCOLO_WIRE_VMSTATE_SEND, 2, 0, some, 9);
	buf_end(b, 2, STAGED_MESSAGES, STAGED_PAGES);
}

static void end(struct buf *b, u64 messages, u64 pages)
{
	buf_size(b, 2, 0);
	buf_end(b, 2, messages, pages);
}

static void end_fewer_messages(struct buf *b)
{
	end(b, STAGED_MESSAGES - 1, STAGED_PAGES);
}

static void end_fewer_pages(struct buf *b)
{
	end(b, STAGED_MESSAGES, STAGED_PAGES - 1);
}

static void end_more_pages(struct buf *b)
{
	end(b, STAGED_MESSAGES, STAGED_PAGES + 1);
}

static void end_of_1(struct buf *b)
{
	buf_end(b, 1, 1, 9);
}

static void after_end(struct buf *b)
{
	end(b, STAGED_MESSAGES + 1, STAGED_PAGES);
	buf_size(b, 2, 8);
}

static void put_hashes(struct buf *b, u64 first, u32 count, u16 region, u32 len)
{
	const struct kcolo_wire_hashes h = { first, count, region };
	u8 body[KCOLO_WIRE_HASHES_HEAD + 64] = {};

	kcolo_wire_put_hashes(body, &h);
	buf_message(b, KCOLO_WIRE_HASHES, 2, 0, body, KCOLO_WIRE_HASHES_HEAD + len);
}

static void hashes_of_no_region(struct buf *b)
{
	put_hashes(b, 0, 1, NR_REGIONS, 4);
}

static void hashes_beyond(struct buf *b)
{
	put_hashes(b, regions[1].pages - 1, 2, 1, 8);
}

static void hashes_far(struct buf *b)
{
	put_hashes(b, ~0ull, 2, 1, 8);
}

static void hashes_short(struct buf *b)
{
	put_hashes(b, 0, 3, 0, 8);
}

static void hashes_odd(struct buf *b)
{
	put_hashes(b, 0, 1, 0, 7);
}

static void verified(struct buf *b)
{
	u8 body[KCOLO_WIRE_VERIFIED_HEAD] = {};

	buf_message(b, KCOLO_WIRE_VERIFIED, 2, 0, body, sizeof(body));
}

static void hello(struct buf *b)
{
	struct kcolo_wire_hello h;
	u8 body[KCOLO_WIRE_HELLO];

	hello_fill(&h, KCOLO_WIRE_CONTROL);
	kcolo_wire_put_hello(body, &h);
	buf_message(b, KCOLO_WIRE_HELLO_MSG, 2, 0, body, sizeof(body));
}

static void ready(struct buf *b)
{
	buf_message(b, KCOLO_WIRE_CHECKPOINT_READY, 2, 0, NULL, 0);
}

static void reply(struct buf *b)
{
	buf_message(b, KCOLO_WIRE_CHECKPOINT_REPLY, 2, 0, NULL, 0);
}

static void received(struct buf *b)
{
	buf_message(b, KCOLO_WIRE_VMSTATE_RECEIVED, 2, 0, NULL, 0);
}

static void loaded(struct buf *b)
{
	buf_message(b, KCOLO_WIRE_VMSTATE_LOADED, 2, 0, NULL, 0);
}

static void fenced(struct buf *b)
{
	buf_message(b, KCOLO_WIRE_FENCED, 2, 0, NULL, 0);
}

#define C(name, at, make, error, reason) \
	{ name, KCOLO_WIRE_CONTROL, at, make, error, reason }
#define NOT_ITS	"the primary sent a message that is not its to send"
#define NOT_OPEN "a message came for an epoch that is not open"
#define CANNOT	"CHECKPOINT_REQUEST came when no epoch can open"
#define LENGTH	"a message has a length that its type cannot have"
#define MORE	"an epoch has more pages than its end says"
#define SIZE	"VMSTATE_SIZE is too large or came twice"
#define HASHES	"HASHES is not as long as its parts"
#define OUTSIDE	"HASHES reaches outside its region"
#define STATE	"there is more device state than was said"

const struct bad bad_control[] = {
	C("magic", AT_OPEN, bad_magic, "this is not the kcolo protocol", PROTOCOL),
	C("type", AT_OPEN, bad_type,
	  "a message has a type that is not known", PROTOCOL),
	C("length", AT_OPEN, bad_length, LENGTH, PROTOCOL),
	C("VMSTATE_SEND too long", AT_OPEN, long_state, LENGTH, PROTOCOL),
	C("flags", AT_OPEN, bad_flags,
	  "a message has flags that are not known", PROTOCOL),
	C("header's checksum", AT_OPEN, header_crc,
	  "the checksum of a header is wrong", 0),
	C("body's checksum", AT_OPEN, body_crc,
	  "the checksum of a message is wrong", CHECKSUM),
	C("PAGES", AT_OPEN, pages_on_control,
	  "PAGES came on the control connection", PROTOCOL),
	C("REQUEST before REGIONS", AT_CONNECTED, request_1, CANNOT, PROTOCOL),
	C("REQUEST in an epoch", AT_OPEN, request_3, CANNOT, PROTOCOL),
	C("REQUEST of a used epoch", AT_IDLE, request_1,
	  "CHECKPOINT_REQUEST has an epoch that was used", PROTOCOL),
	C("REQUEST of epoch 0", AT_IDLE, request_0,
	  "CHECKPOINT_REQUEST has an epoch that was used", PROTOCOL),
	C("REGIONS in an epoch", AT_OPEN, put_regions,
	  "REGIONS came when an epoch was open", PROTOCOL),
	C("REGIONS of no whole entries", AT_CONNECTED, odd_regions,
	  "REGIONS is not as long as its parts", PROTOCOL),
	C("REGIONS with what is not known", AT_CONNECTED, unknown_regions,
	  "REGIONS says something that is not known", PROTOCOL),
	C("another epoch", AT_OPEN, size_of_3, NOT_OPEN, PROTOCOL),
	C("no epoch", AT_IDLE, size_of_2, NOT_OPEN, PROTOCOL),
	C("END of a committed epoch", AT_IDLE, end_of_1, NOT_OPEN, PROTOCOL),
	C("SIZE too large", AT_OPEN, size_too_large, SIZE, PROTOCOL),
	C("SIZE 2^64-1", AT_OPEN, size_largest, SIZE, PROTOCOL),
	C("SIZE twice", AT_OPEN, size_twice, SIZE, PROTOCOL),
	C("HASHES of no region", AT_OPEN, hashes_of_no_region,
	  "HASHES names a region that is not there", PROTOCOL),
	C("HASHES beyond the region", AT_OPEN, hashes_beyond, OUTSIDE, PROTOCOL),
	C("HASHES from 2^64-1", AT_OPEN, hashes_far, OUTSIDE, PROTOCOL),
	C("HASHES too short", AT_OPEN, hashes_short, HASHES, PROTOCOL),
	C("HASHES of 7 bytes", AT_OPEN, hashes_odd, HASHES, PROTOCOL),
	C("VERIFIED", AT_OPEN, verified, NOT_ITS, PROTOCOL),
	C("more than SIZE", AT_OPEN, state_beyond, STATE, PROTOCOL),
	C("more than SIZE in two", AT_OPEN, state_more, STATE, PROTOCOL),
	C("VMSTATE_SEND without SIZE", AT_OPEN, state_without_size, STATE,
	  PROTOCOL),
	C("END before all of the device state", AT_OPEN, end_without_state,
	  "the device state is not whole at CHECKPOINT_END", PROTOCOL),
	C("END says fewer messages", AT_OPEN, end_fewer_messages, MORE, PROTOCOL),
	C("END says fewer pages", AT_OPEN, end_fewer_pages, MORE, PROTOCOL),
	C("END says more pages", AT_OPEN, end_more_pages, MORE, PROTOCOL),
	C("a message after END", AT_OPEN, after_end, NOT_OPEN, PROTOCOL),
	C("HELLO again", AT_OPEN, hello, NOT_ITS, PROTOCOL),
	C("CHECKPOINT_READY", AT_OPEN, ready, NOT_ITS, PROTOCOL),
	C("CHECKPOINT_REPLY", AT_OPEN, reply, NOT_ITS, PROTOCOL),
	C("VMSTATE_RECEIVED", AT_OPEN, received, NOT_ITS, PROTOCOL),
	C("VMSTATE_LOADED", AT_OPEN, loaded, NOT_ITS, PROTOCOL),
	C("FENCED", AT_OPEN, fenced, NOT_ITS, PROTOCOL),
	{}
};
