/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz.h - the entry that libFuzzer and replay.c call. */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

__attribute__((visibility("default"))) int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
