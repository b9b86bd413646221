/* SPDX-License-Identifier: MIT */
/* cpu_info.c - /proc/cpuinfo: what CPUID says, under Linux's names. (Intel SDM vol. 2, CPUID.) */
#include "kernel/cpu_info.h"

#include <arch/msr.h>
#include "arch/x86_64/internal.h"
#include "lib/printf.h"
#include "lib/string.h"

/* Names of the bits of one register, from bit 0 on; "-" has none. */
static const char edx1[] =
	"fpu vme de pse tsc msr pae mce cx8 apic - sep mtrr pge mca cmov pat pse36 pn clflush "
	"- dts acpi mmx fxsr sse sse2 ss ht tm ia64 pbe";
static const char edx_extended[] =
	"- - - - - - - - - - - syscall - - - - - - - mp nx - mmxext - - fxsr_opt "
	"pdpe1gb rdtscp - lm 3dnowext 3dnow";
static const char ecx1[] =
	"pni pclmulqdq dtes64 monitor ds_cpl vmx smx est tm2 ssse3 cid sdbg fma cx16 xtpr pdcm "
	"- pcid dca sse4_1 sse4_2 x2apic movbe popcnt tsc_deadline_timer aes xsave - avx f16c "
	"rdrand hypervisor";
static const char ecx_extended[] =
	"lahf_lm cmp_legacy svm extapic cr8_legacy abm sse4a misalignsse 3dnowprefetch "
	"osvw ibs xop skinit wdt - lwp fma4 tce - nodeid_msr - tbm topoext";
static const char ebx7[] =
	"fsgsbase tsc_adjust sgx bmi1 hle avx2 - smep bmi2 erms invpcid rtm cqm - mpx rdt_a "
	"avx512f avx512dq rdseed adx smap avx512ifma - clflushopt clwb intel_pt avx512pf "
	"avx512er avx512cd sha_ni avx512bw avx512vl";
static const char ecx7[] =
	"avx512vbmi umip pku ospke waitpkg avx512_vbmi2 - gfni vaes vpclmulqdq avx512_vnni "
	"avx512_bitalg tme - avx512_vpopcntdq - la57 - - - - - rdpid";

struct out {
	char *buf;
	size_t size, len;
};

static void PRINTF_LIKE(2, 3) put(struct out *o, const char *fmt, ...)
{
	size_t room = o->size - o->len;
	va_list args;

	va_start(args, fmt);
	o->len += MIN((size_t)vsnprintf(o->buf + o->len, room, fmt, args), room - 1);
	va_end(args);
}

static void put_flags(struct out *o, const char *names, u32 bits)
{
	while (*names) {
		const char *end = strchr(names, ' ');
		int len = end ? (int)(end - names) : (int)strlen(names);

		if ((bits & 1) && *names != '-')
			put(o, " %.*s", len, names);
		bits >>= 1;
		names += len + !!end;
	}
}

static void put_all_flags(struct out *o)
{
	struct cpuid one = cpuid_get(1, 0), extended = {0}, seven = {0};

	if (cpuid_get(0x80000000, 0).eax >= 0x80000001)
		extended = cpuid_get(0x80000001, 0);
	if (cpuid_get(0, 0).eax >= 7)
		seven = cpuid_get(7, 0);
	put(o, "flags\t\t:");
	put_flags(o, edx1, one.edx);
	put_flags(o, edx_extended, extended.edx);
	put_flags(o, ecx1, one.ecx);
	put_flags(o, ecx_extended, extended.ecx);
	put_flags(o, ebx7, seven.ebx);
	put_flags(o, ecx7, seven.ecx);
}

static void put_model_name(struct out *o)
{
	char name[49] = "unknown";

	if (cpuid_get(0x80000000, 0).eax >= 0x80000004)
		for (u32 i = 0; i < 3; i++) {
			struct cpuid r = cpuid_get(0x80000002 + i, 0);

			memcpy(name + i * 16, &r, 16);
			name[48] = 0;
		}
	put(o, "model name\t: %s\n", name);
}

void cpu_info_describe(unsigned cpu, char *buf, size_t size)
{
	struct out o = {buf, size, 0};
	u32 sig = cpu_features.signature, family = sig >> 8 & 0xf, model = sig >> 4 & 0xf;
	u64 hz = clock_tsc_hz();
	u32 line = (cpuid_get(1, 0).ebx >> 8 & 0xff) * 8;

	if (family == 6 || family == 15)
		model |= sig >> 12 & 0xf0;
	if (family == 15)
		family += sig >> 20 & 0xff;
	put(&o, "processor\t: %u\nvendor_id\t: %s\ncpu family\t: %u\nmodel\t\t: %u\n", cpu,
	    cpu_features.vendor, family, model);
	put_model_name(&o);
	put(&o, "stepping\t: %u\ncpu MHz\t\t: %lu.%03lu\n", sig & 0xf, hz / 1000000,
	    hz / 1000 % 1000);
	put(&o,
	    "physical id\t: 0\ncore id\t\t: %u\nfpu\t\t: yes\nfpu_exception\t: yes\n"
	    "cpuid level\t: %u\nwp\t\t: yes\n",
	    cpu, cpuid_get(0, 0).eax);
	put_all_flags(&o);
	put(&o, "\nbogomips\t: %lu.%02lu\nclflush size\t: %u\ncache_alignment\t: %u\n\n",
	    hz / 500000, hz / 5000 % 100, line, line);
}
