/* SPDX-License-Identifier: MIT */
/*
 * text.c - reading and writing of text that is made on demand (text.h).
 *
 * The lock of an open text file (RANK_FILE_POS, taken after the position lock) covers its window. It is
 * outside of all other locks, because a producer may need any of them.
 */
#include "fs/text.h"

#include <uapi/errno.h>
#include "fs/file.h"
#include "kernel/cpumask.h"
#include "kernel/process.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/phys/slab.h"

struct text_state {
	struct mutex lock;
	struct text text;
	u64 start; /* position of text.buf[0] in the file */
};

/* --- appending --------------------------------------------------------------------------------------- */

/* grow - room for n more bytes. */
static bool grow(struct text *t, size_t n)
{
	size_t capacity = MAX(t->capacity, PAGE_SIZE);
	char *buf;

	if (t->failed || t->len + n <= t->capacity)
		return !t->failed;
	while (capacity < t->len + n)
		capacity *= 2;
	buf = capacity <= TEXT_MAX ? kmalloc(capacity, 0) : NULL;
	if (!buf) {
		t->failed = true;
		return false;
	}
	if (t->len)
		memcpy(buf, t->buf, t->len);
	kfree(t->buf);
	t->buf = buf;
	t->capacity = capacity;
	return true;
}

void text_put(struct text *t, const char *s, size_t n)
{
	if (!grow(t, n))
		return;
	memcpy(t->buf + t->len, s, n);
	t->len += n;
}

static void put_formatted(void *t, const char *s, size_t n)
{
	text_put(t, s, n);
}

void text_printf(struct text *t, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	format(put_formatted, t, fmt, args);
	va_end(args);
}

void text_char(struct text *t, char c)
{
	text_put(t, &c, 1);
}

void text_puts(struct text *t, const char *s)
{
	text_put(t, s, strlen(s));
}

void text_escaped(struct text *t, const char *s, const char *special)
{
	for (; *s; s++)
		if (strchr(special, *s))
			text_printf(t, "\\%03o", (u8)*s);
		else
			text_char(t, *s);
}

void text_cpu_list(struct text *t, const struct cpumask *m, unsigned nr)
{
	const char *comma = "";
	unsigned end;

	for (unsigned cpu = cpumask_next(m, 0); cpu < nr; cpu = cpumask_next(m, end)) {
		for (end = cpu + 1; end < nr && cpumask_test(m, end);)
			end++;
		if (end > cpu + 1)
			text_printf(t, "%s%u-%u", comma, cpu, end - 1);
		else
			text_printf(t, "%s%u", comma, cpu);
		comma = ",";
	}
	text_char(t, '\n');
}

/* --- reading ----------------------------------------------------------------------------------------- */

static const struct text_ops *ops_of(const struct file *f)
{
	return f->inode->private_data;
}

static void rewind(struct text_state *s)
{
	s->start = 0;
	s->text.len = 0;
	s->text.cursor = 0;
	s->text.more = true;
}

/* next_window - what comes behind the current one. After a failure the same one will be tried again. */
static int next_window(struct file *f, struct text_state *s)
{
	struct text *t = &s->text;
	u64 cursor = t->cursor;
	int err;

	s->start += t->len;
	t->len = 0;
	t->more = false;
	t->failed = false;
	err = ops_of(f)->show(f, t);
	if (!err && t->failed)
		err = -ENOMEM;
	if (err) {
		t->len = 0;
		t->cursor = cursor;
		t->more = true;
	}
	return err;
}

static ssize_t read_locked(struct file *f, struct text_state *s, struct uio *uio, u64 *pos)
{
	u64 from = *pos;
	int err = 0;

	if (!from || from < s->start)
		rewind(s);
	while (uio->left && !signal_fatal(current)) {
		u64 end = s->start + s->text.len;
		size_t n;

		if (*pos >= end) {
			err = s->text.more ? next_window(f, s) : 0;
			if (err || (!s->text.more && *pos >= s->start + s->text.len))
				break;
			continue;
		}
		n = uio_put(uio, s->text.buf + (*pos - s->start), end - *pos);
		*pos += n;
		if (!n) {
			err = -EFAULT;
			break;
		}
	}
	return *pos > from ? (ssize_t)(*pos - from) : err;
}

static ssize_t text_read(struct file *f, struct uio *uio, u64 *pos)
{
	struct text_state *s = f->private_data;
	ssize_t n;

	if (!ops_of(f)->show)
		return -EINVAL;
	mutex_lock_nested(&s->lock);
	n = read_locked(f, s, uio, pos);
	mutex_unlock(&s->lock);
	return n;
}

static s64 text_seek(struct file *f, s64 offset, int whence)
{
	s64 base = whence == SEEK_CUR ? (s64)f->pos : 0;

	if ((whence != SEEK_SET && whence != SEEK_CUR) || offset < -base)
		return -EINVAL;
	if (offset > INT64_MAX - base)
		return -EOVERFLOW;
	f->pos = (u64)(base + offset);
	return base + offset;
}

/* --- writing ----------------------------------------------------------------------------------------- */

static ssize_t text_write(struct file *f, struct uio *uio, u64 *pos)
{
	size_t n = MIN(uio->left, TEXT_STORE);
	ssize_t taken;
	char *s;

	if (!ops_of(f)->store)
		return -EINVAL;
	s = kmalloc(n + 1, 0);
	if (!s)
		return -ENOMEM;
	if (uio_get(uio, s, n) < n) {
		taken = -EFAULT;
	} else {
		s[n] = 0;
		taken = ops_of(f)->store(f, s, n);
	}
	kfree(s);
	if (taken > 0)
		*pos += (u64)taken;
	return taken;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

size_t text_trim(char *s, size_t n)
{
	while (n && is_blank(s[n - 1]))
		n--;
	s[n] = 0;
	return n;
}

int text_number(const char *s, s64 min, s64 max, s64 *out)
{
	bool negative;
	char *end;
	u64 value;

	while (is_blank(*s))
		s++;
	negative = *s == '-';
	value = str_to_u64(s + negative, &end, 0);
	if (end == s + negative || value > INT64_MAX)
		return -EINVAL;
	while (is_blank(*end))
		end++;
	*out = negative ? -(s64)value : (s64)value;
	return *end || *out < min || *out > max ? -EINVAL : 0;
}

/* --- open and release -------------------------------------------------------------------------------- */

static int text_open(struct file *f)
{
	struct text_state *s = kmalloc(sizeof(*s), PA_ZERO);
	int err = 0;

	if (!s)
		return -ENOMEM;
	mutex_init(&s->lock, RANK_FILE_POS);
	rewind(s);
	if (ops_of(f)->open)
		err = ops_of(f)->open(f, &s->text);
	if (err)
		kfree(s);
	else
		f->private_data = s;
	return err;
}

static void text_release(struct file *f)
{
	struct text_state *s = f->private_data;

	if (!s)
		return;
	if (ops_of(f)->release)
		ops_of(f)->release(f, &s->text);
	kfree(s->text.buf);
	kfree(s);
}

const struct file_ops text_file_ops = {
	.open = text_open,
	.release = text_release,
	.read = text_read,
	.write = text_write,
	.seek = text_seek,
};
