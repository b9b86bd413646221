/* SPDX-License-Identifier: MIT */
/*
 * renamed_string.h - the library's versions of C functions under the names q_memcpy, q_strlen .., so
 * that a test can call them beside the C library's. To be included once, after harness.h.
 */
#pragma once

#define memcpy    q_memcpy
#define memmove   q_memmove
#define memset    q_memset
#define memcmp    q_memcmp
#define memchr    q_memchr
#define strlen    q_strlen
#define strnlen   q_strnlen
#define strcmp    q_strcmp
#define strncmp   q_strncmp
#define strchr    q_strchr
#define strrchr   q_strrchr
#define strstr    q_strstr
#define strlcpy   q_strlcpy
#define snprintf  q_snprintf
#define vsnprintf q_vsnprintf

#include "lib/string.c"
#include "lib/str.c"
#include "lib/printf.c"
#include "lib/snprintf.c"

#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef memchr
#undef strlen
#undef strnlen
#undef strcmp
#undef strncmp
#undef strchr
#undef strrchr
#undef strstr
#undef strlcpy
#undef snprintf
#undef vsnprintf
