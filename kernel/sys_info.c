/* SPDX-License-Identifier: MIT */
/* sys_info.c - the system as a whole: its memory, switching it off. */
#include <arch/power.h>
#include <uapi/errno.h>
#include <uapi/misc.h>
#include "drivers/tty.h"
#include "kernel/cred.h"
#include "kernel/load.h"
#include "kernel/printk.h"
#include "kernel/process.h"
#include "kernel/reboot.h"
#include "kernel/signal.h"
#include "kernel/smp.h"
#include "kernel/syscall.h"
#include "kernel/time.h"
#include "kernel/uaccess.h"
#include "kernel/work.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/phys/page_alloc.h"

long sys_sysinfo(vaddr_t out)
{
	struct uapi_sysinfo info = {
		.uptime = (s64)(time_now() / NSEC_PER_SEC),
		.totalram = page_count_total() * PAGE_SIZE,
		.freeram = page_count_free() * PAGE_SIZE,
		.procs = (u16)MIN(process_count(), 0xffffu),
		.mem_unit = 1,
	};

	u64 loads[3];

	load_averages(loads);
	for (unsigned i = 0; i < 3; i++)
		info.loads[i] = loads[i] << (16 - LOAD_SHIFT);
	return copy_to_user(out, &info, sizeof(info));
}

static bool is_magic2(u32 magic)
{
	return magic == REBOOT_MAGIC2 || magic == REBOOT_MAGIC2A || magic == REBOOT_MAGIC2B ||
	       magic == REBOOT_MAGIC2C;
}

static NORETURN void restart(void)
{
	tty_serial_drain();
	printk("reboot: restarting\n");
	smp_stop_others();
	arch_reset();
}

/* --- the keys Ctrl, Alt and Del ---------------------------------------------------------------------- */

static bool keys_restart = true; /* [a] */

static void keys_pressed(struct work *w UNUSED)
{
	const struct uapi_siginfo info = {.si_signo = SIGINT, .si_code = SI_KERNEL};

	if (atomic_load(&keys_restart))
		restart();
	if (process_init)
		signal_send_process(process_init, &info);
}

static struct work keys_work = {.link = LIST_INIT(keys_work.link), .fn = keys_pressed};

/* ctrl_alt_del - see reboot.h. */
void ctrl_alt_del(void)
{
	work_queue(&keys_work);
}

long sys_reboot(u32 magic1, u32 magic2, u32 cmd, vaddr_t arg)
{
	char word[256];

	if (!cred_capable(CAP_SYS_BOOT))
		return -EPERM;
	if (magic1 != REBOOT_MAGIC1 || !is_magic2(magic2))
		return -EINVAL;
	/* The word is for firmware that has a use for it. */
	if (cmd == REBOOT_CMD_RESTART2 && strncpy_from_user(word, arg, sizeof(word)) == -EFAULT)
		return -EFAULT;
	switch (cmd) {
	case REBOOT_CMD_RESTART2:
	case REBOOT_CMD_RESTART:
		restart();
	case REBOOT_CMD_HALT: /* a halted machine and one that is off look the same from here */
	case REBOOT_CMD_POWER_OFF:
		tty_serial_drain();
		printk("reboot: power off\n");
		smp_stop_others();
		arch_power_off();
	case REBOOT_CMD_CAD_ON:
	case REBOOT_CMD_CAD_OFF:
		atomic_store(&keys_restart, cmd == REBOOT_CMD_CAD_ON);
		return 0;
	default:
		return -EINVAL;
	}
}
