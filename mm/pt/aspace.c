/* SPDX-License-Identifier: MIT */
/* aspace.c - roots: made with the kernel half in place, freed when the last CPU has left. */
#include <quire/assert.h>
#include <uapi/errno.h>
#include "mm/phys/page_alloc.h"
#include "mm/pt/internal.h"

struct aspace kernel_as;

int as_init(struct aspace *as, void (*release)(struct aspace *))
{
	int err;

	*as = (struct aspace){.refs = 1, .nr_tables = 1, .release = release};
	as->root = node_alloc(0);
	if (!as->root)
		return -ENOMEM;
	node_setup(as->root, PT_LEVELS - 1, 0, NULL);
	as->root_pa = page_to_phys(as->root);
	err = arch_as_init(as);
	if (err)
		node_free(as->root);
	return err;
}

void as_destroy(struct aspace *as)
{
	assert(as->nr_tables == 1 && as->root->node_used == 0);
	arch_as_destroy(as);
	node_free(as->root);
}

void as_get(struct aspace *as)
{
	__atomic_fetch_add(&as->refs, 1, __ATOMIC_RELAXED);
}

void as_put(struct aspace *as)
{
	if (__atomic_fetch_sub(&as->refs, 1, __ATOMIC_ACQ_REL) == 1)
		as->release(as);
}
