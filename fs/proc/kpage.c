/* SPDX-License-Identifier: MIT */
/*
 * kpage.c - kpageflags and kpagecount: what each frame of memory is used for, and how many entries map it; a word for
 * each, by frame number. Bits are Linux's.
 *
 * Nothing is locked: a frame may change hands while it is looked at.
 */
#include <uapi/errno.h>
#include "fs/proc/internal.h"
#include "kernel/signal.h"
#include "kernel/thread.h"
#include "lib/atomic.h"
#include "mm/phys/page_alloc.h"
#include "mm/phys/slab.h"

#define KPF_REFERENCED BIT(2)
#define KPF_UPTODATE   BIT(3)
#define KPF_DIRTY      BIT(4)
#define KPF_LRU        BIT(5)
#define KPF_SLAB       BIT(7)
#define KPF_BUDDY      BIT(10)
#define KPF_MMAP       BIT(11)
#define KPF_ANON       BIT(12)
#define KPF_SWAPBACKED BIT(14)
#define KPF_HEAD       BIT(15)
#define KPF_TAIL       BIT(16)
#define KPF_NOPAGE     BIT(20)
#define KPF_ZERO       BIT(24)
#define KPF_PGTABLE    BIT(26)

#define WORD          sizeof(u64)
#define WORDS_AT_ONCE (PAGE_SIZE / WORD)

static bool is_user(const struct page *page)
{
	return page_type(page) == PAGE_ANON || page_type(page) == PAGE_OBJ;
}

static u64 user_flags(const struct page *page)
{
	u64 flags = KPF_UPTODATE | KPF_LRU | KPF_SWAPBACKED;

	flags |= page_type(page) == PAGE_ANON ? KPF_ANON : 0;
	flags |= atomic_load(&page->mapcount) ? KPF_MMAP : 0;
	flags |= page_test(page, PG_DIRTY) ? KPF_DIRTY : 0;
	return flags | (page_test(page, PG_REFERENCED) ? KPF_REFERENCED : 0);
}

static u64 flags_of_type(const struct page *page)
{
	switch (page_type(page)) {
	case PAGE_FREE:
		return KPF_BUDDY;
	case PAGE_SLAB:
		return KPF_SLAB;
	case PAGE_TABLE:
		return KPF_PGTABLE;
	case PAGE_ZERO:
		return KPF_ZERO;
	case PAGE_ANON:
	case PAGE_OBJ:
		return user_flags(page);
	default:
		return 0;
	}
}

static u64 flags_of(pfn_t pfn)
{
	struct page *page;

	if (!page_exists(pfn))
		return KPF_NOPAGE;
	page = pfn_to_page(pfn);
	if (page_type(page) == PAGE_TAIL)
		return KPF_TAIL | flags_of_type(page_head(page));
	return flags_of_type(page) | (page_order(page) ? KPF_HEAD : 0);
}

static u64 count_of(pfn_t pfn)
{
	const struct page *page = page_exists(pfn) ? page_head(pfn_to_page(pfn)) : NULL;

	return page && is_user(page) ? atomic_load(&page->mapcount) : 0;
}

static ssize_t read_words(struct uio *uio, u64 *pos, u64 (*word_of)(pfn_t))
{
	u64 *words, start = *pos, end = page_max_pfn * WORD;
	ssize_t err = 0;

	if (start % WORD || uio->left % WORD)
		return -EINVAL;
	words = kmalloc(WORDS_AT_ONCE * WORD, 0);
	if (!words)
		return -ENOMEM;
	while (!err && uio->left && *pos < end && !signal_fatal(current)) {
		size_t n = MIN(MIN(uio->left, end - *pos) / WORD, WORDS_AT_ONCE), done;

		for (size_t i = 0; i < n; i++)
			words[i] = word_of(*pos / WORD + i);
		done = uio_put(uio, words, n * WORD);
		*pos += done;
		err = done < n * WORD ? -EFAULT : 0;
		sched_point();
	}
	kfree(words);
	return *pos > start ? (ssize_t)(*pos - start) : err;
}

static ssize_t flags_read(struct file *f UNUSED, struct uio *uio, u64 *pos)
{
	return read_words(uio, pos, flags_of);
}

static ssize_t count_read(struct file *f UNUSED, struct uio *uio, u64 *pos)
{
	return read_words(uio, pos, count_of);
}

static s64 words_seek(struct file *f, s64 offset, int whence)
{
	if ((whence != SEEK_SET && whence != SEEK_CUR) || offset < 0)
		return -EINVAL;
	f->pos = (whence == SEEK_CUR ? f->pos : 0) + (u64)offset;
	return (s64)f->pos;
}

static const struct file_ops flags_fops = {.read = flags_read, .seek = words_seek};
static const struct file_ops count_fops = {.read = count_read, .seek = words_seek};

int proc_add_pages(struct dentry *root)
{
	int err = text_special(root, "kpageflags", 0400, &flags_fops);

	return err ? err : text_special(root, "kpagecount", 0400, &count_fops);
}
