/* SPDX-License-Identifier: MIT */
/* pidfd.h - flags of pidfd_send_signal(2). */
#pragma once

#define PIDFD_SIGNAL_THREAD        1u
#define PIDFD_SIGNAL_THREAD_GROUP  2u
#define PIDFD_SIGNAL_PROCESS_GROUP 4u
