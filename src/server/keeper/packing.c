/* SPDX-License-Identifier: Apache-2.0 */
#include "server/keeper/packing.h"

#include "host/memfd.h"
#include "server/messages.h"

#include <stdlib.h>
#include <unistd.h>

enum code packed_policy_send(struct channel *to, uint32_t kind, const struct policy *policy,
			     enum pack_audience audience)
{
	struct message_policy body = {0};
	struct writer w = {0};
	uint8_t *octets = NULL;
	int fd = -1, reader = -1;
	size_t len;
	enum code code = policy_pack(policy, audience, &w, &len);

	if (code == E_LIMIT) {
		octets = malloc(len);
		w = writer_of(octets, octets ? len : 0);
		code = policy_pack(policy, audience, &w, &len);
	}
	if (code) goto out;
	if ((code = memfd_open("lockstep-policy", w.len, &fd, NULL))) goto out;
	if ((code = memfd_write(fd, 0, writer_span(&w), NULL))) goto out;
	if ((code = memfd_reader(fd, &reader, NULL))) goto out;
	body.len = w.len;
	code = channel_send(to, kind, &body, (struct span){0}, reader);
out:
	if (reader >= 0) close(reader);
	if (fd >= 0) close(fd);
	free(octets);
	return code;
}
