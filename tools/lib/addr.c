// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Addresses in words. Host names are not looked up: that waits for a network,
 * and may give another answer each time.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "internal.h"

static int parse_port(const char *text, in_port_t *port)
{
	size_t len = strspn(text, "0123456789");
	unsigned long n;

	if (!len || len > 5 || text[len])
		return -EINVAL;
	n = strtoul(text, NULL, 10);
	if (n > UINT16_MAX)
		return -EINVAL;
	*port = htons(n);
	return 0;
}

static int parse_scope(const char *text, uint32_t *scope)
{
	size_t len = strspn(text, "0123456789");

	if (len && len < 10 && !text[len])
		*scope = strtoul(text, NULL, 10);
	else
		*scope = if_nametoindex(text);
	return *scope ? 0 : -ENODEV;
}

static int parse_in6(char *host, struct sockaddr_in6 *in6)
{
	char *scope = strchr(host, '%');
	int err = 0;

	if (scope) {
		*scope++ = '\0';
		err = parse_scope(scope, &in6->sin6_scope_id);
	}
	if (err)
		return err;
	in6->sin6_family = AF_INET6;
	return inet_pton(AF_INET6, host, &in6->sin6_addr) == 1 ? 0 : -EINVAL;
}

static int parse_in(const char *host, struct sockaddr_in *in)
{
	in->sin_family = AF_INET;
	if (!strcmp(host, "*"))
		return 0;
	return inet_pton(AF_INET, host, &in->sin_addr) == 1 ? 0 : -EINVAL;
}

/**
 * kcolo_addr_parse - an address from words
 * @text: "10.0.0.1:7000", "[fe80::1%eth0]:7000"; "*" is any IPv4 address
 * @addr: where to
 *
 * Return: 0, -EINVAL, or -ENODEV when the scope is of no interface.
 */
int kcolo_addr_parse(const char *text, union kcolo_addr *addr)
{
	const char *colon = strrchr(text, ':');
	char host[INET6_ADDRSTRLEN + 1 + IF_NAMESIZE + 2];
	union kcolo_addr a = { 0 };
	size_t len;
	int err;

	if (!colon || (size_t)(colon - text) >= sizeof(host))
		return -EINVAL;
	len = colon - text;
	memcpy(host, text, len);
	host[len] = '\0';
	if (host[0] == '[' && len > 2 && host[len - 1] == ']') {
		host[len - 1] = '\0';
		err = parse_in6(host + 1, &a.in6);
		if (!err)
			err = parse_port(colon + 1, &a.in6.sin6_port);
	} else {
		err = parse_in(host, &a.in);
		if (!err)
			err = parse_port(colon + 1, &a.in.sin_port);
	}
	if (!err)
		*addr = a;
	return err;
}

static void format_in6(const struct sockaddr_in6 *in6, char *buf, size_t len)
{
	char host[INET6_ADDRSTRLEN], scope[16] = "";

	inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
	if (in6->sin6_scope_id)
		snprintf(scope, sizeof(scope), "%%%u", in6->sin6_scope_id);
	snprintf(buf, len, "[%s%s]:%u", host, scope, ntohs(in6->sin6_port));
}

static void format_in(const struct sockaddr_in *in, char *buf, size_t len)
{
	char host[INET_ADDRSTRLEN] = "*";

	if (in->sin_addr.s_addr != htonl(INADDR_ANY))
		inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
	snprintf(buf, len, "%s:%u", host, ntohs(in->sin_port));
}

/**
 * kcolo_addr_format - an address in words
 * @addr: address
 * @buf: where to; 80 bytes are enough
 * @len: of @buf
 *
 * Return: @buf, which kcolo_addr_parse() understands; "" for no address.
 */
const char *kcolo_addr_format(const union kcolo_addr *addr, char *buf, size_t len)
{
	if (addr->sa.sa_family == AF_INET)
		format_in(&addr->in, buf, len);
	else if (addr->sa.sa_family == AF_INET6)
		format_in6(&addr->in6, buf, len);
	else if (len)
		buf[0] = '\0';
	return buf;
}
