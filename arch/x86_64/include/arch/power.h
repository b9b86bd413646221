/* SPDX-License-Identifier: MIT */
/* power.h - the ways to stop the machine. None of them returns; none sleeps or takes a lock. */
#pragma once

#include <quire/compiler.h>

/* arch_power_off - soft off (ACPI S5). Halts with a message where the machine cannot do it. */
void arch_power_off(void) NORETURN;
/* arch_reset - restart the machine. */
void arch_reset(void) NORETURN;
/* arch_exit_failure - end of a panic: under an emulator with a debug-exit device leave with a failing
 * status, else halt, so that the message stays on the screen. */
void arch_exit_failure(void) NORETURN;
