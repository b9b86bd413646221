/* SPDX-License-Identifier: MIT */
/*
 * pagemap.c - page tables as user space sees them: pagemap, a word for each page of an address space, and clear_refs,
 * which makes pages count as not used.
 *
 * A word is a snapshot of one slot; two that are read together need not be of the same moment. Frame numbers
 * are told to those who had CAP_SYS_ADMIN when they opened the file.
 */
#include <uapi/capability.h>
#include <uapi/errno.h>
#include "fs/proc/internal.h"
#include "kernel/cred.h"
#include "kernel/signal.h"
#include "kernel/thread.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/phys/page.h"
#include "mm/phys/slab.h"
#include "mm/pt/pt.h"
#include "mm/vma/space.h"
#include "mm/vma/usage.h"

/* The word, as Linux has it. */
#define PM_EXCLUSIVE  BIT(56) /* no other entry maps the page */
#define PM_UFFD_WP    BIT(57)
#define PM_FILE       BIT(61) /* of a file, or shared anonymous memory */
#define PM_SWAP       BIT(62) /* not mapped, but something to remember */
#define PM_PRESENT    BIT(63)
#define PM_FRAME      (BIT(55) - 1)
#define PM_TYPE_BITS  5
#define PM_TYPE_MARK  26 /* the type that entries which only mark have on Linux */
#define WORD          sizeof(u64)
#define WORDS_AT_ONCE (PAGE_SIZE / WORD)

struct pagemap {
	struct space *space; /* proc_hold_space */
	bool frames;         /* may the reader know them? */
};

/* --- words ------------------------------------------------------------------------------------------------ */

static u64 word_of_page(const struct pt_slot *slot, u64 frame)
{
	const struct page *page = page_head(pfn_to_page(frame));
	u64 word = PM_PRESENT | frame;

	if (slot->bits & PTB_UFFD_WP)
		word |= PM_UFFD_WP;
	if (slot->bits & PTB_SPECIAL)
		return word;
	if (page_type(page) != PAGE_ANON)
		word |= PM_FILE;
	return atomic_load(&page->mapcount) == 1 ? word | PM_EXCLUSIVE : word;
}

static u64 word_of(const struct pt_slot *slot, u64 n)
{
	u64 wp = slot->bits & PTB_UFFD_WP ? PM_UFFD_WP : 0, area, offset;

	switch ((enum pt_kind)slot->kind) {
	case PT_PAGE:
		return word_of_page(slot, slot->val + n);
	case PT_SWAP:
		area = slot->val >> SWAP_OFFSET_BITS;
		offset = (slot->val & (BIT(SWAP_OFFSET_BITS) - 1)) + n;
		return PM_SWAP | wp | area | offset << PM_TYPE_BITS;
	case PT_MARK:
		return PM_SWAP | (slot->val & MARK_UFFD_WP ? PM_UFFD_WP : 0) | PM_TYPE_MARK;
	case PT_MIGRATE:
		return PM_SWAP | wp;
	case PT_HOLE:
	case PT_KINDS:
		break;
	}
	return 0;
}

/* fill_words - those of n pages from va on. */
static void fill_words(struct space *s, vaddr_t va, u64 *words, size_t n, u64 visible)
{
	vaddr_t end = va + n * PAGE_SIZE;
	struct pt_slot slot;
	struct ptc c;

	memset(words, 0, n * WORD);
	ptc_begin(&c, &s->as, va, end, PTC_READ, NULL);
	while (ptc_next(&c, &slot) > 0) {
		vaddr_t last = MIN(slot.va + slot.size, end);

		for (vaddr_t at = MAX(slot.va, va); at < last; at += PAGE_SIZE)
			words[(at - va) >> PAGE_SHIFT] =
				word_of(&slot, (at - slot.va) >> PAGE_SHIFT) & visible;
	}
	ptc_end(&c);
}

/* --- pagemap ------------------------------------------------------------------------------------------------ */

static int pagemap_open(struct file *f)
{
	struct pagemap *m = kmalloc(sizeof(*m), 0);
	int err = m ? proc_hold_space(f->inode, &m->space) : -ENOMEM;

	if (err) {
		kfree(m);
		return err;
	}
	m->frames = cred_capable(CAP_SYS_ADMIN);
	f->private_data = m;
	return 0;
}

static void pagemap_release(struct file *f)
{
	struct pagemap *m = f->private_data;

	if (!m)
		return;
	proc_drop_space(m->space);
	kfree(m);
}

static ssize_t read_words(struct space *s, struct uio *uio, u64 *pos, u64 visible)
{
	u64 *words = kmalloc(WORDS_AT_ONCE * WORD, 0), end = (USER_TOP >> PAGE_SHIFT) * WORD;
	u64 start = *pos;
	ssize_t err = words ? 0 : -ENOMEM;

	while (!err && uio->left && *pos < end && !signal_fatal(current)) {
		size_t n = MIN(MIN(uio->left, end - *pos) / WORD, WORDS_AT_ONCE), done;

		fill_words(s, *pos / WORD << PAGE_SHIFT, words, n, visible);
		done = uio_put(uio, words, n * WORD);
		*pos += done;
		err = done < n * WORD ? -EFAULT : 0;
		sched_point();
	}
	kfree(words);
	return *pos > start ? (ssize_t)(*pos - start) : err;
}

static ssize_t pagemap_read(struct file *f, struct uio *uio, u64 *pos)
{
	struct pagemap *m = f->private_data;
	struct space *s = proc_use_space(m->space);
	ssize_t n = -EINVAL;

	if (!s)
		return 0;
	if (*pos % WORD == 0 && uio->left % WORD == 0)
		n = read_words(s, uio, pos, m->frames ? ~0ul : ~PM_FRAME);
	space_put(s);
	return n;
}

static s64 pagemap_seek(struct file *f, s64 offset, int whence)
{
	if (whence != SEEK_SET && whence != SEEK_CUR)
		return -EINVAL;
	f->pos = (whence == SEEK_CUR ? f->pos : 0) + (u64)offset;
	return (s64)f->pos;
}

const struct file_ops proc_pagemap_fops = {
	.open = pagemap_open,
	.release = pagemap_release,
	.read = pagemap_read,
	.seek = pagemap_seek,
};

/* --- clear_refs ---------------------------------------------------------------------------------------------- */

enum { CLEAR_ALL = 1, CLEAR_ANON, CLEAR_MAPPED, CLEAR_SOFT_DIRTY, CLEAR_PEAK };

static void clear_refs(struct space *s, s64 what)
{
	if (what == CLEAR_PEAK)
		space_reset_peak_rss(s);
	else
		space_clear_accessed(s, what != CLEAR_MAPPED, what != CLEAR_ANON);
}

/* There is no record of what was written since: CLEAR_SOFT_DIRTY is refused. */
static ssize_t clear_refs_store(struct file *f, char *text, size_t n)
{
	struct process *p;
	struct space *s;
	s64 what;
	int err = text_number(text, CLEAR_ALL, CLEAR_PEAK, &what);

	if (err || what == CLEAR_SOFT_DIRTY)
		return -EINVAL;
	p = proc_process(f->inode);
	if (!p)
		return -ESRCH;
	s = process_space(p);
	process_put(p);
	if (s) {
		clear_refs(s, what);
		space_put(s);
	}
	return (ssize_t)n;
}

const struct text_ops proc_clear_refs_ops = {.store = clear_refs_store};
