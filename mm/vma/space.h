/* SPDX-License-Identifier: MIT */
/*
 * space.h - an address space: its mappings (VMAs), its page tables and its accounts.
 *
 * The mapping list is the truth about intent: what lies where, with which rights. Layout changes
 * hold the space lock for writing and write-lock every VMA they change. A page fault takes
 * only the lock of its VMA, found without any lock under the layout sequence count.
 *
 * Keys: [s] space lock; [v] VMA lock, or the space lock to read; [a] atomic; [i] immutable.
 */
#pragma once

#include <quire/types.h>
#include <uapi/mman.h>
#include "kernel/lock.h"
#include "kernel/rcu.h"
#include "lib/rbtree.h"
#include "lib/seqcount.h"
#include "mm/pt/aspace.h"

struct object;
struct family;

/* VMA flags. */
#define VM_READ       0x0001u
#define VM_WRITE      0x0002u
#define VM_EXEC       0x0004u
#define VM_SHARED     0x0008u
#define VM_MAYREAD    0x0010u
#define VM_MAYWRITE   0x0020u
#define VM_MAYEXEC    0x0040u
#define VM_GROWSDOWN  0x0100u
#define VM_NORESERVE  0x0200u
#define VM_STACK      0x0400u  /* the initial stack: named [stack], counted as such */
#define VM_HEAP       0x0800u  /* brk */
#define VM_LOCKED     0x1000u  /* mlock: all pages are to be present .. */
#define VM_ONFAULT    0x2000u  /* .. once they were touched */
#define VM_DONTFORK   0x04000u /* children do not get it */
#define VM_WIPEONFORK 0x08000u /* children get it empty */
#define VM_SEALED     0x10000u /* mseal: it stays as it is */
#define VM_SEQ_READ   0x20000u /* MADV_SEQUENTIAL, MADV_RANDOM, MADV_DONTDUMP: noted and shown */
#define VM_RAND_READ  0x40000u
#define VM_DONTDUMP   0x80000u
#define VM_LOCKS      (VM_LOCKED | VM_ONFAULT)
#define VM_RIGHTS     (VM_READ | VM_WRITE | VM_EXEC)

struct vma {
	vaddr_t start, end;        /* [v] page-aligned bytes, end exclusive */
	u32 flags;                 /* [v] VM_* */
	bool detached;             /* [v] no longer in the tree */
	bool has_anon;             /* [a] an anonymous page was installed at some time */
	bool touched;              /* [a] there was a fault: its page-table entries may be in use */
	struct rb_node node;       /* [s] */
	struct vma *prev, *next;   /* [s] neighbours by address, NULL at the ends */
	u64 gap, max_gap;          /* [s] free bytes before start; maximum in the subtree */
	struct space *space;       /* [i] */
	struct object *obj;        /* [i] NULL: anonymous memory */
	void *name;                /* [i] NULL: none; see struct object_ops */
	u64 pgoff;                 /* [v] page of obj (or home page number) at start */
	struct rwlock lock;        /* RANK_VMA */
	struct list_head obj_link; /* obj->vmas_lock */
	union {
		struct rcu_head rcu; /* no longer linked */
		struct vma *copy;    /* [s] in the child, while the space is being forked */
	};
};

/* Mappings by address: a tree to search in, a chain to walk along. */
struct vma_tree {
	struct rb_root root;
	struct vma *first, *last; /* of the chain, NULL when there are none */
};

/* Resident pages by kind, for accounting. */
enum rss_kind { RSS_ANON, RSS_FILE, RSS_SWAP, RSS_KINDS };

/* Copied from the process's rlimits whenever they change; bytes. */
struct space_limits {
	u64 as, data, stack, memlock;
};

/* Where exec put things, for /proc; user addresses. */
struct space_program {
	vaddr_t code_start, code_end, data_start, data_end;
	vaddr_t stack;          /* the stack pointer that it was started with */
	vaddr_t auxv, auxv_end; /* the auxiliary vector on the stack */
};

struct space {
	struct aspace as;
	struct rwlock lock;   /* RANK_SPACE */
	struct vma_tree vmas; /* [s] */
	struct seqcount seq;  /* odd: the layout changes or is copied; for lockless lookup */
	u32 users;            /* [a] threads and others that use the mappings */
	u32 nr_vmas;          /* [s] */
	u64 total_pages;      /* [s] all mappings */
	u64 data_pages;       /* [s] private writable, not stack */
	u64 stack_pages;      /* [s] */
	u64 locked_pages;     /* [s] in mappings with VM_LOCKED */
	u32 future_locks;     /* [s] VM_LOCKS of mappings to come: MCL_FUTURE */
	u32 barriers;         /* [a] registrations of membarrier(2) */
	bool fork_advice;     /* [s] some mapping may have VM_DONTFORK or VM_WIPEONFORK */
	bool lock_unlimited;  /* [s] who locked memory last has CAP_IPC_LOCK */
	u64 peak_pages;       /* [s] the most that total_pages has been */
	s64 rss[RSS_KINDS];   /* [a] pages */
	u64 hiwater_rss; /* pages, as of the last time that some were taken away: see space_peak_rss */
	vaddr_t mmap_top;       /* [i] search downwards from here */
	vaddr_t brk_start, brk; /* [s] */
	vaddr_t stack_top;      /* [i] */
	vaddr_t vdso;           /* [i] its ELF header; 0: none. Programs may unmap it */
	vaddr_t arg_start, arg_end, env_start, env_end; /* for /proc */
	struct space_program program;
	struct space_limits limits;   /* [s] */
	struct family *family;        /* [i] */
	struct list_head family_link; /* family lock */
};

/* space_create - an empty space with its page-table root. 0 or -ENOMEM. users == 1. */
int space_create(struct space **out);
void space_get(struct space *);
/* space_try_get - false when the last user has gone: for those who keep the struct by a reference on its as. */
bool space_try_get(struct space *);
/* space_rss - resident pages now. space_peak_rss - the most there have been. */
u64 space_rss(const struct space *);
u64 space_peak_rss(const struct space *);
/* space_note_peak_rss - some are about to be taken away: remember how many there were. */
void space_note_peak_rss(struct space *);
/* space_reset_peak_rss - the most from now on. */
void space_reset_peak_rss(struct space *);
/* space_put - the last user's put unmaps everything and frees the space. Sleeps. */
void space_put(struct space *);
/* space_fork - a copy of src with copy-on-write private memory. src must be current->space or stopped.
 *  locks: none on entry; takes src->lock for writing.  0 or -ENOMEM. */
int space_fork(struct space *src, struct space **out);

/* One request to map; what mmap(2), exec and brk share. */
struct map_request {
	vaddr_t addr;       /* hint, or the place with MAP_FIXED; bytes */
	u64 len;            /* bytes, > 0; rounded up to pages */
	unsigned prot;      /* PROT_* */
	unsigned flags;     /* MAP_* */
	struct object *obj; /* NULL: anonymous. The mapping takes its own reference */
	void *name;   /* of obj, for people; NULL: none. The mapping takes its own reference */
	u64 pgoff;    /* first page of obj */
	u32 vm_flags; /* extra VM_STACK, VM_HEAP */
	u32 may;      /* VM_MAY* to withhold (file opened without the right) */
	bool lock_unlimited; /* with MAP_LOCKED: RLIMIT_MEMLOCK does not count */
	vaddr_t below;       /* place it below this address; 0: anywhere */
	bool begun;          /* counted in obj->maps_begun */
};

/* space_map - make a mapping. Locks: none held; takes the space lock for writing.
 *  returns: 0 and the address in *out; errors as mmap(2): EINVAL ENOMEM EEXIST EPERM EOPNOTSUPP */
int space_map(struct space *, const struct map_request *, vaddr_t *out);
/* space_check_fixed - may [addr, addr+len) be asked for by MAP_FIXED? len: page-aligned, at most USER_TOP.
 *  returns: 0, ENOMEM (beyond user space), EINVAL (not aligned), EPERM (too low) */
int space_check_fixed(vaddr_t addr, u64 len);
int space_unmap(struct space *, vaddr_t addr, u64 len);                  /* as munmap(2) */
int space_protect(struct space *, vaddr_t addr, u64 len, unsigned prot); /* as mprotect(2) */
/* What mremap(2) asks for; bytes. */
struct remap_request {
	vaddr_t addr, new_addr;
	u64 old_len, new_len;
	unsigned flags; /* MREMAP_* */
};
/* space_remap - as mremap(2); the address in *out. Locks as space_map. */
int space_remap(struct space *, const struct remap_request *, vaddr_t *out);
/* space_lock - give the mappings of a range these VM_LOCKS, as mlock2(2) and munlock(2). unlimited: the limit does not
 * count.  0, -ENOMEM (a hole, the limit), -EINVAL (wraps) */
int space_lock(struct space *, vaddr_t addr, u64 len, u32 locks, bool unlimited);
/* space_lock_all - all mappings (now), and those to come, as mlockall(2). 0 or -ENOMEM (the limit) */
int space_lock_all(struct space *, bool now, u32 locks, u32 future, bool unlimited);
/* space_next_locked - the first piece of [*lo, *hi) that is to be present: its bounds, and whether to write.
 * False: there is none. */
bool space_next_locked(struct space *, vaddr_t *lo, vaddr_t *hi, bool *write);
/* What madvise(2) changes of a mapping; private_only: others refuse (EINVAL). */
struct vma_advice {
	u32 set, clear; /* VM_* */
	bool private_only;
};
/* space_advise - to all mappings of [lo, hi). 0, -ENOMEM (holes, which are passed over), -EINVAL */
int space_advise(struct space *, vaddr_t lo, vaddr_t hi, const struct vma_advice *);
/* space_seal - as mseal(2): all of [lo, hi), or nothing where there is a hole. 0 or -ENOMEM */
int space_seal(struct space *, vaddr_t lo, vaddr_t hi);
/* space_resident - for each page of [lo, hi) 1 if it is in memory, else 0. 0, -ENOMEM: a hole. Takes the space lock. */
int space_resident(struct space *, vaddr_t lo, vaddr_t hi, u8 *vec);
/* space_sync - as msync(2), where there is no disk to write to. 0, -ENOMEM, -EBUSY */
int space_sync(struct space *, vaddr_t lo, vaddr_t hi, unsigned flags);
/* space_discard - as madvise(MADV_DONTNEED), or with MADV_DONTNEED_LOCKED */
int space_discard(struct space *, vaddr_t addr, u64 len, bool locked_too);
vaddr_t space_brk(struct space *, vaddr_t new_brk); /* as brk(2) */
void space_set_limits(struct space *, const struct space_limits *);

/* space_populate - fault in [addr, addr+len) for reading or writing. 0, -EFAULT, -ENOMEM. */
int space_populate(struct space *, vaddr_t addr, u64 len, bool write);

/* space_get_page - the page that maps va after faulting for `access` (FAULT_*), with a reference: for
 * futex keys, exec's argument copies into a space that is not loaded, and who looks at another process.
 * va: below USER_TOP. 0, -EFAULT, -ENOMEM. */
int space_get_page(struct space *, vaddr_t va, unsigned access, struct page **out);

/* space_write / space_read - copy between the kernel and a space that need not be loaded. 0, -EFAULT, -ENOMEM. */
int space_write(struct space *, vaddr_t va, const void *data, size_t len);
int space_read(struct space *, vaddr_t va, void *data, size_t len);
/* space_zero - as space_write, of zeroes. */
int space_zero(struct space *, vaddr_t va, size_t len);

/* What /proc/PID/maps tells of one mapping. */
struct space_mapping {
	vaddr_t start, end;
	u32 flags;          /* VM_* */
	u64 pgoff;          /* pages */
	struct object *obj; /* with a reference, NULL: anonymous */
	void *name;         /* with a reference (obj->ops->name_get), NULL: none */
};

/* space_list - the mappings that end above `from`, at most max of them, as of one moment.
 *  locks: takes the space lock for reading   returns: how many; each goes to space_mapping_put */
unsigned space_list(struct space *, vaddr_t from, struct space_mapping *out, unsigned max);
void space_mapping_put(struct space_mapping *);

/* space_shared_object - the object that a shared mapping at va shows, and which page of it; NULL when
 * memory there is private, anonymous or absent. Not referenced: only good as an identity (futex keys).
 * Sleeps, takes the space lock for reading. */
struct object *space_shared_object(struct space *, vaddr_t va, u64 *pgoff);
