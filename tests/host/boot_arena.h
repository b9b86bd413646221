/* SPDX-License-Identifier: MIT */
/*
 * boot_arena.h - a machine's physical memory for the tests of boot/.
 *
 * Memory is a set of regions, each a heap block of exactly its size, so that the address sanitizer
 * sees a read one byte behind a table. Messages are collected instead of printed, and a panic comes
 * back to the test.
 */
#pragma once

#include "tests/host/harness.h"
#include "boot/boot_info.h"

#define ARENA_KERNEL_BASE 0x1000000
#define ARENA_KERNEL_SIZE 0x200000

/* arena_reset - no memory, no messages, an empty boot_info; the running CPU has hw_id 0. */
void arena_reset(void);
/* arena_add - zeroed memory at a physical address; overlapping an older region hides that one. */
u8 *arena_add(paddr_t pa, size_t size);
/* arena_cut - let the region at pa end after `size` bytes. */
void arena_cut(paddr_t pa, size_t size);
extern u64 arena_boot_hw_id;

/* arena_said - whether a message contained this text. */
bool arena_said(const char *text);
/* arena_panics - run a protocol reader; true when it ended in a panic. */
bool arena_panics(void (*boot_from)(paddr_t), paddr_t arg);
/* arena_check - what holds for boot_info whatever firmware said; only after no panic. */
void arena_check(void);

/* Little-endian stores into tables. */
void put_le16(u8 *p, u64 v);
void put_le32(u8 *p, u64 v);
void put_le64(u8 *p, u64 v);

/* arena_acpi - a table: header with signature, length and checksum, then the body. Returns the table. */
u8 *arena_acpi(paddr_t pa, const char *signature, const void *body, size_t body_size);
/* acpi_seal - set the byte at `at` so that all `length` bytes add up to 0. */
void acpi_seal(u8 *table, size_t length, size_t at);
/* arena_rsdp - a root pointer; revision 2 when xsdt is not 0. */
u8 *arena_rsdp(paddr_t pa, paddr_t rsdt, paddr_t xsdt);
