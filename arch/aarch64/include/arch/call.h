/* SPDX-License-Identifier: MIT */
/*
 * call.h - calls that a fast path makes only now and then.
 *
 * The compiler puts off saving registers until it comes to where they are needed (-fshrink-wrap-separate), so such
 * calls are like all others here.
 */
#pragma once

/* RARE_FUNCTION - in one source file: make fn, which has one or two arguments that are integers or pointers, callable
 * by rare_call. If it is static, it is USED and NOINLINE. */
#define RARE_FUNCTION(fn) _Static_assert(1, "")

/* rare_call - fn(arguments). */
#define rare_call(fn, ...) fn(__VA_ARGS__)
