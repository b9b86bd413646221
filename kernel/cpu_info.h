/* SPDX-License-Identifier: MIT */
/* cpu_info.h - a CPU in words, for /proc/cpuinfo. Provided by arch/<arch>/cpu_info.c. */
#pragma once

#include <quire/types.h>

/* cpu_info_describe - the paragraph of one CPU, ended by an empty line, in the format of that architecture's
 * Linux, cut to size and terminated. All CPUs are described as the one that asks is. Any context. */
void cpu_info_describe(unsigned cpu, char *buf, size_t size);
