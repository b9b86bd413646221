/* SPDX-License-Identifier: MIT */
/* power.h - ways to end. None returns; where the firmware has no such call the CPU halts. */
#pragma once

#include <quire/compiler.h>

void arch_power_off(void) NORETURN; /* PSCI; QEMU ends with status 0 */
void arch_reset(void) NORETURN;
/* arch_exit_failure - after a panic: tell an emulator or debugger by semihosting, then halt. The other
 * CPUs are stopped. QEMU with -semihosting ends with status 1. */
void arch_exit_failure(void) NORETURN;
