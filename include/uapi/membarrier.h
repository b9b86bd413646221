/* SPDX-License-Identifier: MIT */
/* membarrier.h - commands of membarrier(2). */
#pragma once

#define MEMBARRIER_CMD_QUERY                      0
#define MEMBARRIER_CMD_GLOBAL                     0x001
#define MEMBARRIER_CMD_GLOBAL_EXPEDITED           0x002
#define MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED  0x004
#define MEMBARRIER_CMD_PRIVATE_EXPEDITED          0x008
#define MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED 0x010
#define MEMBARRIER_CMD_GET_REGISTRATIONS          0x200
