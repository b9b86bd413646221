/* SPDX-License-Identifier: MIT */
/* main.h - where the architecture hands over. */
#pragma once

#include <quire/compiler.h>

/* kernel_main - bring everything up and become the boot CPU's idle loop.
 *  needs: boot_info filled in, traps installed, interrupts off, on the boot stack and boot page tables */
void kernel_main(void) NORETURN;
