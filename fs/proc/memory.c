/* SPDX-License-Identifier: MIT */
/*
 * memory.c - meminfo and vmstat: where the machine's pages are.
 *
 * The names are Linux's, for the programs that look for them; what does not exist here is 0. Files live in memory
 * alone, so all of their pages are both Cached and Shmem.
 */
#include <uapi/errno.h>
#include "fs/proc/internal.h"
#include "mm/phys/page_alloc.h"
#include "mm/phys/slab.h"
#include "mm/phys/vmalloc.h"
#include "mm/pt/batch.h"
#include "mm/vma/space.h"

/* Sums over all processes, in pages. */
struct space_sums {
	u64 committed, mapped_files;
};

static void sum_spaces(struct space_sums *sums)
{
	struct process *p;
	struct space *s;

	*sums = (struct space_sums){0};
	for (u32 nr = 1; (p = process_find_from(nr)); nr = user_pid(p) + 1, process_put(p)) {
		s = process_space(p);
		if (!s)
			continue;
		sums->committed += READ_ONCE(s->data_pages) + READ_ONCE(s->stack_pages);
		sums->mapped_files += (u64)MAX(READ_ONCE(s->rss[RSS_FILE]), 0);
		space_put(s);
	}
}

static void show_kib(struct text *t, const char *name, u64 kib)
{
	text_printf(t, "%-15s %8lu kB\n", name, kib);
}

static void show_pages(struct text *t, const char *name, u64 pages)
{
	show_kib(t, name, pages * (PAGE_SIZE / 1024));
}

static void show_user(struct text *t, u64 anon, u64 files)
{
	show_pages(t, "Buffers:", 0);
	show_pages(t, "Cached:", files);
	show_pages(t, "SwapCached:", 0);
	show_pages(t, "Active:", anon + files);
	show_pages(t, "Inactive:", 0);
	show_pages(t, "Active(anon):", anon + files);
	show_pages(t, "Inactive(anon):", 0);
	show_pages(t, "Active(file):", 0);
	show_pages(t, "Inactive(file):", 0);
	show_pages(t, "Unevictable:", 0);
	show_pages(t, "Mlocked:", 0);
	show_pages(t, "SwapTotal:", 0);
	show_pages(t, "SwapFree:", 0);
	show_pages(t, "Dirty:", 0);
	show_pages(t, "Writeback:", 0);
	show_pages(t, "AnonPages:", anon);
}

static void show_kernel(struct text *t)
{
	u64 slab = slab_count_pages();

	show_pages(t, "KReclaimable:", 0);
	show_pages(t, "Slab:", slab);
	show_pages(t, "SReclaimable:", 0);
	show_pages(t, "SUnreclaim:", slab);
	show_kib(t, "KernelStack:", thread_count() * (KSTACK_SIZE / 1024));
	show_pages(t, "PageTables:", page_count_type(PAGE_TABLE));
}

static void show_vmalloc(struct text *t)
{
	u64 total, used;

	vmalloc_usage(&total, &used);
	show_kib(t, "VmallocTotal:", total >> 10);
	show_kib(t, "VmallocUsed:", used >> 10);
	show_kib(t, "VmallocChunk:", 0);
}

static int meminfo_show(struct file *f UNUSED, struct text *t)
{
	u64 total = page_count_total(), free = page_count_free();
	u64 anon = page_count_type(PAGE_ANON), files = page_count_type(PAGE_OBJ);
	struct space_sums sums;

	sum_spaces(&sums);
	show_pages(t, "MemTotal:", total);
	show_pages(t, "MemFree:", free);
	show_pages(t, "MemAvailable:", free);
	show_user(t, anon, files);
	/* A page that several processes map counts for each of them, up to what there is. */
	show_pages(t, "Mapped:", MIN(sums.mapped_files, files));
	show_pages(t, "Shmem:", files);
	show_kernel(t);
	show_pages(t, "CommitLimit:", total / 2);
	show_pages(t, "Committed_AS:", sums.committed + files);
	show_vmalloc(t);
	show_pages(t, "AnonHugePages:", 0);
	show_pages(t, "ShmemHugePages:", 0);
	show_pages(t, "ShmemPmdMapped:", 0);
	text_puts(
		t,
		"HugePages_Total:       0\nHugePages_Free:        0\nHugePages_Rsvd:        0\n"
		"HugePages_Surp:        0\nHugepagesize:       2048 kB\nHugetlb:               0 kB\n");
	return 0;
}

/* show_flushes - how often entries were taken from TLBs, by why. */
static void show_flushes(struct text *t)
{
	static const char *const names[TLB_REASONS] = {
		[TLB_UNMAP] = "unmap", [TLB_PROTECT] = "protect", [TLB_COW] = "cow",
		[TLB_FORK] = "fork",   [TLB_SPLIT] = "split",     [TLB_KERNEL] = "kernel",
	};

	for (unsigned i = 0; i < TLB_REASONS; i++)
		if (names[i])
			text_printf(t, "tlb_flush_%s %lu\n", names[i],
				    tlb_count((enum tlb_reason)i));
}

static int vmstat_show(struct file *f UNUSED, struct text *t)
{
	u64 files = page_count_type(PAGE_OBJ);

	text_printf(t, "nr_free_pages %lu\nnr_anon_pages %lu\nnr_file_pages %lu\nnr_shmem %lu\n",
		    page_count_free(), page_count_type(PAGE_ANON), files, files);
	text_printf(t, "nr_slab_unreclaimable %lu\nnr_page_table_pages %lu\nnr_kernel_stack %lu\n",
		    slab_count_pages(), page_count_type(PAGE_TABLE),
		    thread_count() * (KSTACK_SIZE / 1024));
	show_flushes(t);
	return 0;
}

static const struct text_ops meminfo_ops = {.show = meminfo_show};
static const struct text_ops vmstat_ops = {.show = vmstat_show};

int proc_add_memory(struct dentry *root)
{
	int err = text_file(root, "meminfo", 0444, &meminfo_ops, NULL);

	return err ? err : text_file(root, "vmstat", 0444, &vmstat_ops, NULL);
}
