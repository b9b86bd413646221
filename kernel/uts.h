/* SPDX-License-Identifier: MIT */
/* uts.h - the system's names, as uname(2) and /proc/sys/kernel tell them. */
#pragma once

#include <quire/types.h>
#include <uapi/misc.h>

/* uts_get - a copy of all of them. uts_set - change one that can be changed, at the given offset in struct
 * uapi_utsname, to n characters (n < sizeof of the field), the rest of it zeroed. Neither sleeps. */
void uts_get(struct uapi_utsname *);
void uts_set(size_t field, const char *s, size_t n);
