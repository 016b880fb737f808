/* SPDX-License-Identifier: Apache-2.0 */
/* The processor time of processes that are not ours. */
#include "blast.h"

#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
	SAMPLE_PERIOD_NS = 200000,
	RING_PAGES = 1024, /* a power of two: 10 seconds of samples with room to spare */
	PAGE_OCTETS = 4096,
};

static uint64_t clock_read(clockid_t clock)
{
	struct timespec now;

	if (clock_gettime(clock, &now) < 0) return 0;
	return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

/* The fields after the name in parentheses, which may hold anything: utime is the 12th. */
static void ticks_read(pid_t pid, struct cpu_time *time)
{
	char path[64], text[1024];
	unsigned long user, system;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	FILE *file = fopen(path, "re");
	if (!file) return;
	size_t len = fread(text, 1, sizeof text - 1, file);
	fclose(file);
	text[len] = '\0';
	const char *after = strrchr(text, ')');
	if (after && sscanf(after + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
			    &user, &system) == 2) {
		time->user_ticks += user;
		time->system_ticks += system;
	}
}

void cpu_time_read(const struct options *o, struct cpu_time *time)
{
	*time = (struct cpu_time){.own_ns = clock_read(CLOCK_PROCESS_CPUTIME_ID)};
	for (unsigned i = 0; i < o->watched_count; i++) {
		clockid_t clock;
		if (clock_getcpuclockid(o->watched[i], &clock) == 0) time->ns += clock_read(clock);
		ticks_read(o->watched[i], time);
	}
}

void sampler_begin(struct sampler *s, const struct options *o)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof attr,
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.sample_period = SAMPLE_PERIOD_NS,
		.sample_type = PERF_SAMPLE_TID,
		.exclude_idle = 1,
		.watermark = 1,
		.wakeup_watermark = RING_PAGES * PAGE_OCTETS,
	};

	*s = (struct sampler){.fd = -1};
	if (o->sample_cpu < 0) return;
	s->fd = (int)syscall(SYS_perf_event_open, &attr, -1, o->sample_cpu, -1,
			     PERF_FLAG_FD_CLOEXEC);
	if (s->fd < 0) return;
	s->ring = mmap(NULL, (RING_PAGES + 1) * PAGE_OCTETS, PROT_READ | PROT_WRITE, MAP_SHARED,
		       s->fd, 0);
	if (s->ring == MAP_FAILED) {
		close(s->fd);
		s->fd = -1;
	}
}

static bool is_watched(const struct options *o, uint32_t pid)
{
	for (unsigned i = 0; i < o->watched_count; i++)
		if ((uint32_t)o->watched[i] == pid) return true;
	return false;
}

void sampler_end(struct sampler *s, const struct options *o)
{
	struct {
		struct perf_event_header head;
		uint32_t pid, tid;
	} sample;

	if (s->fd < 0) return;
	const uint8_t *data = (const uint8_t *)s->ring + PAGE_OCTETS;
	ioctl(s->fd, PERF_EVENT_IOC_DISABLE, 0);
	const struct perf_event_mmap_page *page = s->ring;
	uint64_t end = __atomic_load_n(&page->data_head, __ATOMIC_ACQUIRE);
	for (uint64_t at = 0; at < end; at += sample.head.size) {
		for (size_t i = 0; i < sizeof sample; i++)
			((uint8_t *)&sample)[i] = data[(at + i) % (RING_PAGES * PAGE_OCTETS)];
		if (sample.head.size == 0) break;
		if (sample.head.type != PERF_RECORD_SAMPLE || !is_watched(o, sample.pid)) continue;
		if ((sample.head.misc & PERF_RECORD_MISC_CPUMODE_MASK) == PERF_RECORD_MISC_USER)
			s->user++;
		else
			s->system++;
	}
	munmap(s->ring, (RING_PAGES + 1) * PAGE_OCTETS);
	close(s->fd);
}
