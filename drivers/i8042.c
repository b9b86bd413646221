/* SPDX-License-Identifier: MIT */
/*
 * i8042.c - the keyboard controller of a PC, and its first port with a keyboard. (IBM PS/2 Technical Reference.)
 *
 * Firmware may have left it in any state, with bytes of its own waiting. So it is silenced, emptied and set up:
 * interrupts from the first port, nothing from the second, codes translated to set 1. Every wait ends: where
 * there is no controller all ports read as ones, and it is left alone.
 */
#include <arch/cpu.h>
#include <arch/irq.h>
#include "boot/boot_info.h"
#include "drivers/console.h"
#include "drivers/keyboard.h"
#include "drivers/port.h"
#include "kernel/printk.h"
#include "kernel/reboot.h"
#include "kernel/time.h"

#define PORT_DATA    0x60
#define PORT_STATUS  0x64
#define PORT_COMMAND 0x64

#define STATUS_OUTPUT 0x01 /* a byte waits for us */
#define STATUS_INPUT  0x02 /* it has not taken our last one */
#define STATUS_SECOND 0x20 /* the byte is of the second port: a mouse */
#define STATUS_ABSENT 0xff

#define COMMAND_READ_CONFIG    0x20
#define COMMAND_WRITE_CONFIG   0x60
#define COMMAND_DISABLE_SECOND 0xa7
#define COMMAND_DISABLE_FIRST  0xad
#define COMMAND_ENABLE_FIRST   0xae

#define CONFIG_IRQ_FIRST  0x01
#define CONFIG_IRQ_SECOND 0x02
#define CONFIG_NO_FIRST   0x10
#define CONFIG_TRANSLATE  0x40
#define KEYBOARD_START    0xf4
#define KEYBOARD_ACK      0xfa

#define PATIENCE_NS (100 * NSEC_PER_MSEC)
#define BACKLOG     64 /* bytes taken at once, also from a port that claims to have more for ever */

static struct keyboard keyboard; /* only by the interrupt's handler, once that is there */

/* wait_status - until these bits of the status are all `value`. */
static bool wait_status(u8 bits, u8 value)
{
	u64 give_up = time_now() + PATIENCE_NS;

	while ((port_in8(PORT_STATUS) & bits) != value) {
		if (time_now() >= give_up)
			return false;
		cpu_relax();
	}
	return true;
}

static bool send(u16 port, u8 byte)
{
	if (!wait_status(STATUS_INPUT, 0))
		return false;
	port_out8(port, byte);
	return true;
}

/* receive - the next byte, or -1 when none comes. */
static int receive(void)
{
	return wait_status(STATUS_OUTPUT, STATUS_OUTPUT) ? port_in8(PORT_DATA) : -1;
}

static void discard(void)
{
	for (unsigned i = 0; i < BACKLOG && port_in8(PORT_STATUS) & STATUS_OUTPUT; i++)
		port_in8(PORT_DATA);
}

static void handle_irq(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < BACKLOG; i++) {
		u8 status = port_in8(PORT_STATUS), out[KEYBOARD_MAX], code;
		size_t n;

		if (!(status & STATUS_OUTPUT))
			break;
		code = port_in8(PORT_DATA);
		if (status & STATUS_SECOND || code == KEYBOARD_ACK)
			continue;
		n = keyboard_translate(&keyboard, code, out);
		if (n)
			console_receive(out, n);
		if (keyboard.ctrl_alt_del)
			ctrl_alt_del();
		keyboard.ctrl_alt_del = false;
	}
}

/* set_up - true when there is a controller that answers. */
static bool set_up(void)
{
	int config;

	if (port_in8(PORT_STATUS) == STATUS_ABSENT || !send(PORT_COMMAND, COMMAND_DISABLE_FIRST) ||
	    !send(PORT_COMMAND, COMMAND_DISABLE_SECOND))
		return false;
	discard();
	if (!send(PORT_COMMAND, COMMAND_READ_CONFIG))
		return false;
	config = receive();
	if (config < 0)
		return false;
	config &= ~(CONFIG_IRQ_SECOND | CONFIG_NO_FIRST);
	config |= CONFIG_IRQ_FIRST | CONFIG_TRANSLATE;
	return send(PORT_COMMAND, COMMAND_WRITE_CONFIG) && send(PORT_DATA, (u8)config) &&
	       send(PORT_COMMAND, COMMAND_ENABLE_FIRST) && send(PORT_DATA, KEYBOARD_START);
}

/* i8042_start - see keyboard.h. */
void i8042_start(void)
{
	u32 irq = boot_info.pc.keyboard_irq;

	if (!set_up())
		return;
	if (irq_register(irq, handle_irq, NULL, "keyboard")) {
		printk("i8042: interrupt %u cannot be had\n", irq);
		return;
	}
	handle_irq(NULL); /* what came before raised no interrupt that anybody saw */
	printk("i8042: keyboard\n");
}
