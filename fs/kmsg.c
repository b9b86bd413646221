/* SPDX-License-Identifier: MIT */
/*
 * kmsg.c - kernel messages for programs: /dev/kmsg and syslog(2).
 *
 * A message may be printed with any lock held, so printing wakes nobody. While somebody waits for
 * messages a timer looks ten times a second whether there are new ones.
 */
#include <uapi/errno.h>
#include "fs/file.h"
#include "fs/poll.h"
#include "fs/vfs.h"
#include "kernel/cred.h"
#include "kernel/printk.h"
#include "kernel/process.h"
#include "kernel/syscall.h"
#include "kernel/time.h"
#include "kernel/uaccess.h"
#include "lib/atomic.h"
#include "lib/printf.h"
#include "lib/string.h"

#define TEXT_MAX   512 /* bytes of a line that are handed out */
#define WRITE_MAX  976 /* bytes of a line that are taken, as on Linux */
#define LOG_USER   8
#define LOOK_EVERY (100 * NSEC_PER_MSEC)

/* syslog(2) */
enum action {
	CLOSE,
	OPEN,
	READ,
	READ_ALL,
	READ_CLEAR,
	CLEAR,
	CONSOLE_OFF,
	CONSOLE_ON,
	CONSOLE_LEVEL,
	SIZE_UNREAD,
	SIZE_BUFFER,
};
#define BUFFER_SIZE  16384 /* what SIZE_BUFFER says: the kernel's ring */
#define LOWEST_LEVEL 1

static struct waitq new_lines = WAITQ_INIT(new_lines);
static void look_for_lines(struct timer *);

static struct timer look = {.fn = look_for_lines};
static bool looking; /* [a] the timer is armed, or about to be by who set this */
static u32 watchers; /* [a] open files and system calls that may wait */
static u64 seen;     /* [a] lines when the timer looked last */

static u64 cleared;    /* [a] first line that READ_ALL shows */
static u64 unread;     /* [a] first line that READ gives */
static u32 level_kept; /* [a] console level + 1 before CONSOLE_OFF; 0: it is on */

/* may_stop - nobody watches. Who begins just now sees that it has to start the timer, or we see that it is there. */
static bool may_stop(void)
{
	if (atomic_load(&watchers))
		return false;
	atomic_store(&looking, false);
	smp_mb();
	return !atomic_load(&watchers) || atomic_xchg(&looking, true);
}

static void look_for_lines(struct timer *t)
{
	u64 now = printk_next_line();

	if (may_stop())
		return;
	if (atomic_xchg(&seen, now) != now)
		waitq_wake_all(&new_lines);
	timer_arm(t, time_now() + LOOK_EVERY);
}

static void watch_begin(void)
{
	atomic_inc(&watchers);
	smp_mb();
	if (!atomic_xchg(&looking, true))
		timer_arm(&look, time_now() + LOOK_EVERY);
}

static void watch_end(void)
{
	atomic_dec(&watchers);
}

/* --- /dev/kmsg ---------------------------------------------------------------------------------------- */

static int kmsg_open(struct file *f)
{
	if (f->can_read)
		watch_begin();
	return 0;
}

static void kmsg_release(struct file *f)
{
	if (f->can_read)
		watch_end();
}

static int wait_for_line(struct file *f, u64 nr)
{
	if (nr < printk_next_line())
		return 0;
	if (f->flags & O_NONBLOCK)
		return -EAGAIN;
	return wait_event(&new_lines, nr < printk_next_line(), WAIT_INTERRUPTIBLE) ? -RESTART_SYS
										   : 0;
}

/* One line for each read: "priority,number,microseconds,-;text". */
static ssize_t kmsg_read(struct file *f, struct uio *uio, u64 *pos)
{
	char text[TEXT_MAX], out[TEXT_MAX + 64];
	struct printk_line line;
	size_t n;
	u64 nr;
	int err = wait_for_line(f, *pos);

	if (err)
		return err;
	nr = printk_read_line(*pos, &line, text, sizeof(text));
	if (nr != *pos) { /* what should come next is lost */
		*pos = nr;
		return -EPIPE;
	}
	n = (size_t)snprintf(out, sizeof(out), "%u,%lu,%lu,-;", line.priority, nr,
			     line.ns / NSEC_PER_USEC);
	memcpy(out + n, text, line.len);
	n += line.len;
	out[n++] = '\n';
	*pos = nr + 1; /* a line that does not fit is lost as well */
	if (n > uio->left)
		return -EINVAL;
	return uio_put(uio, out, n) == n ? (ssize_t)n : -EFAULT;
}

/* A written line may begin with "<priority>"; it never counts as the kernel's own. */
static ssize_t kmsg_write(struct file *f, struct uio *uio, u64 *pos)
{
	size_t n = uio->left;
	char text[WRITE_MAX + 1], *at = text, *end;
	u32 priority = LOG_USER + 4;

	(void)f;
	(void)pos;
	if (n > WRITE_MAX)
		return -EINVAL;
	if (uio_get(uio, text, n) != n)
		return -EFAULT;
	text[n] = 0;
	if (*at == '<') {
		u64 given = str_to_u64(at + 1, &end, 10);

		if (end != at + 1 && *end == '>') {
			priority = (u32)given & 0x7ff;
			if (priority < LOG_USER)
				priority += LOG_USER;
			at = end + 1;
		}
	}
	end = text + n;
	if (end > at && end[-1] == '\n')
		end--;
	printk_from_user(priority, at, (size_t)(end - at));
	return (ssize_t)n;
}

static s64 kmsg_seek(struct file *f, s64 offset, int whence)
{
	if (offset)
		return -ESPIPE;
	switch (whence) {
	case SEEK_SET:
		f->pos = 0;
		break;
	case SEEK_DATA: /* behind what was cleared */
		f->pos = atomic_load(&cleared);
		break;
	case SEEK_END:
		f->pos = printk_next_line();
		break;
	default:
		return -EINVAL;
	}
	return 0;
}

static u32 kmsg_poll(struct file *f, struct poll_request *r)
{
	poll_wait_for(r, &new_lines, POLLIN | POLLRDNORM);
	if (READ_ONCE(f->pos) < printk_next_line())
		return POLLIN | POLLRDNORM;
	return 0;
}

const struct file_ops kmsg_ops = {
	.open = kmsg_open,
	.release = kmsg_release,
	.read = kmsg_read,
	.write = kmsg_write,
	.seek = kmsg_seek,
	.poll = kmsg_poll,
};

/* --- syslog(2) ---------------------------------------------------------------------------------------- */

/* format_line - "<6>[    0.123456] text\n"; its length, at most size. */
static size_t format_line(const struct printk_line *l, const char *text, char *out, size_t size)
{
	size_t n = (size_t)snprintf(out, size, "<%u>[%5lu.%06lu] ", l->priority,
				    l->ns / NSEC_PER_SEC, l->ns % NSEC_PER_SEC / NSEC_PER_USEC);

	memcpy(out + n, text, l->len);
	out[n + l->len] = '\n';
	return n + l->len + 1;
}

/* next_line - the line after *nr that is left, formatted; 0: none. */
static size_t next_line(u64 *nr, char *out, size_t size)
{
	char text[TEXT_MAX];
	struct printk_line line;

	*nr = printk_read_line(*nr, &line, text, sizeof(text));
	return *nr < printk_next_line() ? format_line(&line, text, out, size) : 0;
}

static long size_from(u64 nr)
{
	char out[TEXT_MAX + 64];
	long sum = 0;
	size_t n;

	for (; (n = next_line(&nr, out, sizeof(out))); nr++)
		sum += (long)n;
	return sum;
}

/* read_all - the last lines that fit. */
static long read_all(vaddr_t buf, size_t len)
{
	char out[TEXT_MAX + 64];
	u64 nr = atomic_load(&cleared);
	size_t sum = (size_t)size_from(nr), done = 0, n;

	for (; (n = next_line(&nr, out, sizeof(out))); nr++) {
		if (sum > len) {
			sum -= n;
			continue;
		}
		if (done + n > len)
			break;
		if (copy_to_user(buf + done, out, n))
			return -EFAULT;
		done += n;
	}
	return (long)done;
}

/* read_unread - wait for lines that nobody has read in this way, and take those that fit. */
static ssize_t read_unread(struct uio *uio, bool nonblock)
{
	char out[TEXT_MAX + 64];
	size_t done = 0, n;
	u64 nr;
	int err;

	if (nonblock && atomic_load(&unread) >= printk_next_line())
		return -EAGAIN;
	watch_begin();
	err = wait_event(&new_lines, atomic_load(&unread) < printk_next_line(), WAIT_INTERRUPTIBLE);
	watch_end();
	if (err)
		return -RESTART_SYS;
	for (nr = atomic_load(&unread); (n = next_line(&nr, out, sizeof(out))); nr++) {
		if (n > uio->left)
			break;
		if (uio_put(uio, out, n) < n)
			return done ? (ssize_t)done : -EFAULT;
		done += n;
		atomic_store(&unread, nr + 1);
	}
	return (ssize_t)done;
}

static long read_action(int action, vaddr_t buf, int len)
{
	u64 end = printk_next_line();
	struct uio uio;
	long n;

	if (!buf || len < 0)
		return -EINVAL;
	if (!len)
		return 0;
	if (!user_range_ok(buf, (u64)len))
		return -EFAULT;
	if (action == READ) {
		uio_init_user(&uio, buf, (u64)len);
		return read_unread(&uio, false);
	}
	n = read_all(buf, (size_t)len);
	if (n >= 0 && action == READ_CLEAR)
		atomic_store(&cleared, end);
	return n;
}

static void set_console_level(unsigned level)
{
	atomic_store(&printk_console_level, level);
	atomic_store(&level_kept, 0);
}

static long console_action(int action, int level)
{
	u32 kept = atomic_load(&level_kept);

	if (action == CONSOLE_OFF && !kept) {
		atomic_store(&level_kept, atomic_load(&printk_console_level) + 1);
		atomic_store(&printk_console_level, LOWEST_LEVEL);
	} else if (action == CONSOLE_ON && kept) {
		set_console_level(kept - 1);
	} else if (action == CONSOLE_LEVEL) {
		if (level < 1 || level > 8)
			return -EINVAL;
		set_console_level((unsigned)level);
	}
	return 0;
}

long sys_syslog(int action, vaddr_t buf, int len)
{
	if (action != READ_ALL && action != SIZE_BUFFER && !cred_capable(CAP_SYSLOG))
		return -EPERM;
	switch (action) {
	case CLOSE:
	case OPEN:
		return 0;
	case READ:
	case READ_ALL:
	case READ_CLEAR:
		return read_action(action, buf, len);
	case CLEAR:
		atomic_store(&cleared, printk_next_line());
		return 0;
	case CONSOLE_OFF:
	case CONSOLE_ON:
	case CONSOLE_LEVEL:
		return console_action(action, len);
	case SIZE_UNREAD:
		return size_from(atomic_load(&unread));
	case SIZE_BUFFER:
		return BUFFER_SIZE;
	default:
		return -EINVAL;
	}
}

/* --- /proc/kmsg ---------------------------------------------------------------------------------------- */

static int proc_kmsg_open(struct file *f UNUSED)
{
	return cred_capable(CAP_SYSLOG) ? 0 : -EPERM;
}

static ssize_t proc_kmsg_read(struct file *f, struct uio *uio, u64 *pos UNUSED)
{
	return read_unread(uio, f->flags & O_NONBLOCK);
}

/* Lines that nobody has taken by syslog(2) yet; reading takes them. */
const struct file_ops proc_kmsg_fops = {
	.open = proc_kmsg_open,
	.read = proc_kmsg_read,
	.is_stream = true,
};
