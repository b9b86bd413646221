/* SPDX-License-Identifier: MIT */
/* cpu.h - the instructions of a simulated CPU; see tests/host/sim.h for what an interrupt is. */
#pragma once

#include <quire/types.h>
#include <quire/compiler.h>

void cpu_relax(void);
unsigned long cpu_irq_save(void);
void cpu_irq_restore(unsigned long flags);
void cpu_irq_enable(void);
void cpu_irq_disable(void);
bool cpu_irqs_enabled(void);

#define mb()  __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define rmb() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define wmb() __atomic_thread_fence(__ATOMIC_SEQ_CST)
