/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/net/{udp,tcp}[6] lists the sockets with their inode; the holder is the
 * process with a descriptor in /proc/PID/fd that points at "socket:[INODE]".
 */
#include "host/port_holder.h"
#include "host/sockaddr.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { INODES_MAX = 64, HOLDERS_MAX = 3, TCP_STATE_LISTEN = 0x0a };

struct inodes {
	unsigned long list[INODES_MAX];
	size_t count;
};

/* The table has an address as 32-bit words of the host's byte order, in hexadecimal. */
static bool address_from_words(const char *hex, struct address *out)
{
	size_t words = strlen(hex) / 8;

	if (words != 1 && words != 4) return false;
	*out = (struct address){.family = words == 1 ? 4 : 6};
	for (size_t i = 0; i < words; i++) {
		char digits[9] = {0};
		memcpy(digits, hex + 8 * i, 8);
		uint32_t word = (uint32_t)strtoul(digits, NULL, 16);
		memcpy(out->octets + 4 * i, &word, 4);
	}
	return true;
}

/* Whether a socket on `held` stands in the way of one on `wanted`. */
static bool addresses_clash(const struct address *held, const struct address *wanted)
{
	if (address_is_wildcard(held)) return held->family == wanted->family || held->family == 6;
	if (held->family != wanted->family) return false;
	return address_is_wildcard(wanted) || address_equal(held, wanted);
}

static void table_search(const char *path, bool listening_only, const struct endpoint *wanted,
			 struct inodes *found)
{
	char line[512];
	FILE *table = fopen(path, "re");

	if (!table) return;
	while (found->count < INODES_MAX && fgets(line, sizeof line, table)) {
		char hex[33];
		unsigned port, state;
		unsigned long inode;
		struct address held;
		/* "sl: local:port remote:port state queues timer retransmits uid timeout inode" */
		if (sscanf(line, " %*u: %32[0-9A-F]:%x %*s %x %*s %*s %*s %*u %*d %lu", hex, &port,
			   &state, &inode) != 4)
			continue;
		if (port != wanted->port || (listening_only && state != TCP_STATE_LISTEN)) continue;
		if (address_from_words(hex, &held) && addresses_clash(&held, &wanted->address))
			found->list[found->count++] = inode;
	}
	fclose(table);
}

static bool is_one_of(const char *link, const struct inodes *inodes)
{
	unsigned long inode;

	if (sscanf(link, "socket:[%lu]", &inode) != 1) return false;
	for (size_t i = 0; i < inodes->count; i++)
		if (inodes->list[i] == inode) return true;
	return false;
}

static bool process_holds(const char *pid, const struct inodes *inodes)
{
	char path[300], link[64];
	bool holds = false;

	snprintf(path, sizeof path, "/proc/%s/fd", pid);
	DIR *folder = opendir(path);
	if (!folder) return false;
	for (struct dirent *entry; !holds && (entry = readdir(folder));) {
		ssize_t len = readlinkat(dirfd(folder), entry->d_name, link, sizeof link - 1);
		if (len <= 0) continue;
		link[len] = '\0';
		holds = is_one_of(link, inodes);
	}
	closedir(folder);
	return holds;
}

/* A program may name itself anything: only printable characters reach the sentence. */
static void program_name(const char *pid, char name[static 32])
{
	char path[300];
	size_t len = 0;

	snprintf(path, sizeof path, "/proc/%s/comm", pid);
	FILE *file = fopen(path, "re");
	if (file) {
		len = fread(name, 1, 31, file);
		fclose(file);
	}
	name[len] = '\0';
	name[strcspn(name, "\n")] = '\0';
	for (char *c = name; *c; c++)
		if (*c < 0x20 || *c > 0x7e) *c = '?';
	if (!*name) snprintf(name, 32, "a program");
}

static size_t holders_print(const struct inodes *inodes, char *text, size_t cap)
{
	DIR *processes = opendir("/proc");
	size_t len = 0, holders = 0;

	if (!processes) return 0;
	for (struct dirent *entry; holders < HOLDERS_MAX && (entry = readdir(processes));) {
		char name[32];
		if (entry->d_name[0] < '1' || entry->d_name[0] > '9') continue;
		if (!process_holds(entry->d_name, inodes)) continue;
		program_name(entry->d_name, name);
		int n = snprintf(text + len, cap - len, "%s%s (pid %.12s)", holders ? ", " : "",
				 name, entry->d_name);
		if (n > 0) len += (size_t)n;
		holders++;
	}
	closedir(processes);
	return holders;
}

char *port_holder_print(enum transport transport, const struct endpoint *at,
			char text[static PORT_HOLDER_TEXT_MAX])
{
	bool tcp = transport == TRANSPORT_TCP;
	struct inodes inodes = {.count = 0};

	table_search(tcp ? "/proc/net/tcp" : "/proc/net/udp", tcp, at, &inodes);
	table_search(tcp ? "/proc/net/tcp6" : "/proc/net/udp6", tcp, at, &inodes);
	if (inodes.count == 0 || holders_print(&inodes, text, PORT_HOLDER_TEXT_MAX) == 0)
		snprintf(text, PORT_HOLDER_TEXT_MAX, "another program");
	return text;
}
