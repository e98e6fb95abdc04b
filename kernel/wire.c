// SPDX-License-Identifier: GPL-2.0
/*
 * Nothing here trusts what it decodes: a function that can meet bad bytes
 * returns NULL when they are good and otherwise says in words what is wrong.
 */
#ifdef __KERNEL__
#include <linux/string.h>
#else
#include <string.h>
#endif
#include "wire.h"

static void put16(__u8 *p, __u16 v)
{
	p[0] = v;
	p[1] = v >> 8;
}

static void put32(__u8 *p, __u32 v)
{
	put16(p, v);
	put16(p + 2, v >> 16);
}

static void put64(__u8 *p, __u64 v)
{
	put32(p, v);
	put32(p + 4, v >> 32);
}

static __u16 get16(const __u8 *p)
{
	return p[0] | p[1] << 8;
}

static __u32 get32(const __u8 *p)
{
	return get16(p) | (__u32)get16(p + 2) << 16;
}

static __u64 get64(const __u8 *p)
{
	return get32(p) | (__u64)get32(p + 4) << 32;
}

/**
 * kcolo_wire_name_ok - whether a name can be one
 * @name: KCOLO_WIRE_NAME bytes, or fewer that end with a NUL
 *
 * Names are shown on terminals and in JSON: they are printable ASCII without
 * spaces.
 *
 * Return: true when it can.
 */
int kcolo_wire_name_ok(const char *name)
{
	size_t len = strnlen(name, KCOLO_WIRE_NAME), i;

	for (i = 0; i < len; i++)
		if (name[i] <= ' ' || name[i] > '~')
			return 0;
	return len && len < KCOLO_WIRE_NAME;
}

/**
 * kcolo_wire_put_hdr - encode a header
 * @buf: KCOLO_WIRE_HDR bytes
 * @hdr: what to encode
 */
void kcolo_wire_put_hdr(__u8 *buf, const struct kcolo_wire_hdr *hdr)
{
	put32(buf, KCOLO_WIRE_MAGIC);
	put16(buf + 4, hdr->type);
	put16(buf + 6, hdr->flags);
	put32(buf + 8, hdr->length);
	put32(buf + 12, hdr->arg);
	put64(buf + 16, hdr->epoch);
	put32(buf + 24, hdr->crc);
	put32(buf + 28, crc32c(~0U, buf, 28));
}

/**
 * kcolo_wire_get_hdr - decode a header
 * @buf: KCOLO_WIRE_HDR bytes from the peer
 * @hdr: filled in
 *
 * Return: NULL, or what is wrong; then nothing in @hdr is to be believed.
 */
const char *kcolo_wire_get_hdr(const __u8 *buf, struct kcolo_wire_hdr *hdr)
{
	if (get32(buf) != KCOLO_WIRE_MAGIC)
		return "this is not the kcolo protocol";
	if (get32(buf + 28) != crc32c(~0U, buf, 28))
		return "the checksum of a header is wrong";
	hdr->type = get16(buf + 4);
	hdr->flags = get16(buf + 6);
	hdr->length = get32(buf + 8);
	hdr->arg = get32(buf + 12);
	hdr->epoch = get64(buf + 16);
	hdr->crc = get32(buf + 24);
	return kcolo_wire_check(hdr);
}

/* What the body of each type may measure. */
static const struct {
	__u32 min, max;
} body_len[KCOLO_WIRE_TYPE_END] = {
	[KCOLO_WIRE_HELLO_MSG] = { KCOLO_WIRE_HELLO, KCOLO_WIRE_HELLO },
	[KCOLO_WIRE_REGIONS] = { KCOLO_WIRE_REGIONS_HEAD + KCOLO_WIRE_REGION,
		KCOLO_WIRE_REGIONS_HEAD +
		KCOLO_WIRE_REGION * KCOLO_WIRE_REGIONS_MAX },
	[KCOLO_WIRE_CHECKPOINT_READY] = { 0, 0 },
	[KCOLO_WIRE_CHECKPOINT_REQUEST] = { 0, 0 },
	[KCOLO_WIRE_CHECKPOINT_REPLY] = { 0, 0 },
	[KCOLO_WIRE_MIGRATE_RAM] = { 0, 0 },
	[KCOLO_WIRE_PAGES] = { KCOLO_WIRE_PAGES_HEAD + KCOLO_WIRE_EXTENT,
		KCOLO_WIRE_PAGES_HEAD +
		KCOLO_WIRE_EXTENT * KCOLO_WIRE_EXTENTS_MAX +
		KCOLO_WIRE_PAGE_SIZE * KCOLO_WIRE_PAGES_MAX },
	[KCOLO_WIRE_VMSTATE_SIZE] = { KCOLO_WIRE_SIZE, KCOLO_WIRE_SIZE },
	[KCOLO_WIRE_VMSTATE_SEND] = { 1, KCOLO_WIRE_VMSTATE_MAX },
	[KCOLO_WIRE_CHECKPOINT_END] = { KCOLO_WIRE_END, KCOLO_WIRE_END },
	[KCOLO_WIRE_VMSTATE_RECEIVED] = { 0, 0 },
	[KCOLO_WIRE_VMSTATE_LOADED] = { 0, 0 },
	[KCOLO_WIRE_ABORT] = { 0, KCOLO_WIRE_TEXT_MAX },
	[KCOLO_WIRE_FENCED] = { 0, 0 },
	[KCOLO_WIRE_PING] = { 0, 0 },
	[KCOLO_WIRE_PONG] = { 0, 0 },
	[KCOLO_WIRE_CLOSE] = { 0, 0 },
	[KCOLO_WIRE_HASHES] = { KCOLO_WIRE_HASHES_HEAD + 4,
		KCOLO_WIRE_HASHES_HEAD + 4 * KCOLO_WIRE_HASHES_MAX },
	[KCOLO_WIRE_VERIFIED] = { KCOLO_WIRE_VERIFIED_HEAD,
		KCOLO_WIRE_VERIFIED_HEAD +
		KCOLO_WIRE_DIFFERENCE * KCOLO_WIRE_DIFFERENCES_MAX },
};

/**
 * kcolo_wire_check - whether a header is one that can be
 * @hdr: a decoded header
 *
 * Return: NULL, or what is wrong.
 */
const char *kcolo_wire_check(const struct kcolo_wire_hdr *hdr)
{
	if (!hdr->type || hdr->type >= KCOLO_WIRE_TYPE_END)
		return "a message has a type that is not known";
	if (hdr->length < body_len[hdr->type].min ||
	    hdr->length > body_len[hdr->type].max)
		return "a message has a length that its type cannot have";
	if (hdr->flags & ~(hdr->type == KCOLO_WIRE_PAGES ? KCOLO_WIRE_F_CRC : 0))
		return "a message has flags that are not known";
	return NULL;
}

/**
 * kcolo_wire_put_hello - encode the body of HELLO
 * @buf: KCOLO_WIRE_HELLO bytes
 * @hello: what to encode
 */
void kcolo_wire_put_hello(__u8 *buf, const struct kcolo_wire_hello *hello)
{
	memset(buf, 0, KCOLO_WIRE_HELLO);
	put16(buf, hello->version);
	put16(buf + 2, hello->channel);
	put32(buf + 4, hello->role);
	put32(buf + 8, hello->page_size);
	put64(buf + 16, hello->features);
	put64(buf + 24, hello->incarnation);
	put64(buf + 32, hello->committed);
	memcpy(buf + 40, hello->uuid, KCOLO_WIRE_UUID);
	memcpy(buf + 56, hello->name, strnlen(hello->name, KCOLO_WIRE_NAME - 1));
}

/**
 * kcolo_wire_get_hello - decode the body of HELLO
 * @buf: KCOLO_WIRE_HELLO bytes from the peer
 * @hello: filled in
 *
 * Only the form is checked; whether the peer fits is for the caller.
 *
 * Return: NULL, or what is wrong.
 */
const char *kcolo_wire_get_hello(const __u8 *buf,
				 struct kcolo_wire_hello *hello)
{
	hello->version = get16(buf);
	hello->channel = get16(buf + 2);
	hello->role = get32(buf + 4);
	hello->page_size = get32(buf + 8);
	hello->features = get64(buf + 16);
	hello->incarnation = get64(buf + 24);
	hello->committed = get64(buf + 32);
	memcpy(hello->uuid, buf + 40, KCOLO_WIRE_UUID);
	memcpy(hello->name, buf + 56, KCOLO_WIRE_NAME);
	if (!kcolo_wire_name_ok(hello->name))
		return "HELLO has no proper session name";
	return NULL;
}

/**
 * kcolo_wire_put_base - encode what stands before the entries of REGIONS
 * @buf: KCOLO_WIRE_REGIONS_HEAD bytes
 * @base: the epoch that regions build upon which do not come whole, 0 is none
 */
void kcolo_wire_put_base(__u8 *buf, __u64 base)
{
	put64(buf, base);
}

/**
 * kcolo_wire_get_base - decode what stands before the entries of REGIONS
 * @buf: KCOLO_WIRE_REGIONS_HEAD bytes
 *
 * Return: the epoch; whether it is committed is for the caller.
 */
__u64 kcolo_wire_get_base(const __u8 *buf)
{
	return get64(buf);
}

/**
 * kcolo_wire_put_region - encode an entry of REGIONS
 * @buf: KCOLO_WIRE_REGION bytes
 * @region: what to encode
 */
void kcolo_wire_put_region(__u8 *buf, const struct kcolo_wire_region *region)
{
	memset(buf, 0, KCOLO_WIRE_REGION);
	put64(buf, region->size);
	put32(buf + 8, region->flags);
	memcpy(buf + 16, region->name,
	       strnlen(region->name, KCOLO_WIRE_NAME - 1));
}

/**
 * kcolo_wire_get_region - decode an entry of REGIONS
 * @buf: KCOLO_WIRE_REGION bytes from the peer
 * @region: filled in
 *
 * Return: NULL, or what is wrong.
 */
const char *kcolo_wire_get_region(const __u8 *buf,
				  struct kcolo_wire_region *region)
{
	region->size = get64(buf);
	region->flags = get32(buf + 8);
	memcpy(region->name, buf + 16, KCOLO_WIRE_NAME);
	if (!kcolo_wire_name_ok(region->name))
		return "REGIONS has no proper region name";
	if (!region->size || region->size % KCOLO_WIRE_PAGE_SIZE)
		return "REGIONS has a size that is no number of pages";
	if (region->flags & ~KCOLO_WIRE_WHOLE || get32(buf + 12))
		return "REGIONS says something that is not known";
	return NULL;
}

/**
 * kcolo_wire_put_pages - encode the head of PAGES
 * @buf: KCOLO_WIRE_PAGES_HEAD bytes
 * @pages: what to encode
 */
void kcolo_wire_put_pages(__u8 *buf, const struct kcolo_wire_pages *pages)
{
	put32(buf, pages->nr_extents);
	put32(buf + 4, pages->payload_crc);
	put32(buf + 8, pages->payload_len);
	put32(buf + 12, 0);
}

/**
 * kcolo_wire_get_pages - decode the head of PAGES
 * @buf: KCOLO_WIRE_PAGES_HEAD bytes from the peer
 * @body_len: length in the message's header, already checked
 * @pages: filled in
 *
 * Return: NULL, or what is wrong.
 */
const char *kcolo_wire_get_pages(const __u8 *buf, __u32 body_len,
				 struct kcolo_wire_pages *pages)
{
	pages->nr_extents = get32(buf);
	pages->payload_crc = get32(buf + 4);
	pages->payload_len = get32(buf + 8);
	if (!pages->nr_extents || pages->nr_extents > KCOLO_WIRE_EXTENTS_MAX)
		return "PAGES has no number of extents that can be";
	if (pages->payload_len > KCOLO_WIRE_PAGES_MAX * KCOLO_WIRE_PAGE_SIZE)
		return "PAGES has more payload than a message may";
	if (body_len != KCOLO_WIRE_PAGES_HEAD +
			pages->nr_extents * KCOLO_WIRE_EXTENT +
			pages->payload_len)
		return "PAGES is not as long as its parts";
	return NULL;
}

/**
 * kcolo_wire_put_extent - encode an extent
 * @buf: KCOLO_WIRE_EXTENT bytes
 * @extent: what to encode
 */
void kcolo_wire_put_extent(__u8 *buf, const struct kcolo_wire_extent *extent)
{
	put64(buf, extent->first);
	put32(buf + 8, extent->count);
	put16(buf + 12, extent->region);
	buf[14] = extent->encoding;
	buf[15] = 0;
}

/**
 * kcolo_wire_get_extent - decode an extent
 * @buf: KCOLO_WIRE_EXTENT bytes, best checked by kcolo_wire_check_extents()
 * @extent: filled in
 */
void kcolo_wire_get_extent(const __u8 *buf, struct kcolo_wire_extent *extent)
{
	extent->first = get64(buf);
	extent->count = get32(buf + 8);
	extent->region = get16(buf + 12);
	extent->encoding = buf[14];
}

/**
 * kcolo_wire_check_extents - whether all extents of PAGES can be believed
 * @buf: the extents from the peer
 * @pages: the message's head, already checked
 * @region_pages: the size in pages of each region
 * @nr_regions: number of regions
 *
 * Return: NULL, or what is wrong.
 */
const char *kcolo_wire_check_extents(const __u8 *buf,
				     const struct kcolo_wire_pages *pages,
				     const __u64 *region_pages,
				     unsigned int nr_regions)
{
	struct kcolo_wire_extent e;
	__u64 raw = 0, all = 0;
	__u32 i;

	for (i = 0; i < pages->nr_extents; i++, buf += KCOLO_WIRE_EXTENT) {
		kcolo_wire_get_extent(buf, &e);
		if (e.region >= nr_regions)
			return "PAGES names a region that is not there";
		if (!e.count || e.first >= region_pages[e.region] ||
		    e.count > region_pages[e.region] - e.first)
			return "PAGES reaches outside its region";
		all += e.count;
		if (e.encoding == KCOLO_WIRE_RAW)
			raw += e.count;
		else if (e.encoding != KCOLO_WIRE_ZERO)
			return "PAGES has an encoding that is not known";
		if (buf[15])
			return "PAGES has bits where none may be";
	}
	if (all > KCOLO_WIRE_PAGES_MAX)
		return "PAGES has more pages than a message may";
	if (raw * KCOLO_WIRE_PAGE_SIZE != pages->payload_len)
		return "PAGES has another payload than its extents say";
	return NULL;
}

/**
 * kcolo_wire_put_end - encode the body of CHECKPOINT_END
 * @buf: KCOLO_WIRE_END bytes
 * @end: what to encode
 */
void kcolo_wire_put_end(__u8 *buf, const struct kcolo_wire_end *end)
{
	put64(buf, end->messages);
	put64(buf + 8, end->pages);
}

/**
 * kcolo_wire_get_end - decode the body of CHECKPOINT_END
 * @buf: KCOLO_WIRE_END bytes
 * @end: filled in
 */
void kcolo_wire_get_end(const __u8 *buf, struct kcolo_wire_end *end)
{
	end->messages = get64(buf);
	end->pages = get64(buf + 8);
}

/**
 * kcolo_wire_put_size - encode the body of VMSTATE_SIZE
 * @buf: KCOLO_WIRE_SIZE bytes
 * @size: bytes of device state
 */
void kcolo_wire_put_size(__u8 *buf, __u64 size)
{
	put64(buf, size);
}

/**
 * kcolo_wire_get_size - decode the body of VMSTATE_SIZE
 * @buf: KCOLO_WIRE_SIZE bytes
 *
 * Return: the size; whether it is bearable is for the caller.
 */
__u64 kcolo_wire_get_size(const __u8 *buf)
{
	return get64(buf);
}

/**
 * kcolo_wire_put_hashes - encode the head of HASHES
 * @buf: KCOLO_WIRE_HASHES_HEAD bytes
 * @hashes: what to encode
 */
void kcolo_wire_put_hashes(__u8 *buf, const struct kcolo_wire_hashes *hashes)
{
	put64(buf, hashes->first);
	put32(buf + 8, hashes->count);
	put16(buf + 12, hashes->region);
	put16(buf + 14, 0);
}

/**
 * kcolo_wire_get_hashes - decode the head of HASHES
 * @buf: KCOLO_WIRE_HASHES_HEAD bytes from the peer
 * @body_len: length in the message's header, already checked
 * @hashes: filled in; whether there are such pages is for the caller
 *
 * Return: NULL, or what is wrong.
 */
const char *kcolo_wire_get_hashes(const __u8 *buf, __u32 body_len,
				  struct kcolo_wire_hashes *hashes)
{
	hashes->first = get64(buf);
	hashes->count = get32(buf + 8);
	hashes->region = get16(buf + 12);
	if (hashes->count > KCOLO_WIRE_HASHES_MAX ||
	    body_len != KCOLO_WIRE_HASHES_HEAD + 4 * hashes->count)
		return "HASHES is not as long as its parts";
	return NULL;
}

/**
 * kcolo_wire_put_verified - encode the head of VERIFIED
 * @buf: KCOLO_WIRE_VERIFIED_HEAD bytes
 * @verified: what to encode
 */
void kcolo_wire_put_verified(__u8 *buf,
			     const struct kcolo_wire_verified *verified)
{
	put64(buf, verified->pages);
	put64(buf + 8, verified->different);
}

/**
 * kcolo_wire_get_verified - decode the head of VERIFIED
 * @buf: KCOLO_WIRE_VERIFIED_HEAD bytes from the peer
 * @body_len: length in the message's header, already checked
 * @verified: filled in
 *
 * Return: NULL, or what is wrong.
 */
const char *kcolo_wire_get_verified(const __u8 *buf, __u32 body_len,
				    struct kcolo_wire_verified *verified)
{
	verified->pages = get64(buf);
	verified->different = get64(buf + 8);
	body_len -= KCOLO_WIRE_VERIFIED_HEAD;
	if (body_len % KCOLO_WIRE_DIFFERENCE ||
	    body_len / KCOLO_WIRE_DIFFERENCE > verified->different ||
	    verified->different > verified->pages)
		return "VERIFIED is not as long as its parts";
	return NULL;
}

/**
 * kcolo_wire_put_difference - encode an entry of VERIFIED
 * @buf: KCOLO_WIRE_DIFFERENCE bytes
 * @region: number of the region on the primary
 * @page: index of the page in it
 */
void kcolo_wire_put_difference(__u8 *buf, __u16 region, __u64 page)
{
	put64(buf, page);
	put16(buf + 8, region);
	put16(buf + 10, 0);
	put32(buf + 12, 0);
}

/**
 * kcolo_wire_get_difference - decode an entry of VERIFIED
 * @buf: KCOLO_WIRE_DIFFERENCE bytes from the peer
 * @region: set; whether there is one is for the caller
 * @page: set; likewise
 */
void kcolo_wire_get_difference(const __u8 *buf, __u16 *region, __u64 *page)
{
	*page = get64(buf);
	*region = get16(buf + 8);
}

/**
 * kcolo_wire_put_hash - encode a hash
 * @buf: 4 bytes
 * @hash: CRC32C of a page
 */
void kcolo_wire_put_hash(__u8 *buf, __u32 hash)
{
	put32(buf, hash);
}

/**
 * kcolo_wire_get_hash - decode a hash
 * @buf: 4 bytes
 *
 * Return: CRC32C of a page.
 */
__u32 kcolo_wire_get_hash(const __u8 *buf)
{
	return get32(buf);
}
