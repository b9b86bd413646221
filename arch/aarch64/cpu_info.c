/* SPDX-License-Identifier: MIT */
/* cpu_info.c - /proc/cpuinfo: what the ID registers say, under the names that AT_HWCAP's bits have on Linux. */
#include "kernel/cpu_info.h"

#include <arch/sysreg.h>
#include "arch/aarch64/internal.h"
#include "lib/printf.h"

static const char *const hwcap_names[32] = {
	"fp",      "asimd", "evtstrm", "aes",   "pmull",    "sha1",   "sha2", "crc32",
	"atomics", "fphp",  "asimdhp", "cpuid", "asimdrdm", "jscvt",  "fcma", "lrcpc",
	"dcpop",   "sha3",  "sm3",     "sm4",   "asimddp",  "sha512", "sve",  "asimdfhm",
	"dit",     "uscat", "ilrcpc",  "flagm", "ssbs",     "sb",     "paca", "pacg",
};
static const char *const hwcap2_names[32] = {
	[0] = "dcpodp", [7] = "flagm2", [8] = "frint", [13] = "i8mm",
	[14] = "bf16",  [15] = "dgh",   [16] = "rng",
};

static size_t put_names(char *buf, size_t size, size_t n, const char *const *names, u64 caps)
{
	for (unsigned i = 0; i < 32; i++)
		if ((caps & BIT(i)) && names[i] && n < size)
			n += (size_t)snprintf(buf + n, size - n, " %s", names[i]);
	return n;
}

void cpu_info_describe(unsigned cpu, char *buf, size_t size)
{
	u64 midr = sysreg_read(midr_el1), hz = sysreg_read(cntfrq_el0);
	size_t n = (size_t)snprintf(buf, size,
				    "processor\t: %u\nBogoMIPS\t: %lu.%02lu\nFeatures\t:", cpu,
				    hz / 500000, hz / 5000 % 100);

	n = put_names(buf, size, n, hwcap_names, cpu_features.hwcap);
	n = put_names(buf, size, n, hwcap2_names, cpu_features.hwcap2);
	if (n < size)
		snprintf(buf + n, size - n,
			 "\nCPU implementer\t: 0x%02lx\nCPU architecture: 8\nCPU variant\t: 0x%lx\n"
			 "CPU part\t: 0x%03lx\nCPU revision\t: %lu\n\n",
			 midr >> 24 & 0xff, midr >> 20 & 0xf, midr >> 4 & 0xfff, midr & 0xf);
}
