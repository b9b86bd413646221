/* SPDX-License-Identifier: MIT */
/*
 * file.h - open files, the table that numbers them, and the buffers that data moves through.
 *
 * A struct file is one opening of something: an access mode, flags and a position. Descriptors are
 * references to it. The table is shared by threads; look-ups take no lock (RCU and a reference).
 *
 * Keys: [a] atomic; [i] immutable; [p] pos_lock; [t] the table's lock.
 */
#pragma once

#include <quire/types.h>
#include <uapi/fcntl.h>
#include "kernel/lock.h"
#include "kernel/rcu.h"
#include "kernel/uaccess.h"
#include "lib/list.h"

struct dentry;
struct file;
struct inode;
struct map_request;
struct object;
struct poll_request;
struct uapi_stat;

/* --- uio: a list of buffers, user or kernel, that is used up from the front -------------------------- */
struct uio_segment {
	vaddr_t base; /* user address; or a kernel pointer in a kernel uio */
	u64 len;
};

/* The ranges of user buffers have been checked with user_range_ok. */
struct uio {
	vaddr_t at;                     /* what remains of the current buffer: where .. */
	u64 room;                       /* .. and how many bytes; of a kernel buffer 0 */
	u64 left;                       /* bytes in all that remain */
	const struct uio_segment *next; /* the buffers after it .. */
	u32 nr_next;                    /* .. and how many there are */
	bool kernel;
	bool append;    /* a write goes to the end of the file, wherever *pos is */
	bool no_append; /* O_APPEND does not count this time */
};

/* uio_init - a list of user buffers. uio_init_user, uio_init_kernel - a single buffer. */
void uio_init(struct uio *, const struct uio_segment *, unsigned nr);

static inline void uio_init_user(struct uio *u, vaddr_t base, u64 len)
{
	*u = (struct uio){.at = base, .room = len, .left = len};
}

static inline void uio_init_kernel(struct uio *u, const void *base, u64 len)
{
	*u = (struct uio){.at = (vaddr_t)base, .left = len, .kernel = true};
}

/* uio_put, uio_get, uio_put_zeroes - copy to (from) the buffers, or clear them, and move on. Returns bytes done: less than n when
 * the buffers end, or at a bad user address. May fault: no lock of rank SPACE..FOLIO, no spin lock. */
size_t uio_put_pieces(struct uio *, const void *src, size_t n); /* the general forms */
size_t uio_get_pieces(struct uio *, void *dst, size_t n);
size_t uio_put_zero_pieces(struct uio *, size_t n);

/* uio_fits - the usual case: all of it goes to or comes from one user buffer. */
static inline bool uio_fits(const struct uio *u, size_t n)
{
	return n <= u->room;
}

static inline size_t uio_advance(struct uio *u, size_t n)
{
	u->at += n;
	u->room -= n;
	u->left -= n;
	return n;
}

static inline size_t uio_put(struct uio *u, const void *src, size_t n)
{
	if (unlikely(!uio_fits(u, n)))
		return uio_put_pieces(u, src, n);
	lock_assert_user_access();
	return uio_advance(u, n - arch_copy_to_user(u->at, src, n));
}

static inline size_t uio_get(struct uio *u, void *dst, size_t n)
{
	if (unlikely(!uio_fits(u, n)))
		return uio_get_pieces(u, dst, n);
	lock_assert_user_access();
	return uio_advance(u, n - arch_copy_from_user(dst, u->at, n));
}

static inline size_t uio_put_zeroes(struct uio *u, size_t n)
{
	if (unlikely(!uio_fits(u, n)))
		return uio_put_zero_pieces(u, n);
	lock_assert_user_access();
	return uio_advance(u, n - arch_clear_user(u->at, n));
}

/* A user's list of buffers (struct iovec). user_buffers_import - read the list and check it: 0, -EINVAL (too many, or too
 * long), -EFAULT, -ENOMEM. What lies beyond 2 GiB is cut off. After 0: user_buffers_free. */
#define IOV_FAST 8
struct user_buffers {
	struct uio uio;
	struct uio_segment fast[IOV_FAST], *seg;
};
int user_buffers_import(struct user_buffers *, vaddr_t iov, u64 nr);
void user_buffers_free(struct user_buffers *);

/* --- open files --------------------------------------------------------------------------------------- */
struct file_ops {
	int (*open)(struct file *);
	void (*release)(struct file *); /* last reference */
	/* Move data at *pos, which they advance. Bytes done, or -errno. NULL: EINVAL. A stream ignores pos. */
	ssize_t (*read)(struct file *, struct uio *, u64 *pos);
	ssize_t (*write)(struct file *, struct uio *, u64 *pos);
	s64 (*seek)(struct file *, s64 offset, int whence);      /* NULL: ESPIPE */
	long (*ioctl)(struct file *, unsigned cmd, vaddr_t arg); /* NULL: ENOTTY */
	int (*readdir)(struct file *, vaddr_t buf, u32 size);    /* getdents64; NULL: ENOTDIR */
	/* fallocate(2): the range makes sense, the file is open for writing. NULL: EOPNOTSUPP */
	int (*allocate)(struct file *, int mode, u64 offset, u64 len);
	/* What is ready now, as POLL* bits; with a request, also tell it the queues to wait on: see fs/poll.h.
	 * NULL: always readable and writable. */
	u32 (*poll)(struct file *, struct poll_request *);
	/* mmap: give the request an object (and name), referenced; NULL: the inode's own, or ENODEV. */
	int (*map)(struct file *, struct map_request *);
	bool is_stream; /* no position: pread fails with ESPIPE, read takes no position lock */
	bool ignores_position; /* there is one, but it means nothing to read and write */
};

struct file {
	u32 refs;                   /* [a] */
	u32 flags;                  /* [a] O_* as F_GETFL shows them */
	bool can_read, can_write;   /* [i] */
	s8 holds_write;             /* [i] see inode_hold_write; 0: neither */
	const struct file_ops *ops; /* [i] */
	/* [i] Those of the ops if they need but a buffer: it can be read, or written, and position means nothing; or NULL */
	ssize_t (*read_directly)(struct file *, struct uio *, u64 *pos);
	ssize_t (*write_directly)(struct file *, struct uio *, u64 *pos);
	struct dentry *dentry;        /* [i] NULL: has no name (pipes) */
	struct inode *inode;          /* [i] */
	const char *anon_name;        /* [i] kind of file without a name, "[eventfd]"; or NULL */
	struct mutex pos_lock;        /* RANK_FILE_POS */
	u64 pos;                      /* [p] bytes */
	void *private_data;           /* [i] */
	struct list_head epoll_items; /* who watches it: see fs/epoll_internal.h */
	struct rcu_head rcu;
};

/* file_open - open a dentry. 0 or -errno; *out has one reference. Sleeps. */
int file_open(struct dentry *, u32 flags, struct file **out);
/* file_open_path - the same by name, from the kernel. */
int file_open_path(const char *path, u32 flags, u32 mode, struct file **out);
/* file_open_program - for execve: at is the directory, or with an empty path the program itself. Needs no permission
 * to read. walk: WALK_*. -EACCES: not a regular file, or not executable; -ELOOP: a symbolic link not to be followed */
int file_open_program(struct dentry *at, const char *path, unsigned walk, struct file **out);
/* file_open_at - open(2) from the directory at. flags have been checked for making sense together. */
struct file_how {
	u32 flags, mode; /* O_*; permissions of a file that is made */
	unsigned walk;   /* WALK_* that restrict the way */
};
int file_open_at(struct dentry *at, const char *path, const struct file_how *, struct file **out);
int file_alloc(struct inode *, const struct file_ops *, u32 flags, struct file **out);
/* file_set_ops - a file that is being opened, or was not opened after all, has other functions than it began with. */
void file_set_ops(struct file *, const struct file_ops *);
/* file_set_name - a new file was opened by this name, on which it takes a reference. */
void file_set_name(struct file *, struct dentry *);
void file_get(struct file *);
void file_put(struct file *); /* may sleep */

/* file_read_kernel - n bytes at pos into kernel memory; fewer at the end. Bytes or -errno. */
ssize_t file_read_kernel(struct file *, void *buf, size_t n, u64 pos);
ssize_t file_write_kernel(struct file *, const void *buf, size_t n, u64 pos);
void file_stat(struct inode *, struct uapi_stat *);

/* file_link_text - what the link in /proc/self/fd says: the path, with " (deleted)" where that is so, or
 * "pipe:[12]", "socket:[12]", "anon_inode:[eventfd]". 0 or -ENAMETOOLONG. Takes vfs_rename_lock. */
int file_link_text(struct file *, char *buf, size_t size);

/* anon_file_create - an open file that has no name. name: its kind with brackets, static; flags: O_*, of which
 * the access mode counts. private_data passes to it. 0 or -ENOMEM: then private_data is still the caller's.
 * anon_fd_create - the same with a descriptor (O_CLOEXEC counts): >= 0, -ENOMEM, -EMFILE. */
int anon_file_create(const char *name, const struct file_ops *, void *private_data, u32 flags,
		     struct file **out);
int anon_fd_create(const char *name, const struct file_ops *, void *private_data, u32 flags);
void anon_file_init(void); /* boot */
/* anon_file_seek - for such files whose position can be set, to no effect. */
s64 anon_file_seek(struct file *, s64 offset, int whence);

/* --- descriptors -------------------------------------------------------------------------------------- */
struct files;

#define FD_MAX 65536 /* descriptors a table can have, whatever RLIMIT_NOFILE says */

struct files *files_create(void);         /* empty; NULL: memory */
struct files *files_copy(struct files *); /* NULL: memory */
void files_get(struct files *);
void files_put(struct files *); /* the last put closes everything; sleeps */
void files_close_on_exec(struct files *);
/* files_note_sharing - another thread can change it from now on. */
void files_note_sharing(struct files *);
/* files_is_shared - with another process; threads of one process share one reference. */
bool files_is_shared(const struct files *);

/* fd_get - the file behind a descriptor of the current process with a reference; NULL: EBADF, also for one that
 * stands for a name only (O_PATH). fd_get_any: those as well. */
struct file *fd_get(int fd);
struct file *fd_get_any(int fd);
/* fd_borrow - the same for no longer than a system call of the current thread. Without a reference, and *counted false,
 * when nobody else could close the descriptor meanwhile: a single thread, with a table of its own.
 * fd_return - with what fd_borrow said. */
struct file *fd_borrow(int fd, bool *counted);
static inline void fd_return(struct file *f, bool counted)
{
	if (unlikely(counted))
		file_put(f);
}
/* fd_capacity - descriptors of the current process from here on are certainly not in use; a multiple of 64. */
u32 fd_capacity(void);
/* files_find - the same in another table, on which the caller has a reference. */
struct file *files_find(struct files *, int fd);
/* fd_install - the lowest free descriptor >= min for a file (whose reference passes to the table).
 * >= 0, -EMFILE, -ENOMEM: then the reference stays with the caller. */
int fd_install(struct file *, int min, bool cloexec);

/* files_cloexec - is fd closed by exec? files_next - the lowest descriptor >= from in use, UINT32_MAX: none.
 * files_size - how many there is room for. In any table that a reference or a lock of the caller's keeps; no sleep. */
bool files_cloexec(const struct files *, u32 fd);
u32 files_next(const struct files *, u32 from);
u32 files_size(const struct files *);

/* files_set - put a file at a free or used descriptor of a table nobody else uses yet. Takes the reference.
 * 0 or -ENOMEM. */
int files_set(struct files *, int fd, struct file *);

/* fd_replace - make fd refer to f (whose reference passes to the table), closing what was there (dup2). 0,
 * -EBADF (out of range), -ENOMEM. fd_close - 0 or -EBADF. */
int fd_replace(int fd, struct file *f, bool cloexec);
int fd_close(int fd);
/* fd_close_range - close all open descriptors from first to last, or only mark them close-on-exec. */
void fd_close_range(u32 first, u32 last, bool cloexec);
bool fd_cloexec(int fd);
int fd_set_cloexec(int fd, bool on); /* 0 or -EBADF */

/* fd_map_object - what mmap(2) wants to know of a descriptor: completes a request that has prot and flags.
 *  returns: 0 with obj and name, referenced for the caller, and the VM_MAY* bits to withhold in may; -EBADF;
 *  -EACCES: not opened for reading, or shared and writable but not opened for writing; -EPERM: sealed against writing;
 *  -ENODEV: cannot be mapped. After 0: seals_end_map */
int fd_map_object(int fd, struct map_request *);

/* Seals (memfd.c). seals_begin_map - may the object be mapped as requested? Withholds VM_MAYWRITE if it is sealed. 0, -EPERM;
 * after 0, seals_end_map once the mapping stands, or will not. file_add_seals, file_seals - fcntl(2). */
int seals_begin_map(struct object *, struct map_request *);
void seals_end_map(struct map_request *);
long file_add_seals(struct file *, u32 seals);
long file_seals(struct file *);
void memfd_init(void); /* boot */

/* --- root, working directory, umask: shared with CLONE_FS --------------------------------------------- */
struct fs_context {
	u32 refs;                  /* [a] */
	struct spinlock lock;      /* RANK_PROCESS */
	struct dentry *root, *cwd; /* [lock] */
	u32 umask;                 /* [lock] */
};

struct fs_context *fs_context_create(void);
struct fs_context *fs_context_copy(struct fs_context *);
void fs_context_get(struct fs_context *);
void fs_context_put(struct fs_context *);
/* fs_context_cwd - the working directory with a reference. */
struct dentry *fs_context_cwd(struct fs_context *);

struct dentry *fs_context_root(struct fs_context *); /* the same for the root */

/* fs_context_set_cwd, fs_context_set_root - take over the reference. */
void fs_context_set_cwd(struct fs_context *, struct dentry *cwd);
void fs_context_set_root(struct fs_context *, struct dentry *root);

/* --- pipes, initramfs --------------------------------------------------------------------------------- */
int pipe_create(struct file **reader, struct file **writer, u32 flags);

/* initramfs_unpack - fill the root from the archives in the boot loader's initrd and free that memory.
 * What is damaged is reported; what came before it stays. Boot, once, after vfs_init. */
void initramfs_unpack(void);
