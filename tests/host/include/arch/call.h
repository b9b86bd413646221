/* SPDX-License-Identifier: MIT */
/* call.h - host tests have no fast paths. */
#pragma once

#define RARE_FUNCTION(fn)  _Static_assert(1, "")
#define rare_call(fn, ...) fn(__VA_ARGS__)
