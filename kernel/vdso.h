/* SPDX-License-Identifier: MIT */
/*
 * vdso.h - the small shared library that the kernel maps into every program, and its page of data.
 *
 *	vdso - PAGE_SIZE   [vvar]   struct vdso_data, read-only
 *	vdso               [vdso]   the library's image: ELF header first, AT_SYSINFO_EHDR names it
 *
 * With it programs read clocks without entering the kernel, and on aarch64 signal handlers return through it.
 *
 * Read next: vdso/clock.h, which is what runs there; docs/vdso.md.
 */
#pragma once

#include <quire/types.h>

struct clock_params;
struct space;

/* vdso_init - make the pages that all programs share. Boot, once, before the first program is loaded and when the
 * clock will not be exchanged any more. Panics when memory is short. */
void vdso_init(void);

/* vdso_map - put both mappings into a new space, above its stack, at a place that this random number chooses.
 *  needs: space->stack_top, with VDSO_ROOM free above it   after: space->vdso
 *  sleeps: yes   returns: 0 or -ENOMEM */
int vdso_map(struct space *, u64 random);
#define VDSO_ROOM MIB(4)

/* vdso_set_clock - tell programs how to compute the time; NULL: by system calls. Callers exclude each other
 * and have interrupts off. Harmless before vdso_init. */
void vdso_set_clock(const struct clock_params *, s64 realtime_offset, s64 tai_offset);

/* vdso_sigreturn - the address in this space at which a signal handler ends that has no restorer. */
vaddr_t vdso_sigreturn(const struct space *);
