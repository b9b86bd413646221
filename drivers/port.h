/* SPDX-License-Identifier: MIT */
/* port.h - I/O ports where there are any; elsewhere a bus on which nobody answers. */
#pragma once

#include <quire/types.h>
#include <arch/io.h>

#if ARCH_HAS_PORT_IO
static inline u8 port_in8(u16 port)
{
	return arch_port_in8(port);
}

static inline void port_out8(u16 port, u8 value)
{
	arch_port_out8(port, value);
}
#else
static inline u8 port_in8(u16 port)
{
	(void)port;
	return 0xff;
}

static inline void port_out8(u16 port, u8 value)
{
	(void)port;
	(void)value;
}
#endif
