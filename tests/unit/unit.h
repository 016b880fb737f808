/* SPDX-License-Identifier: Apache-2.0 */
/* unit.h - cmocka with the headers it wants in front of it. */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* A test function; the name is the claim. */
#define TEST(name) static void name(void **state __attribute__((unused)))

#define CHECK(condition) assert_true(condition)

#endif
