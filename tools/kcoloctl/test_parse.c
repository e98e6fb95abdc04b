// SPDX-License-Identifier: GPL-2.0
/*
 * What needs no kernel: sizes, times, addresses, names. KTAP. The argument is
 * the uAPI header, whose enums the names are checked against.
 */
#include <ctype.h>
#include <kcolo.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "parse.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

static unsigned int nr, failed;

static void __attribute__((format(printf, 2, 3)))
ok(bool good, const char *fmt, ...)
{
	va_list ap;

	printf("%s %u ", good ? "ok" : "not ok", ++nr);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	failed += !good;
}

static void test_number(void)
{
	static const struct {
		const char *text;
		uint64_t max;
		bool good;
		uint64_t value;
	} t[] = {
		{ "0", 10, true, 0 }, { "10", 10, true, 10 },
		{ "11", 10, false, 0 }, { "", 10, false, 0 },
		{ "-1", 10, false, 0 }, { "+1", 10, false, 0 },
		{ " 1", 10, false, 0 }, { "1 ", 10, false, 0 },
		{ "0x1", 10, false, 0 }, { "1.5", 10, false, 0 },
		{ "007", 10, true, 7 },
		{ "18446744073709551615", UINT64_MAX, true, UINT64_MAX },
		{ "18446744073709551616", UINT64_MAX, false, 0 },
		{ "99999999999999999999", UINT64_MAX, false, 0 },
	};
	unsigned int i;
	uint64_t v;
	bool good;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		v = 12345;
		good = parse_number(t[i].text, t[i].max, &v);
		ok(good == t[i].good && v == (good ? t[i].value : 12345),
		   "number \"%s\"", t[i].text);
	}
}

static void test_quoted(void)
{
	static const struct {
		const char *text;
		const char *quoted;
	} t[] = {
		{ "vm1", "vm1" }, { "", "\"\"" }, { "10.0.0.2:7000", "10.0.0.2:7000" },
		{ "[fe80::1%eth0]:7000", "[fe80::1%eth0]:7000" },
		{ "a b", "\"a b\"" }, { "a\"b", "\"a\\\"b\"" },
		{ "a\\b", "\"a\\\\b\"" }, { "it's", "\"it's\"" },
		{ "a\tb\n", "\"a\\x09b\\x0a\"" }, { "\303\251", "\"\\xc3\\xa9\"" },
		{ "\\x41", "\"\\\\x41\"" },
	};
	char buf[QUOTED_MAX(32)], small[8];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(t); i++)
		ok(!strcmp(quoted(t[i].text, buf, sizeof(buf)), t[i].quoted),
		   "quoted %s is %s", t[i].quoted, buf);
	ok(!strcmp(quoted("\1\2\3", small, sizeof(small)), "\"\\x01\""),
	   "quoted, cut off, is %s", small);
	memset(buf, 'x', sizeof(buf));
	ok(strlen(quoted("\1\1\1\1\1\1\1\1", buf, QUOTED_MAX(8))) ==
	   QUOTED_MAX(8) - 1 && buf[QUOTED_MAX(8)] == 'x',
	   "quoted has room for all");
}

static void test_people(void)
{
	static const struct {
		const char *(*format)(uint64_t v, char *buf, size_t len);
		uint64_t v;
		const char *text;
	} t[] = {
		{ format_bytes, 0, "0 B" }, { format_bytes, 1023, "1023 B" },
		{ format_bytes, 1024, "1 KiB" }, { format_bytes, 64 << 20, "64 MiB" },
		{ format_bytes, 1536, "1.5 KiB" }, { format_bytes, 104857600, "100 MiB" },
		{ format_bytes, (1 << 20) - 1, "1 MiB" },
		{ format_bytes, 10 << 20, "10 MiB" },
		{ format_bytes, UINT64_MAX, "16 EiB" },
		{ format_us, 0, "0 s" }, { format_us, 999, "999 us" },
		{ format_us, 1000, "1 ms" }, { format_us, 118368, "118.368 ms" },
		{ format_us, 100000, "100 ms" }, { format_us, 2000000, "2 s" },
		{ format_us, 2500000, "2.5 s" }, { format_us, 3600000000, "3600 s" },
		{ format_us, 999999, "999.999 ms" },
	};
	char buf[FORMAT_MAX];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(t); i++)
		ok(!strcmp(t[i].format(t[i].v, buf, sizeof(buf)), t[i].text),
		   "for people %s is %s", t[i].text, buf);
}

static void test_size(void)
{
	static const struct {
		const char *text;
		bool good;
		uint64_t value;
	} t[] = {
		{ "0", true, 0 }, { "1", true, 1 },
		{ "512K", true, 512ull << 10 }, { "64M", true, 64ull << 20 },
		{ "64m", true, 64ull << 20 }, { "1G", true, 1ull << 30 },
		{ "3T", true, 3ull << 40 }, { "3t", true, 3ull << 40 },
		{ "0K", true, 0 }, { "104857600", true, 104857600 },
		{ "16777215T", true, 16777215ull << 40 },
		{ "16777216T", false, 0 },
		{ "18446744073709551615", true, UINT64_MAX },
		{ "18446744073709551615K", false, 0 },
		{ "18446744073709551616", false, 0 },
		{ "", false, 0 }, { "M", false, 0 }, { "64MB", false, 0 },
		{ "64MiB", false, 0 }, { "64 M", false, 0 },
		{ "-64M", false, 0 }, { "1.5G", false, 0 },
		{ "64P", false, 0 }, { "64MM", false, 0 },
		{ "1e6", false, 0 },
	};
	unsigned int i;
	uint64_t v;
	bool good;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		v = 12345;
		good = parse_size(t[i].text, &v);
		ok(good == t[i].good && v == (good ? t[i].value : 12345),
		   "size \"%s\"", t[i].text);
	}
}

static void test_time(void)
{
	static const struct {
		const char *text;
		uint64_t unit;
		bool good;
		uint64_t value;
	} t[] = {
		{ "0", PARSE_MS, true, 0 }, { "500", PARSE_MS, true, 500 },
		{ "500", PARSE_S, true, 500000 },
		{ "500ms", PARSE_S, true, 500 }, { "2s", PARSE_MS, true, 2000 },
		{ "18446744073709551s", PARSE_MS, true, 18446744073709551000u },
		{ "18446744073709552s", PARSE_MS, false, 0 },
		{ "", PARSE_MS, false, 0 }, { "s", PARSE_MS, false, 0 },
		{ "2m", PARSE_MS, false, 0 }, { "2S", PARSE_MS, false, 0 },
		{ "2 s", PARSE_MS, false, 0 }, { "-2s", PARSE_MS, false, 0 },
		{ "1.5s", PARSE_MS, false, 0 }, { "2sec", PARSE_MS, false, 0 },
	};
	unsigned int i;
	uint64_t v;
	bool good;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		v = 12345;
		good = parse_time(t[i].text, t[i].unit, &v);
		ok(good == t[i].good && v == (good ? t[i].value : 12345),
		   "time \"%s\"", t[i].text);
	}
}

static void test_switch(void)
{
	bool on = false;

	ok(parse_switch("on", &on) && on, "switch on");
	ok(parse_switch("off", &on) && !on, "switch off");
	ok(!parse_switch("yes", &on) && !parse_switch("", &on) && !on,
	   "switch garbage");
}

static void test_format(void)
{
	static const uint64_t sizes[] = {
		0, 1, 1023, 1024, 1025, 104857600, 1ull << 30, 1ull << 50,
		UINT64_MAX, 3ull << 40,
	};
	static const uint64_t times[] = { 0, 1, 999, 1000, 1500, 10000 };
	char buf[FORMAT_MAX];
	unsigned int i;
	uint64_t v;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		format_size(sizes[i], buf, sizeof(buf));
		ok(parse_size(buf, &v) && v == sizes[i],
		   "size %s and back", buf);
	}
	for (i = 0; i < ARRAY_SIZE(times); i++) {
		format_time(times[i], buf, sizeof(buf));
		ok(parse_time(buf, PARSE_MS, &v) && v == times[i],
		   "time %s and back", buf);
	}
	ok(!strcmp(format_size(64 << 20, buf, sizeof(buf)), "64M"), "64M");
	ok(!strcmp(format_time(10000, buf, sizeof(buf)), "10s"), "10s");
}

static void test_plain(void)
{
	static const char * const t[][3] = {
		{ "", "", "" }, { "vm-1_\\ \"x\" ~", "vm-1_\\ \"x\" ~",
		  "vm-1_\\ \"x\" ~" },
		{ "a\x1b[2Jb\n\x7f", "a\\x1b[2Jb\\x0a\\x7f",
		  "a\x1b[2Jb\n\x7f" },
		{ "vm\xc3\xbc\xff", "vm\\xc3\\xbc\\xff",
		  "vm\\xc3\\xbc\\xff" },
	};
	char buf[64];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		ok(!strcmp(plain(t[i][0], buf, sizeof(buf)), t[i][1]),
		   "plain text %u", i);
		ok(!strcmp(ascii(t[i][0], buf, sizeof(buf)), t[i][2]),
		   "the same in ASCII");
	}
	ok(!strcmp(plain("\xff\xff", buf, PLAIN_MAX(2)), "\\xff\\xff") &&
	   !strcmp(plain("\xff\xff", buf, 5), "\\xff"), "no room for plain text");
}

static void test_addr(void)
{
	/* What is to come out again; NULL is none. */
	static const char * const t[][2] = {
		{ "10.0.0.1:7000", "10.0.0.1:7000" },
		{ "*:7000", "*:7000" }, { "0.0.0.0:1", "*:1" },
		{ "10.0.0.1:0", "10.0.0.1:0" },
		{ "255.255.255.255:65535", "255.255.255.255:65535" },
		{ "[::1]:7000", "[::1]:7000" }, { "[::]:7000", "[::]:7000" },
		{ "[2001:DB8::1]:80", "[2001:db8::1]:80" },
		{ "[::ffff:10.0.0.1]:80", "[::ffff:10.0.0.1]:80" },
		{ "[fe80::1%1]:80", "[fe80::1%1]:80" },
		{ "[fe80::1%lo]:80", "[fe80::1%1]:80" },
		{ "10.0.0.1", NULL }, { "10.0.0.1:", NULL }, { ":7000", NULL },
		{ "", NULL }, { ":", NULL }, { "10.0.0.1:65536", NULL },
		{ "10.0.0.1:-1", NULL }, { "10.0.0.1:7000x", NULL },
		{ "10.0.0.1: 7000", NULL }, { "10.0.0.1:000080", NULL },
		{ "10.0.0:80", NULL }, { "10.0.0.256:80", NULL },
		{ "::1:7000", NULL }, { "[::1]", NULL }, { "[::1:80", NULL },
		{ "::1]:80", NULL }, { "[]:80", NULL },
		{ "[10.0.0.1]:80", NULL }, { "[fe80::1%]:80", NULL },
		{ "[fe80::1%nosuchif0]:80", NULL }, { "host:80", NULL },
		{ "[*]:80", NULL },
		{ "[1111111111111111111111111111111111111111111111111111111111111111]:80",
		  NULL },
	};
	union kcolo_addr addr, before;
	char buf[80];
	unsigned int i;
	bool good;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		memset(&addr, 0xa5, sizeof(addr));
		before = addr;
		good = !kcolo_addr_parse(t[i][0], &addr);
		if (good)
			kcolo_addr_format(&addr, buf, sizeof(buf));
		ok(t[i][1] ? good && !strcmp(buf, t[i][1]) :
		   !good && !memcmp(&addr, &before, sizeof(addr)),
		   "address \"%s\"", t[i][0]);
	}
	memset(&addr, 0, sizeof(addr));
	ok(!*kcolo_addr_format(&addr, buf, sizeof(buf)), "no address");
	kcolo_addr_parse("10.0.0.1:7000", &addr);
	kcolo_addr_format(&addr, buf, 5);
	ok(!strcmp(buf, "10.0"), "address cut to fit");
}

static const char *role(unsigned int v)
{
	return kcolo_role_name(v);
}

static const char *state(unsigned int v)
{
	return kcolo_state_name(v);
}

static const char *kind(unsigned int v)
{
	return kcolo_kind_name(v);
}

static const char *device_state(unsigned int v)
{
	return kcolo_device_state_name(v);
}

static const char *stop_reason(unsigned int v)
{
	return kcolo_stop_reason_name(v);
}

static const char *abort_reason(unsigned int v)
{
	return kcolo_abort_reason_name(v);
}

static const char *event_type(unsigned int v)
{
	return kcolo_event_type_name(v);
}

/* The enums of the header; the first counter has others before it. */
static const struct names {
	const char *prefix;
	const char *(*name)(unsigned int v);
	unsigned int first;
} names[] = {
	{ "KCOLO_ROLE_", role, 0 },
	{ "KCOLO_STATE_", state, 0 },
	{ "KCOLO_KIND_", kind, 0 },
	{ "KCOLO_DEVICE_STATE_", device_state, 0 },
	{ "KCOLO_STOP_REASON_", stop_reason, 0 },
	{ "KCOLO_ABORT_REASON_", abort_reason, 0 },
	{ "KCOLO_EVENT_TYPE_", event_type, 0 },
	{ "KCOLO_A_STATS_", kcolo_stats_name, KCOLO_A_STATS_CHECKPOINTS },
};

static bool is_called(const char *name, const char *enumerator)
{
	for (; name && *name && *enumerator; name++, enumerator++)
		if (*name != (*enumerator == '_' ? '-' : tolower(*enumerator)))
			return false;
	return name && !*name && !*enumerator;
}

static void test_names_of(FILE *header, const struct names *n)
{
	/* PAD = 1, SESSION_ID, SESSION_NAME */
	unsigned int skip = n->first ? n->first - 1 : 0;
	unsigned int value = n->first, wrong = 0;
	char line[256], word[128];
	size_t len = strlen(n->prefix);

	rewind(header);
	while (fgets(line, sizeof(line), header)) {
		if (sscanf(line, "\t%127[A-Z0-9_]", word) != 1 ||
		    strncmp(word, n->prefix, len))
			continue;
		if (skip && skip--)
			continue;
		if (!is_called(n->name(value++), word + len)) {
			printf("# %s is %s\n", word, n->name(value - 1) ?: "-");
			wrong++;
		}
	}
	ok(value > 1 && !wrong && !n->name(value) && !n->name(-1),
	   "names of %s*", n->prefix);
}

/* Each value has a name, the specification's, and there are no more. */
static void test_names(const char *path)
{
	FILE *header = fopen(path, "r");
	unsigned int i;

	if (!header) {
		ok(false, "%s cannot be read", path);
		return;
	}
	for (i = 0; i < ARRAY_SIZE(names); i++)
		test_names_of(header, &names[i]);
	fclose(header);
}

int main(int argc, char **argv)
{
	puts("KTAP version 1");
	test_number();
	test_quoted();
	test_people();
	test_size();
	test_time();
	test_switch();
	test_format();
	test_plain();
	test_addr();
	test_names(argc > 1 ? argv[1] : "../include/uapi/linux/kcolo.h");
	printf("1..%u\n# %u failed\n", nr, failed);
	return failed ? 1 : 0;
}
