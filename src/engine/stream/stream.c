/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/stream/stream.h"

#include <assert.h>

void stream_init(struct stream *stream, duration_ns idle_ns, instant_ns now)
{
	*stream = (struct stream){.idle_ns = idle_ns, .idle_from = now};
}

/* Moves what waits to the buffer's beginning, so that the room is in one piece. */
static void buffer_compact(struct stream_buffer *buffer)
{
	if (buffer->at == 0) return;
	if (buffer->len > 0) memmove(buffer->ptr, buffer->ptr + buffer->at, buffer->len);
	buffer->at = 0;
}

static void buffer_consume(struct stream_buffer *buffer, size_t len)
{
	assert(len <= buffer->len);
	buffer->at += len;
	buffer->len -= len;
	if (buffer->len == 0) buffer->at = 0;
}

uint8_t *stream_lend(struct stream_buffer *buffer, uint8_t *memory, size_t cap)
{
	uint8_t *former = buffer->ptr;

	assert(cap >= buffer->len);
	if (buffer->len > 0) memcpy(memory, buffer->ptr + buffer->at, buffer->len);
	buffer->ptr = memory;
	buffer->cap = cap;
	buffer->at = 0;
	return former;
}

uint8_t *stream_take_back(struct stream_buffer *buffer)
{
	uint8_t *memory = buffer->ptr;

	if (buffer->len > 0) return NULL;
	*buffer = (struct stream_buffer){0};
	return memory;
}

static bool stream_is_full(const struct stream *stream)
{
	return stream->out.len >= STREAM_UNSENT_MAX || stream->pending_count >= STREAM_PENDING_MAX;
}

static bool stream_owes(const struct stream *stream)
{
	return stream->out.len > 0 || stream->pending_count > 0;
}

struct writer stream_room(struct stream *stream)
{
	struct stream_buffer *in = &stream->in;

	if (!in->ptr || stream->ended || stream->broken || stream_is_full(stream))
		return (struct writer){0};
	buffer_compact(in);
	return writer_of(in->ptr + in->len, in->cap - in->len);
}

void stream_received(struct stream *stream, size_t len)
{
	assert(len <= stream->in.cap - stream->in.at - stream->in.len);
	stream->in.len += len;
}

void stream_end(struct stream *stream)
{
	stream->ended = true;
}

/* Octets of the message `from` there with its length, as far as that has come. */
static size_t message_octets(const struct stream_buffer *in, size_t from)
{
	if (in->len - from < STREAM_LENGTH_OCTETS) return STREAM_LENGTH_OCTETS;
	const uint8_t *p = in->ptr + in->at + from;
	return STREAM_LENGTH_OCTETS + (size_t)(p[0] << 8 | p[1]);
}

static size_t next_octets(const struct stream_buffer *in)
{
	return message_octets(in, 0);
}

size_t stream_peek(const struct stream *stream, struct span *messages, size_t count_max)
{
	const struct stream_buffer *in = &stream->in;
	size_t at = 0, count = 0;

	while (count < count_max) {
		size_t octets = message_octets(in, at);
		if (octets < STREAM_LENGTH_OCTETS + STREAM_MESSAGE_MIN || octets > in->len - at)
			break;
		const uint8_t *p = in->ptr + in->at + at;
		messages[count++] =
			span_of(p + STREAM_LENGTH_OCTETS, octets - STREAM_LENGTH_OCTETS);
		at += octets;
	}
	return count;
}

enum stream_result stream_next(struct stream *stream, instant_ns now, struct span *message)
{
	struct stream_buffer *in = &stream->in;
	size_t octets = next_octets(in);

	if (in->len >= STREAM_LENGTH_OCTETS && octets < STREAM_LENGTH_OCTETS + STREAM_MESSAGE_MIN)
		stream->broken = true;
	if (stream->broken) return STREAM_CLOSE;
	if (stream_is_full(stream)) return STREAM_WAIT;
	if (in->len >= octets) {
		*message = span_of(in->ptr + in->at + STREAM_LENGTH_OCTETS,
				   octets - STREAM_LENGTH_OCTETS);
		buffer_consume(in, octets);
		stream->pending_count++;
		stream->idle_from = now;
		return STREAM_MESSAGE;
	}
	if (stream->ended) return stream_owes(stream) ? STREAM_WAIT : STREAM_CLOSE;
	return in->cap < octets ? STREAM_GROW : STREAM_READ;
}

size_t stream_in_needed(const struct stream *stream)
{
	size_t octets = next_octets(&stream->in);

	return octets < STREAM_IN_OCTETS_MIN ? STREAM_IN_OCTETS_MIN : octets;
}

bool stream_reply_begin(struct stream *stream, struct writer *reply)
{
	struct stream_buffer *out = &stream->out;

	if (out->len >= STREAM_UNSENT_MAX || out->cap < STREAM_OUT_OCTETS) return false;
	buffer_compact(out);
	*reply = writer_of(out->ptr + out->len + STREAM_LENGTH_OCTETS, STREAM_MESSAGE_MAX);
	return true;
}

void stream_reply_end(struct stream *stream, size_t len, bool last, instant_ns now)
{
	struct stream_buffer *out = &stream->out;

	assert(len <= STREAM_MESSAGE_MAX && (!last || stream->pending_count > 0));
	if (len > 0) {
		assert(out->at + out->len + STREAM_LENGTH_OCTETS + len <= out->cap);
		if (out->len == 0) {
			stream->pace_from = now;
			stream->pace_octets = 0;
		}
		put_u16(out->ptr + out->at + out->len, (uint16_t)len);
		out->len += STREAM_LENGTH_OCTETS + len;
	}
	if (last) stream->pending_count--;
	stream->idle_from = now;
}

struct span stream_unsent(const struct stream *stream)
{
	const struct stream_buffer *out = &stream->out;

	return out->ptr ? span_of(out->ptr + out->at, out->len) : span_of(NULL, 0);
}

void stream_sent(struct stream *stream, size_t len, instant_ns now)
{
	buffer_consume(&stream->out, len);
	stream->pace_octets += len;
	if (stream->pace_octets >= STREAM_PACE_OCTETS) {
		stream->pace_from = now;
		stream->pace_octets = 0;
	}
	if (stream->out.len == 0) stream->idle_from = now;
}

instant_ns stream_deadline(const struct stream *stream)
{
	if (stream->out.len > 0) return stream->pace_from + STREAM_PACE_NS;
	if (stream->pending_count > 0) return INSTANT_NEVER;
	return stream->idle_from + stream->idle_ns;
}
