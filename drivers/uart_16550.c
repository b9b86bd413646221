/* SPDX-License-Identifier: MIT */
/*
 * uart_16550.c - the PC's serial port and its many descendants, behind ports or in memory.
 *
 * Register numbers are the chip's; their spacing and width in memory differ between boards and come
 * with struct boot_uart. The line is set up as 8 data bits, no parity, 1 stop bit; the rate is left
 * as firmware set it unless both the input clock and the wanted rate are known.
 *
 * Reference: National Semiconductor PC16550D data sheet, section 8.
 */
#include <uapi/errno.h>
#include "drivers/uart.h"

enum reg {
	REG_DATA = 0, /* receive, transmit; divisor low while LCR_DLAB */
	REG_IER = 1,  /* interrupt enable; divisor high while LCR_DLAB */
	REG_FCR = 2,
	REG_LCR = 3,
	REG_MCR = 4,
	REG_LSR = 5,
};

#define IER_RX       0x05 /* data and line errors; the BCM2835 gives none without the second bit */
#define FCR_ENABLE   0x01 /* FIFOs on, interrupt at the first byte */
#define FCR_CLEAR_RX 0x02
#define LCR_8N1      0x03
#define LCR_DLAB     0x80
#define MCR_DTR_RTS  0x03
#define MCR_OUT2     0x08 /* on a PC: connects the interrupt line */
#define LSR_RX_READY 0x01
#define LSR_TX_EMPTY 0x20
#define LSR_ABSENT   0xff /* the top bit cannot be set in an empty FIFO together with all others */

static void set_rate(const struct uart *u)
{
	u32 divisor = (u->info.clock_hz + 8 * u->info.baud) / (16 * u->info.baud);

	if (!divisor || divisor > 0xffff)
		return;
	uart_reg_write(u, REG_LCR, LCR_8N1 | LCR_DLAB);
	uart_reg_write(u, REG_DATA, divisor & 0xff);
	uart_reg_write(u, REG_IER, divisor >> 8);
}

static int uart_16550_init(struct uart *u)
{
	if ((uart_reg_read(u, REG_LSR) & 0xff) == LSR_ABSENT)
		return -ENODEV;
	uart_reg_write(u, REG_IER, 0);
	if (u->info.clock_hz && u->info.baud)
		set_rate(u);
	uart_reg_write(u, REG_LCR, LCR_8N1);
	uart_reg_write(u, REG_FCR, FCR_ENABLE | FCR_CLEAR_RX);
	uart_reg_write(u, REG_MCR, MCR_DTR_RTS | MCR_OUT2);
	return 0;
}

static bool uart_16550_tx_ready(const struct uart *u)
{
	return uart_reg_read(u, REG_LSR) & LSR_TX_EMPTY;
}

static void uart_16550_tx(const struct uart *u, u8 byte)
{
	uart_reg_write(u, REG_DATA, byte);
}

static int uart_16550_rx(const struct uart *u)
{
	if (!(uart_reg_read(u, REG_LSR) & LSR_RX_READY))
		return -1;
	return (int)(uart_reg_read(u, REG_DATA) & 0xff);
}

static void uart_16550_rx_irq_enable(const struct uart *u, bool on)
{
	uart_reg_write(u, REG_IER, on ? IER_RX : 0);
}

/* Reading the last byte withdraws the interrupt. */
static void uart_16550_irq_ack(const struct uart *u)
{
	(void)u;
}

const struct uart_ops uart_16550_ops = {
	.name = "16550",
	.init = uart_16550_init,
	.tx_ready = uart_16550_tx_ready,
	.tx = uart_16550_tx,
	.rx = uart_16550_rx,
	.rx_irq_enable = uart_16550_rx_irq_enable,
	.irq_ack = uart_16550_irq_ack,
};
