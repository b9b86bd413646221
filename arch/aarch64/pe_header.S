/* SPDX-License-Identifier: MIT */
/*
 * pe_header.S - the second header of the image: what a UEFI firmware reads of it.
 *
 * The file is a plain arm64 image and an EFI program at once. The first two bytes of its first
 * instruction are "MZ", the word at 60 leads here, and here begins an ordinary PE32+ header. File offsets
 * and relative addresses are the same, so the image needs no other layout. Header and code stay apart:
 * a section must not cover the headers, and no section is both writable and executable.
 *
 * There is nothing to relocate: what runs before the kernel (boot/efi/) does not care where it is.
 *
 * Reference: Microsoft PE and COFF specification, sections 3 and 4; UEFI specification 2.10, 2.1.
 */
#include <arch/layout.h>

#define HEADERS_SIZE	KIMAGE_HEADERS
#define ARM64_HEADER	64
#define PAGE		4096

#define MACHINE_ARM64	0xaa64
#define IS_EXECUTABLE	0x0002
#define NO_LINES	0x0004
#define NO_DEBUG	0x0200
#define PE32_PLUS	0x20b
#define EFI_APPLICATION	10
#define NX_COMPATIBLE	0x100
#define HAS_CODE	0x00000020
#define HAS_DATA	0x00000040
#define MAY_EXECUTE	0x20000000
#define MAY_READ	0x40000000
#define MAY_WRITE	0x80000000

/* RVA - where a symbol that is linked high lies from the start of the image: minus KIMAGE_BASE, modulo 2^64. */
#define RVA(symbol)	(symbol + 0x80000000)
#if KIMAGE_BASE + 0x80000000 != 0
#error "RVA knows the value of KIMAGE_BASE"
#endif
#define CODE_SIZE	(RVA(text_end) - HEADERS_SIZE)

.macro section name:req, virtual_size:req, start:req, file_size:req, rights:req
1:	.ascii	"\name"
	.org	1b + 8
	.long	\virtual_size
	.long	\start
	.long	\file_size
	.long	\start				/* offset in the file */
	.long	0, 0, 0				/* relocations, line numbers */
	.long	\rights
.endm

	.section .head.pe, "a"
pe_header:
	.ascii	"PE\0\0"
	.short	MACHINE_ARM64
	.short	3				/* sections */
	.long	0, 0, 0				/* time, symbols */
	.short	sections - optional_header
	.short	IS_EXECUTABLE | NO_LINES | NO_DEBUG

optional_header:
	.short	PE32_PLUS
	.byte	0, 0				/* linker version */
	.long	CODE_SIZE
	.long	kimage_data_size			/* without constants: nobody adds up */
	.long	0
	.long	RVA(efi_main)
	.long	HEADERS_SIZE			/* code from here on */
	.quad	0				/* preferred base: none */
	.long	PAGE				/* alignment in memory */
	.long	512				/* and in the file */
	.short	0, 0				/* system version */
	.short	1, 0				/* of the image; 1: takes an initramfs by LoadFile2 */
	.short	0, 0				/* subsystem version */
	.long	0
	.long	kimage_size
	.long	HEADERS_SIZE
	.long	0				/* checksum: not used */
	.short	EFI_APPLICATION
	.short	NX_COMPATIBLE
	.quad	0, 0, 0, 0			/* stack and heap: the firmware's */
	.long	0
	.long	6				/* directories, all empty */
	.quad	0, 0, 0, 0, 0, 0

sections:
	section	.text, CODE_SIZE, HEADERS_SIZE, CODE_SIZE, HAS_CODE | MAY_EXECUTE | MAY_READ
	section	.rodata, rodata_size, RVA(rodata_start), rodata_size, HAS_DATA | MAY_READ
	section	.data, kimage_data_size, RVA(init_start), kimage_data_file_size, HAS_DATA | MAY_READ | MAY_WRITE
	.org	pe_header + HEADERS_SIZE - ARM64_HEADER
