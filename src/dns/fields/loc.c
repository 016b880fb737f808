/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LOC (RFC 1876): angles in thousandths of a second of arc around 2^31, the altitude in
 * centimetres above a point 100 km under the ground, sizes as a digit and a power of ten
 * of centimetres.
 */
#include "dns/decimal.h"
#include "dns/fields/fields.h"

#define EQUATOR          UINT32_C(0x80000000)
#define ALTITUDE_BASE_CM INT64_C(10000000)

enum {
	SECOND = 1000,
	MINUTE = 60 * SECOND,
	DEGREE = 60 * MINUTE,
	LATITUDE_MAX = 90 * DEGREE,
	LONGITUDE_MAX = 180 * DEGREE,
	SIZE_DIGIT_MAX = 9,
	/* The defaults of section 3: 1 m, 10 km, 10 m. */
	SIZE_DEFAULT = 0x12,
	HORIZONTAL_DEFAULT = 0x16,
	VERTICAL_DEFAULT = 0x13,
};

/* "12", "12.5": whole units and `places` digits of fraction at most, scaled to an integer. */
static bool scaled_read(struct span text, unsigned places, uint64_t *out)
{
	const uint8_t *dot = text.len ? memchr(text.ptr, '.', text.len) : NULL;
	struct span whole = span_of(text.ptr, dot ? (size_t)(dot - text.ptr) : text.len);
	struct span fraction = dot ? span_of(dot + 1, text.len - whole.len - 1) : (struct span){0};
	uint64_t value, part = 0;

	if (!decimal_read(whole, UINT32_MAX, &value) || fraction.len > places) return false;
	if (dot && !decimal_read(fraction, UINT32_MAX, &part)) return false;
	for (size_t i = 0; i < places; i++) value *= 10;
	for (size_t i = fraction.len; i < places; i++) part *= 10;
	*out = value + part;
	return true;
}

/* Degrees, then perhaps minutes, then perhaps seconds, then one of the two letters. */
static enum code angle_from_text(struct words *in, const char *letters, uint32_t max,
				 const char *expected)
{
	static const uint32_t units[] = {DEGREE, MINUTE, SECOND};
	uint64_t sum = 0, value;

	for (unsigned i = 0; i < 3; i++) {
		struct span word = words_front(in);
		if (i && word.len == 1 && memchr(letters, word.ptr[0], 4)) break;
		if (i == 2 ? !scaled_read(word, 3, &value) || value >= MINUTE
			   : !decimal_read(word, i ? 59 : max / DEGREE, &value))
			return words_expected_text(in, expected);
		sum += i == 2 ? value : value * units[i];
		in->at++;
	}
	struct span letter = words_front(in);
	if (letter.len != 1 || !memchr(letters, letter.ptr[0], 4))
		return words_expected_text(in, expected);
	if (sum > max) {
		in->at--;
		return words_expected_text(in, expected);
	}
	bool negative = (letter.ptr[0] | 0x20) == letters[3];
	write_u32(in->w, negative ? EQUATOR - (uint32_t)sum : EQUATOR + (uint32_t)sum);
	in->at++;
	return OK;
}

/* Metres with two digits of fraction, a last "m" allowed. */
static bool metres_read(struct span word, uint64_t *cm)
{
	if (word.len && (word.ptr[word.len - 1] | 0x20) == 'm') word.len--;
	return scaled_read(word, 2, cm);
}

static enum code altitude_from_text(struct words *in)
{
	struct span word = words_front(in);
	bool negative = word.len && word.ptr[0] == '-';
	uint64_t cm;

	if (negative) word = span_of(word.ptr + 1, word.len - 1);
	if (!metres_read(word, &cm) || (negative ? cm > (uint64_t)ALTITUDE_BASE_CM
						 : cm > UINT32_MAX - (uint64_t)ALTITUDE_BASE_CM))
		return words_expected_text(in, "an altitude from -100000.00m to 42849672.95m");
	write_u32(in->w, (uint32_t)(negative ? (uint64_t)ALTITUDE_BASE_CM - cm
					     : (uint64_t)ALTITUDE_BASE_CM + cm));
	in->at++;
	return OK;
}

/* Digits behind the first are cut, as the code in RFC 1876 does. */
static bool size_read(struct span word, uint8_t *size)
{
	const uint64_t cm_max = UINT64_C(9000000000);
	uint64_t cm;
	unsigned power = 0;

	if (!metres_read(word, &cm) || cm > cm_max) return false;
	while (cm > SIZE_DIGIT_MAX) {
		cm /= 10;
		power++;
	}
	*size = (uint8_t)(cm << 4 | power);
	return true;
}

enum code location_from_text(struct words *in)
{
	uint8_t sizes[] = {SIZE_DEFAULT, HORIZONTAL_DEFAULT, VERTICAL_DEFAULT};
	uint8_t *octets = writer_take(in->w, sizeof sizes + 1);
	enum code code;

	code = angle_from_text(
		in, "NSns", LATITUDE_MAX,
		"a latitude as degrees [minutes [seconds]] N or S, at most 90 degrees");
	if (code) return code;
	code = angle_from_text(in, "EWew", LONGITUDE_MAX,
			       "a longitude as degrees [minutes [seconds]] E or W, "
			       "at most 180 degrees");
	if (code) return code;
	code = altitude_from_text(in);
	if (code) return code;
	for (size_t i = 0; i < sizeof sizes && words_left(in); i++) {
		if (!size_read(words_front(in), &sizes[i]))
			return words_expected_text(in, "a size from 0.00m to 90000000.00m");
		in->at++;
	}
	if (!octets) return OK;
	octets[0] = 0;
	memcpy(octets + 1, sizes, sizeof sizes);
	return OK;
}

static void fraction_print(uint64_t value, unsigned unit, unsigned places, struct writer *w)
{
	decimal_print(value / unit, w);
	write_u8(w, '.');
	decimal_print_wide(value % unit, places, w);
}

static void angle_print(uint32_t angle, char positive, char negative, struct writer *w)
{
	uint32_t size = angle >= EQUATOR ? angle - EQUATOR : EQUATOR - angle;

	decimal_print(size / DEGREE, w);
	write_u8(w, ' ');
	decimal_print(size / MINUTE % 60, w);
	write_u8(w, ' ');
	fraction_print(size % MINUTE, SECOND, 3, w);
	write_u8(w, ' ');
	write_u8(w, (uint8_t)(angle >= EQUATOR ? positive : negative));
}

static void altitude_print(uint32_t altitude, struct writer *w)
{
	int64_t cm = altitude - ALTITUDE_BASE_CM;

	if (cm < 0) write_u8(w, '-');
	fraction_print((uint64_t)(cm < 0 ? -cm : cm), 100, 2, w);
	write_u8(w, 'm');
}

static void size_print(uint8_t size, struct writer *w)
{
	uint64_t cm = size >> 4;

	for (unsigned power = size & 15; power; power--) cm *= 10;
	write_u8(w, ' ');
	fraction_print(cm, 100, 2, w);
	write_u8(w, 'm');
}

/* A zero times a power of ten would come back as another zero. */
static bool is_plain_size(uint8_t size)
{
	return size >> 4 || !(size & 15);
}

bool location_print(struct reader *r, struct writer *w)
{
	uint8_t version = read_u8(r);
	struct span sizes = read_span(r, 3);
	uint32_t latitude = read_u32(r), longitude = read_u32(r), altitude = read_u32(r);

	if (version || r->failed) return false;
	angle_print(latitude, 'N', 'S', w);
	write_u8(w, ' ');
	angle_print(longitude, 'E', 'W', w);
	write_u8(w, ' ');
	altitude_print(altitude, w);
	for (size_t i = 0; i < sizes.len; i++) {
		if (!is_plain_size(sizes.ptr[i])) return false;
		size_print(sizes.ptr[i], w);
	}
	return true;
}

static bool is_size(uint8_t size)
{
	return size >> 4 <= SIZE_DIGIT_MAX && (size & 15) <= SIZE_DIGIT_MAX;
}

static bool is_angle(uint32_t angle, uint32_t max)
{
	return angle >= EQUATOR - max && angle <= EQUATOR + max;
}

/* Other versions than 0 have a format of their own, if ever there is one. */
bool location_check(struct reader *r)
{
	if (reader_left(r) && r->ptr[r->at]) {
		reader_skip(r, reader_left(r));
		return true;
	}
	read_u8(r);
	struct span sizes = read_span(r, 3);
	uint32_t latitude = read_u32(r), longitude = read_u32(r);
	reader_skip(r, 4);
	return !r->failed && is_size(sizes.ptr[0]) && is_size(sizes.ptr[1]) &&
	       is_size(sizes.ptr[2]) && is_angle(latitude, LATITUDE_MAX) &&
	       is_angle(longitude, LONGITUDE_MAX);
}
