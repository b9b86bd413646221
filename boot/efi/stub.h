/* SPDX-License-Identifier: MIT */
/*
 * stub.h - shared by the files of the EFI program: the part of the kernel's file that runs before the
 * kernel does.
 *
 * All of it is ordinary kernel code that happens to be called at the address where the firmware put
 * the file, with the firmware's mappings and stack, so it must not depend on where that is:
 * no initialised pointers (nobody relocates them), no printk, nothing of the kernel that keeps state,
 * except what only computes: lib/string.h and boot_cmdline_get. tools/check-efi looks at the objects.
 */
#pragma once

#include "boot/efi/efi.h"
#include "boot/efi/handoff.h"

/* The running program. Set once by efi_main. */
struct efi_program {
	void *handle;
	struct efi_system_table *system;
	struct efi_boot_services *boot;
	struct efi_loaded_image *image;
};
extern struct efi_program efi;

/* efi_fail - a line on the firmware's console: what is wrong, with which name (NULL: none), and the status in
 * words. Returns the status. */
efi_status efi_fail(const char *what, const char *name, efi_status status);

/* efi_text_from_utf16 - convert at most `units` 16-bit units, up to the first NUL.
 *  after: out is terminated UTF-8, cut between characters; what is no character becomes '?' */
void efi_text_from_utf16(char *out, size_t size, const u16 *text, size_t units);

/* efi_allocate - memory for the kernel: at least one byte, whole pages, aligned to `align` (a power of two,
 * at least a page). efi_release_all - give back all of it: the program ends without starting
 * the kernel. */
efi_status efi_allocate(u64 size, u64 align, paddr_t *at);
void efi_release_all(void);

/* efi_file_read - load a file of the volume that the program came from.
 *  name: from the root, '/' or '\\' between parts, ASCII
 *  fails: as the firmware says; EFI_NOT_FOUND without such a file or volume. No message. */
efi_status efi_file_read(const char *name, paddr_t *at, u64 *size);

/* efi_read_options - the command line, into the handoff and into boot_info for boot_cmdline_get.
 *  sources: the load options; else the file \quire\cmdline.txt; else it is empty
 *  returns: whether there were load options: somebody who starts programs by their own rules did so */
bool efi_read_options(struct efi_handoff *h);
/* efi_load_initrd - find the initramfs and load it: from the boot loader by the LoadFile2 protocol, or the
 * file that initrd= names, or one of a fixed name unless by_loader. One that cannot be read is an error, told on
 * the console; that nobody speaks of any is none: the device tree may. */
efi_status efi_load_initrd(struct efi_handoff *h, bool by_loader);

/* efi_take_framebuffer - describe the screen in the handoff, where there is one to draw on. */
void efi_take_framebuffer(struct efi_handoff *h);

/* efi_leave - end the firmware's boot services, with the memory map in the handoff.
 *  after: success: nothing of the firmware may be called any more */
efi_status efi_leave(struct efi_handoff *h);

/* efi_main - where the firmware enters (arch/aarch64/pe_header.S). Returns only when there is no starting. */
efi_status efi_main(void *handle, struct efi_system_table *system);

/* efi_enter_kernel - caches written back, MMU off, and to the entry in the image (arch/aarch64/efi_entry.S).
 *  args: physical addresses of the handoff and of the kernel's copy; bytes of it that were copied */
void efi_enter_kernel(paddr_t handoff, paddr_t image, u64 size) NORETURN;
