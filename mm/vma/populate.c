/* SPDX-License-Identifier: MIT */
/* populate.c - touching user pages from the kernel's side, without going through the CPU. */
#include <uapi/errno.h>
#include "kernel/rcu.h"
#include "lib/string.h"
#include "mm/fault/fault.h"
#include "mm/obj/anon.h"
#include "mm/phys/page_alloc.h"
#include "mm/pt/pt.h"
#include "mm/vma/vma.h"

static int errno_of(enum fault_result r)
{
	switch (r) {
	case FAULT_DONE:
	case FAULT_RETRY:
		return 0;
	case FAULT_OOM:
		return -ENOMEM;
	case FAULT_SEGV_MAPERR:
	case FAULT_SEGV_ACCERR:
	case FAULT_BUS:
		break;
	}
	return -EFAULT;
}

int space_populate(struct space *s, vaddr_t addr, u64 len, bool write)
{
	vaddr_t end = ALIGN_UP(addr + len, PAGE_SIZE);
	int err = 0;

	for (vaddr_t va = ALIGN_DOWN(addr, PAGE_SIZE); va < end && !err; va += PAGE_SIZE)
		err = errno_of(mm_fault(s, va, FAULT_REMOTE | (write ? FAULT_WRITE : FAULT_READ)));
	return err;
}

/* Does the entry let its page be used for the access? By force, a page may be written that is the space's own,
 * whether or not the program itself may write it. */
static bool allows(const struct pt_slot *slot, unsigned access)
{
	bool force = access & FAULT_FORCE, write = access & FAULT_WRITE;
	const struct page *page;

	if (slot->kind != PT_PAGE || !(slot->bits & PTB_USER) || slot->bits & PTB_DEVICE)
		return false;
	if (!(slot->bits & PTB_READ) && !force)
		return false;
	if (!write || slot->bits & PTB_WRITE)
		return true;
	page = pfn_to_page(slot->val);
	return force && !(slot->bits & PTB_SPECIAL) && page_type(page) == PAGE_ANON &&
	       page_test(page, PG_EXCLUSIVE);
}

/* The mapped page with a reference if the entry allows the access now, else NULL. */
static struct page *try_get(struct space *s, vaddr_t va, unsigned access)
{
	struct page *page = NULL;
	struct pt_slot slot, again;

	rcu_read_lock();
	pt_peek(&s->as, va, &slot);
	if (allows(&slot, access)) {
		page = pfn_to_page(slot.val + ((va - slot.va) >> PAGE_SHIFT));
		if (!page_try_get(page))
			page = NULL;
	}
	/* Before the reference was taken the page may have been freed and reused, or shared by a fork. */
	if (page) {
		pt_peek(&s->as, va, &again);
		if (!allows(&again, access) || again.val != slot.val) {
			page_put(page);
			page = NULL;
		}
	}
	rcu_read_unlock();
	return page;
}

int space_get_page(struct space *s, vaddr_t va, unsigned access, struct page **out)
{
	while (!(*out = try_get(s, va, access))) {
		int err = errno_of(mm_fault(s, va, access | FAULT_REMOTE));

		if (err)
			return err;
	}
	return 0;
}

/* Copy one page's worth in the direction that `access` says. */
static int copy_piece(struct space *s, vaddr_t va, char *data, size_t len, unsigned access)
{
	struct page *page;
	int err = va < USER_TOP ? space_get_page(s, va, access, &page) : -EFAULT;
	char *at;

	if (err)
		return err;
	at = (char *)page_to_virt(page) + (va & ~PAGE_MASK);
	if (access & FAULT_WRITE)
		memcpy(at, data, len);
	else
		memcpy(data, at, len);
	page_put(page);
	return 0;
}

static int copy_space(struct space *s, vaddr_t va, char *data, size_t len, unsigned access)
{
	while (len) {
		size_t piece = MIN(len, PAGE_SIZE - (va & ~PAGE_MASK));
		int err = copy_piece(s, va, data, piece, access);

		if (err)
			return err;
		va += piece;
		data += piece;
		len -= piece;
	}
	return 0;
}

int space_write(struct space *s, vaddr_t va, const void *data, size_t len)
{
	return copy_space(s, va, (char *)data, len, FAULT_WRITE);
}

int space_zero(struct space *s, vaddr_t va, size_t len)
{
	char *zeroes = page_to_virt(zero_page);
	int err = 0;

	while (len && !err) {
		size_t piece = MIN(len, PAGE_SIZE - (va & ~PAGE_MASK));

		err = copy_piece(s, va, zeroes, piece, FAULT_WRITE);
		va += piece;
		len -= piece;
	}
	return err;
}

int space_read(struct space *s, vaddr_t va, void *data, size_t len)
{
	return copy_space(s, va, data, len, FAULT_READ);
}
