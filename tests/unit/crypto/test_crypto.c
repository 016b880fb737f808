/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "base/encoding.h"
#include "crypto/mac.h"

static bool is_hex(const uint8_t *octets, size_t len, const char *expected)
{
	char text[2 * DIGEST_LEN_MAX];
	struct writer w = writer_of(text, sizeof text);

	base16_encode(span_of(octets, len), &w);
	return !w.overflow && span_is_text(writer_span(&w), expected);
}

/* FIPS 180-4 examples: one block, "abc". */
static const char *const abc[DIGEST_COUNT] = {
	[DIGEST_SHA1] = "a9993e364706816aba3e25717850c26c9cd0d89d",
	[DIGEST_SHA224] = "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7",
	[DIGEST_SHA256] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
	[DIGEST_SHA384] = "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
			  "8086072ba1e7cc2358baeca134c825a7",
	[DIGEST_SHA512] = "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
			  "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
};

TEST(fips_180_4_digests_come_out_at_once_and_in_pieces)
{
	struct crypto *crypto = crypto_new(NULL);

	CHECK(crypto != NULL);
	for (enum digest_algorithm a = 0; a < DIGEST_COUNT; a++) {
		uint8_t out[DIGEST_LEN_MAX];
		struct digest *digest = digest_new(crypto, a);

		CHECK(digest != NULL);
		CHECK(digest_len(a) * 2 == strlen(abc[a]));
		for (int round = 0; round < 3; round++) {
			CHECK(digest_compute(crypto, a, span_of_text("abc"), out));
			CHECK(is_hex(out, digest_len(a), abc[a]));
			digest_begin(digest);
			digest_add(digest, span_of_text("a"));
			digest_add(digest, (struct span){0});
			digest_add(digest, span_of_text("bc"));
			CHECK(digest_end(digest, out));
			CHECK(is_hex(out, digest_len(a), abc[a]));
		}
		digest_free(digest);
	}
	crypto_free(crypto);
}

TEST(a_digest_ends_once_and_begins_anew_after_a_half_one)
{
	struct crypto *crypto = crypto_new(NULL);
	struct digest *digest = digest_new(crypto, DIGEST_SHA256);
	uint8_t out[DIGEST_LEN_MAX];

	digest_begin(digest);
	digest_add(digest, span_of_text("left behind"));
	digest_begin(digest);
	digest_add(digest, span_of_text("abc"));
	CHECK(digest_end(digest, out) && is_hex(out, 32, abc[DIGEST_SHA256]));
	CHECK(!digest_end(digest, out));
	digest_free(digest);
	crypto_free(crypto);
}

/* RFC 2202 (SHA-1) and RFC 4231 (SHA-2), test case 1. */
static const char *const hi_there[DIGEST_COUNT] = {
	[DIGEST_SHA1] = "b617318655057264e28bc0b6fb378c8ef146be00",
	[DIGEST_SHA224] = "896fb1128abbdf196832107cd49df33f47b4b1169912ba4f53684b22",
	[DIGEST_SHA256] = "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
	[DIGEST_SHA384] = "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59c"
			  "faea9ea9076ede7f4af152e8b2fa9cb6",
	[DIGEST_SHA512] = "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
			  "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854",
};

TEST(rfc4231_macs_come_out_at_once_and_in_pieces)
{
	struct crypto *crypto = crypto_new(NULL);
	uint8_t secret[20];

	memset(secret, 0x0b, sizeof secret);
	for (enum digest_algorithm a = 0; a < DIGEST_COUNT; a++) {
		struct mac *mac = mac_new(crypto, a), *borrowed = mac_borrow(crypto, a);
		uint8_t out[MAC_LEN_MAX];

		CHECK(mac != NULL && !mac_end(mac, out));
		mac_begin(borrowed, span_of(secret, sizeof secret));
		mac_add(borrowed, span_of_text("Hi "));
		mac_add(borrowed, (struct span){0});
		mac_add(borrowed, span_of_text("There"));
		CHECK(mac_end(borrowed, out) && !mac_end(borrowed, out));
		mac_begin(borrowed, span_of(secret, sizeof secret));
		mac_add(borrowed, span_of_text("Hi There"));
		CHECK(mac_end(borrowed, out));
		CHECK(is_hex(out, digest_len(a), hi_there[a]));
		mac_begin(mac, span_of(secret, sizeof secret));
		for (int round = 0; round < 3; round++) {
			mac_add(mac, span_of_text("Hi There"));
			CHECK(mac_end(mac, out) && is_hex(out, digest_len(a), hi_there[a]));
			mac_begin_again(mac);
		}
		mac_free(mac);
	}
	crypto_free(crypto);
}

static bool mac_of(struct crypto *crypto, struct span secret, struct span text, uint8_t *out)
{
	struct mac *mac = mac_borrow(crypto, DIGEST_SHA256);

	mac_begin(mac, secret);
	mac_add(mac, text);
	return mac_end(mac, out);
}

/* RFC 4231, test case 6: a secret longer than the block; then one shorter again. */
TEST(a_mac_takes_secrets_of_any_length_one_after_another)
{
	struct crypto *crypto = crypto_new(NULL);
	struct span text = span_of_text("Test Using Larger Than Block-Size Key - Hash Key First");
	uint8_t secret[131], out[MAC_LEN_MAX], again[MAC_LEN_MAX];

	memset(secret, 0xaa, sizeof secret);
	CHECK(mac_of(crypto, span_of(secret, 131), text, out));
	CHECK(is_hex(out, 32, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"));
	CHECK(mac_of(crypto, (struct span){0}, text, out));
	CHECK(mac_of(crypto, span_of(secret, 131), text, again));
	CHECK(mac_of(crypto, (struct span){0}, text, again));
	CHECK(memcmp(out, again, 32) == 0);
	crypto_free(crypto);
}

TEST(secrets_compare_by_every_octet_and_can_be_wiped)
{
	uint8_t a[32] = {0}, b[32] = {0};

	CHECK(secret_equal(span_of(a, 32), span_of(b, 32)));
	CHECK(!secret_equal(span_of(a, 32), span_of(b, 31)));
	CHECK(secret_equal((struct span){0}, (struct span){0}));
	for (size_t i = 0; i < 32; i++) {
		b[i] = 0x80;
		CHECK(!secret_equal(span_of(a, 32), span_of(b, 32)));
		secret_wipe(b, sizeof b);
		CHECK(secret_equal(span_of(a, 32), span_of(b, 32)));
	}
	crypto_free(NULL);
	digest_free(NULL);
	mac_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fips_180_4_digests_come_out_at_once_and_in_pieces),
		cmocka_unit_test(a_digest_ends_once_and_begins_anew_after_a_half_one),
		cmocka_unit_test(rfc4231_macs_come_out_at_once_and_in_pieces),
		cmocka_unit_test(a_mac_takes_secrets_of_any_length_one_after_another),
		cmocka_unit_test(secrets_compare_by_every_octet_and_can_be_wiped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
