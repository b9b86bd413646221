/* SPDX-License-Identifier: MIT */
/* transition.h - the table of allowed slot transitions, as data. */
#pragma once

#include <quire/assert.h>
#include "mm/pt/slot.h"

#ifdef QUIRE_DEBUG
/* map_check_transition - panic unless a slot may go from one kind to the other; count it. */
void map_check_transition(enum pt_kind from, enum pt_kind to);
#else
#define map_check_transition(from, to) ((void)0)
#endif
