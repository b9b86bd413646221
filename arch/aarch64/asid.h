/* SPDX-License-Identifier: MIT */
/* asid.h - identifiers of address spaces: private to arch/aarch64. */
#pragma once

#include <quire/types.h>

#define ASID_BITS 16u /* of a number, whatever the hardware has; the generation is above */
#define ASID_MASK (BIT(ASID_BITS) - 1)

/* asid_init - the hardware has 2^bits identifiers. Before the first asid_assign. There must be more than
 * twice as many as CPUs. */
void asid_init(unsigned bits);

/* asid_assign - the identifier under which this CPU is going to run a space.
 *  space_id: the space's word [a]; 0 when it has none yet
 *  flush:    set when this CPU must empty its TLB before it uses the result
 *  needs:    interrupts off   locks: none outside   fails: no */
u64 asid_assign(u64 *space_id, bool *flush);
