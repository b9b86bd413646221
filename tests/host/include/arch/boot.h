/* SPDX-License-Identifier: MIT */
/* boot.h - what a simulated machine has of the boot code. */
#pragma once

#include "boot/early.h"

extern char boot_stack[];
extern char kimage_start[], kimage_end[]; /* test_efi.c */
