/* SPDX-License-Identifier: MIT */
/* fdt_devices.h - internal to boot/: the devices of a device tree that the kernel needs to start. */
#pragma once

#include "boot/fdt.h"

/* fdt_read_device - record an enabled node in boot_info when it is one of the devices we know:
 * interrupt controller, timer, PSCI, PCI host.
 *  fails: no; a known device with unusable properties is named on the console and skipped */
void fdt_read_device(const struct fdt_walk *w);

/* fdt_read_uart - make the node the console if it is a serial port we can drive.
 *  args:    baud: rate to set, 0: leave it
 *  returns: false when it is no such port */
bool fdt_read_uart(const struct fdt_walk *w, u32 baud);
