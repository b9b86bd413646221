/* SPDX-License-Identifier: MIT */
/*
 * sim_space.h - what tests of whole address spaces share: a machine, an object to map, and accesses made as a
 * CPU makes them (look at the entry, fault if it forbids, look again).
 */
#pragma once

#include "mm/fault/internal.h"
#include "mm/map/map.h"
#include "mm/obj/object.h"
#include "tests/host/harness.h"
#include "tests/host/sim.h"

#define BASE      (GIB(1) - 80 * PAGE_SIZE) /* across a bound of the upper tables */
#define OBJ_PAGES 40

/* One object of OBJ_PAGES pages; the first word of each is object_content(its number). */
extern struct object *object;
u32 object_content(u32 index);

/* start - a machine of that many CPUs, and the object. */
void start(unsigned cpus);
/* end - the end of a test that makes no claims about leaks. */
void end(struct space *);

/* space_with - a space with that many writable anonymous pages at BASE. */
struct space *space_with(unsigned pages);
/* entry_allows - would the CPU let user mode do it without a fault? */
bool entry_allows(struct space *, vaddr_t, bool write, struct pt_slot *);
/* touch - read the word at va, or write it; DONE or what the fault came to. */
enum fault_result touch(struct space *, vaddr_t va, bool write, u32 *word);
/* frame_of - the frame mapped at va; 0: none. */
u64 frame_of(struct space *, vaddr_t va);
