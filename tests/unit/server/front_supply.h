/* SPDX-License-Identifier: Apache-2.0 */
/* front_supply.h - what a keeper gives a front: policies and images, in sealed memory. */
#ifndef TESTS_SERVER_FRONT_SUPPLY_H
#define TESTS_SERVER_FRONT_SUPPLY_H

#include "config/loading.h"
#include "engine/answer_fixture.h"

#include "config/pack.h"
#include "host/memfd.h"
#include "server/messages.h"

#include <unistd.h>

/* A segment, its writer's end and what the front gets. */
struct supply_segment {
	struct message_segment body;
	int fd, reader_fd;
	uint64_t used;
};

static inline int supply_reader(int fd)
{
	int reader_fd;

	CHECK(memfd_reader(fd, &reader_fd, NULL) == OK);
	return reader_fd;
}

/* A policy of this YAML as it goes to a front; the descriptor is the caller's. */
static inline int supply_policy(const char *yaml, struct message_policy *body)
{
	static struct loading loading;
	static uint8_t octets[1 << 20];
	struct writer w = writer_of(octets, sizeof octets);
	int fd, reader_fd;

	memset(&loading, 0, sizeof loading);
	loading_add(&loading, "lockstep.yaml", yaml);
	loading_run(&loading, 0, 0);
	if (loading.code) fail_msg("policy: %s", loading.text);
	CHECK(policy_pack(loading.policy, PACK_FRONT, &w, NULL) == OK);
	loading_end(&loading);
	CHECK(memfd_open("test-policy", w.len, &fd, NULL) == OK);
	CHECK(memfd_write(fd, 0, writer_span(&w), NULL) == OK);
	reader_fd = supply_reader(fd);
	close(fd);
	*body = (struct message_policy){.len = w.len};
	return reader_fd;
}

static inline void supply_segment_open(struct supply_segment *s, uint32_t id, size_t size)
{
	*s = (struct supply_segment){.body = {.id = id, .len = size}};
	CHECK(memfd_open("test-segment", size, &s->fd, NULL) == OK);
	s->reader_fd = supply_reader(s->fd);
}

static inline void supply_segment_close(struct supply_segment *s)
{
	close(s->fd);
	close(s->reader_fd);
}

/* A publication of this zone text, whose image now lies in the segment. NULL: of none. */
static inline struct message_publish supply_image(struct world *w, struct supply_segment *s,
						  uint32_t slot, const char *origin,
						  const char *text)
{
	struct message_publish body = {.slot = slot, .expires_at = INSTANT_NEVER};
	struct name apex = world_name(w, origin);
	struct records set;

	name_copy(&body.zone, apex);
	if (!text) return body;
	world_records(w, apex, text, &set);
	struct span octets = world_view(w, apex, &set).layers[0].bytes;
	body.layer_count = 1;
	body.layers[0] =
		(struct message_layer){.segment = s->body.id, .offset = s->used, .len = octets.len};
	CHECK(memfd_write(s->fd, s->used, octets, NULL) == OK);
	s->used += (octets.len + 63) / 64 * 64;
	return body;
}

/* A small zone, told by its serial: "serial.ORIGIN TXT" and the SOA have it. */
static inline const char *supply_text(const char *origin, uint32_t serial)
{
	static char text[1024];

	snprintf(text, sizeof text,
		 "%s SOA ns.%s admin.%s %u 3600 600 86400 300\n"
		 "%s NS ns.%s\nns.%s A 192.0.2.53\nserial.%s TXT \"%u\"\n",
		 origin, origin, origin, serial, origin, origin, origin, origin, serial);
	return text;
}

#endif
