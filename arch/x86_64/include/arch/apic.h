/* SPDX-License-Identifier: MIT */
/*
 * apic.h - local and I/O APICs, and who uses which interrupt vector. Private to arch/x86_64.
 *
 *   00-1f exceptions   20-2f the unused 8259s   30-ef devices   f0-ff CPU-local
 */
#pragma once

#define VEC_8259      0x20
#define VEC_IRQ_FIRST 0x30
#define VEC_IRQ_LAST  0xef
#define VEC_TIMER     0xf0
#define VEC_CALL      0xf1
#define VEC_KICK      0xf2
#define VEC_ERROR     0xfe
#define VEC_SPURIOUS  0xff

#include <quire/types.h>

/* apic_init - find out how to talk to the local APIC. Boot CPU, once, after mm_init. */
void apic_init(void);
/* apic_init_cpu - switch this CPU's on, everything masked but the wires that carry NMIs. */
void apic_init_cpu(void);
void apic_eoi(void);
u32 apic_error(void);

/* apic_send - a fixed interrupt, or one of the special messages, to the CPU with this APIC id. */
void apic_send_vector(u32 apic_id, u8 vector);
void apic_send_nmi(u32 apic_id);
void apic_send_init(u32 apic_id);
void apic_send_startup(u32 apic_id, paddr_t page);

/* The timer that every local APIC has: counts down from `count` (0 stops it) and interrupts at 0. */
void apic_timer_setup(bool tsc_deadline, bool masked);
void apic_timer_set(u32 count);
u32 apic_timer_left(void);

/* ioapic_init - map the I/O APICs and mask every pin. ioapic_serves - is there a pin for this GSI?
 * ioapic_route - from now on deliver it, which has a pin, to a CPU. */
void ioapic_init(void);
bool ioapic_serves(u32 gsi);
void ioapic_route(u32 gsi, u8 vector, u32 apic_id, bool level, bool active_low);

/* irq_dispatch - run the handlers of a vector. Interrupts off. */
void irq_dispatch(unsigned vector);
