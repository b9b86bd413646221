/* SPDX-License-Identifier: MIT */
/*
 * boot_info.h - everything the kernel knows about the machine it was started on.
 *
 * One struct, filled once by the files of boot/ (whatever protocol started us), read by everyone
 * else and never written again. Firmware tables are read in boot/ only: no other directory knows
 * what a MADT or a device tree is. Strings and tables are copied, so that the memory they lay in
 * can be given to the page allocator.
 *
 * Read next: boot/memory_map.c (how overlapping firmware ranges become a sorted map), then the
 * protocol your machine uses: boot/pvh.c, boot/multiboot2.c, boot/arm64_image.c, boot/efi/stub.c.
 */
#pragma once

#include <quire/types.h>

#define BOOT_MAX_CPUS     256
#define BOOT_MAX_RANGES   128
#define BOOT_MAX_RESERVED 64
#define BOOT_CMDLINE_SIZE 2048

enum boot_mem_kind {
	BOOT_MEM_RAM,
	BOOT_MEM_RESERVED,
	BOOT_MEM_ACPI, /* tables and what firmware keeps across sleep: not used as RAM */
	BOOT_MEM_BAD,
};

struct boot_range {
	paddr_t base; /* bytes; page-aligned in boot_info.ram, as given in .reserved */
	u64 size;     /* bytes; never 0 */
	enum boot_mem_kind kind;
};

struct boot_cpu {        /* one that is running or can be started */
	u64 hw_id;       /* APIC id, or MPIDR affinity fields */
	paddr_t gicr;    /* aarch64: redistributor of this CPU when listed singly, else 0 */
	paddr_t release; /* aarch64 spin-table: address to write the entry point to, else 0 */
	u32 acpi_uid;
};

enum boot_uart_kind { BOOT_UART_NONE, BOOT_UART_16550_PIO, BOOT_UART_16550_MMIO, BOOT_UART_PL011 };

struct boot_uart {
	enum boot_uart_kind kind;
	u64 base;      /* I/O port or physical address */
	u32 reg_shift; /* MMIO 16550: log2 of the register spacing */
	u32 reg_width; /* bytes per register access: 1 or 4 */
	u32 clock_hz;  /* input clock; 0: unknown */
	u32 baud; /* to be set where the clock is known; 0: leave the firmware's divisor alone */
	u32 irq;  /* GSI (x86_64) or GIC INTID (aarch64); BOOT_NO_IRQ: poll */
};
#define BOOT_NO_IRQ (~0u)

/* A linear framebuffer: rows of pixels from the top left. boot/framebuffer.c has checked it. */
struct boot_colour { /* where a colour lies in a pixel */
	u8 shift, bits;
};

struct boot_framebuffer {
	paddr_t base;      /* 0: there is none */
	u32 width, height; /* pixels */
	u32 pitch;         /* bytes from one row to the next */
	u32 pixel_size;    /* bytes: 2, 3 or 4, in little-endian order */
	struct boot_colour red, green, blue;
};

/* x86_64: what MADT, FADT and HPET said. Addresses are physical; 0 means absent. */
struct boot_ioapic {
	paddr_t base;
	u32 gsi_base;
	u8 id;
};

struct boot_irq_override { /* ISA interrupt -> GSI */
	u32 gsi;
	u8 isa_irq;
	bool active_low, level;
};

struct boot_pc {
	paddr_t lapic;
	struct boot_ioapic ioapics[8];
	u32 nr_ioapics;
	struct boot_irq_override overrides[16];
	u32 nr_overrides;
	bool has_nmi_lint;
	u8 nmi_lint; /* which LINT pin of every local APIC carries NMI */
	paddr_t hpet;
	u32 pm_timer_port;
	bool pm_timer_32bit;
	bool has_8259;
	u32 pm1a_cnt_port, pm1b_cnt_port; /* S5: write slp_typ << 10 | 1 << 13 */
	u8 slp_typ_a, slp_typ_b;
	bool has_s5;
	paddr_t sleep_control; /* hardware-reduced ACPI: byte register in memory; 0: none */
	u32 keyboard_irq;      /* GSI of the first PS/2 port */
	u32 smi_cmd_port;
	u8 acpi_enable;
	bool has_reset_reg;
	u8 reset_space; /* 0 memory, 1 I/O */
	u64 reset_addr;
	u8 reset_value;
};

/* aarch64: interrupt controller, timer and firmware calls. */
enum boot_psci { BOOT_PSCI_NONE, BOOT_PSCI_HVC, BOOT_PSCI_SMC };

struct boot_gicr_region {
	paddr_t base;
	u64 size;
};

struct boot_arm {
	u32 gic_version; /* 2 or 3; 0: none found */
	paddr_t gicd, gicc;
	struct boot_gicr_region gicr[8];
	u32 nr_gicr;
	u32 timer_virt_intid, timer_phys_intid; /* PPIs as INTIDs, usually 27 and 30 */
	enum boot_psci psci;
	paddr_t rtc; /* a PL031; 0: none */
	/* Raspberry Pi 3: the cores' interrupt controller, the devices', power management, firmware; 0: none */
	paddr_t bcm_local, bcm_devices, bcm_power, bcm_mailbox;
};

struct boot_pci { /* one ECAM window (MCFG entry or DT pci-host-ecam-generic) */
	paddr_t ecam;
	u16 segment;
	u8 bus_first, bus_last;
};

struct boot_info {
	const char *protocol; /* "pvh", "multiboot2", "arm64 image", "EFI" */
	char cmdline[BOOT_CMDLINE_SIZE];
	paddr_t initrd;
	u64 initrd_size; /* bytes; 0: none given */

	/* Usable memory and nothing else: sorted, disjoint, page-aligned inwards. */
	struct boot_range ram[BOOT_MAX_RANGES];
	u32 nr_ram;
	/* Taken although it may lie in .ram: kernel, initramfs, .. Sorted and disjoint, any bytes. */
	struct boot_range reserved[BOOT_MAX_RESERVED];
	u32 nr_reserved;

	struct boot_cpu cpus[BOOT_MAX_CPUS]; /* [0] is the boot CPU */
	u32 nr_cpus;
	struct boot_uart console;
	struct boot_framebuffer framebuffer;
	struct boot_pci pci[4];
	u32 nr_pci;
	u8 rng_seed[64];
	u32 rng_seed_len;
	u64 unix_time; /* seconds since 1970 at the hand-over, from firmware; 0: unknown */

	paddr_t rsdp, fdt; /* where they were found; 0: none */
	struct boot_pc pc;
	struct boot_arm arm;
};

/* boot_info - the only instance. Constant after boot_info_finish(). */
extern struct boot_info boot_info;

/* Protocol readers: called by the architecture's entry code on the boot page tables, one CPU, before
 * any allocator exists. They read physical memory through arch_early_map (boot/early.h). Each fills
 * boot_info and ends in boot_info_finish(). A structure that is damaged is named on the console and
 * skipped; nothing here panics unless there is no memory map.
 *  args: physical address that the loader passed */
void boot_from_pvh(paddr_t start_info);
void boot_from_multiboot2(paddr_t info);
void boot_from_fdt(paddr_t fdt);

/* boot_info_finish - resolve the memory map, reserve the kernel image and initramfs, put the running
 * CPU first, print a summary.
 *  fails: panics when there is no RAM */
void boot_info_finish(void);

/* boot_add_range - one range as firmware lists it, until boot_info_finish.
 *  args:  base, size: bytes; any order, overlaps and unaligned edges are fine
 *  after: memory that any kind but RAM touches is not in boot_info.ram. A full list is reported once:
 *         RAM is then dropped, other kinds are joined with the gap to their closest neighbour
 * boot_reserve - the same for memory that stays RAM but is in use; at any time during boot. */
void boot_add_range(paddr_t base, u64 size, enum boot_mem_kind kind);
void boot_reserve(paddr_t base, u64 size);

/* boot_set_framebuffer - take what firmware or a loader calls a framebuffer. Before boot_info_finish; what is no
 * memory by the firmware's map also later, before kernel_main.
 *  after: boot_info.framebuffer, and its memory is no RAM; unchanged, with a message, where the description
 *         contradicts itself or is of a kind that cannot be drawn on */
void boot_set_framebuffer(const struct boot_framebuffer *);

/* boot_cmdline_get - find `key` or `key=value` among the words of the command line.
 *  returns: true when present; value without quotes in buf, cut to size - 1 characters, empty when
 *           there is none. The last one counts; words behind "--" belong to init
 *  sleeps:  no; callable at any time after boot_info_finish
 * boot_cmdline_get_u64 - the same for a number: decimal or 0x hex, suffix K, M or G.
 *  returns: false also when the value is no such number; *out is then untouched */
bool boot_cmdline_get(const char *key, char *buf, size_t size);
bool boot_cmdline_get_u64(const char *key, u64 *out);
/* boot_cmdline_has - is this a word of the command line, by itself or with a comma and options behind it? */
bool boot_cmdline_has(const char *word);
