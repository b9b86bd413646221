/* SPDX-License-Identifier: MIT */
/* psci.h - calls into firmware for CPU and machine power (Arm DEN 0022, SMC calling convention). */
#pragma once

#include <quire/types.h>

#define PSCI_SYSTEM_OFF   0x84000008u
#define PSCI_SYSTEM_RESET 0x84000009u
#define PSCI_CPU_ON_64    0xc4000003u

#define PSCI_NOT_SUPPORTED  -1
#define PSCI_INVALID_PARAMS -2
#define PSCI_ALREADY_ON     -4

/* psci_call - by the conduit that boot_info names. Returns PSCI_NOT_SUPPORTED when there is none. */
s64 psci_call(u32 function, u64 a, u64 b, u64 c);
