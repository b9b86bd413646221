/* SPDX-License-Identifier: MIT */
/*
 * cpio.h - a streaming reader of cpio archives in the "newc" format, with or without checksums.
 *
 * An archive is a sequence of entries: a header of 110 characters (the magic 070701 or 070702 and
 * thirteen numbers of eight hexadecimal digits), the name with its terminating NUL, padding to a
 * multiple of 4, the content, padding to a multiple of 4. The entry named TRAILER!!! ends an
 * archive; zero bytes may follow, and then another archive.
 *
 * Input arrives in pieces of any size; nothing is kept of it but the header and the name. Hard links
 * are reported as they stand: the entries share (ino, dev), nlink tells how many there are, and by
 * convention only the last carries the content.
 */
#pragma once

#include <quire/types.h>
#include <quire/compiler.h>

#define CPIO_NAME_MAX    4096 /* with the terminating NUL: PATH_MAX */
#define CPIO_HEADER_SIZE 110

enum cpio_error {
	CPIO_OK,
	CPIO_BAD_MAGIC,     /* not an archive, or out of step with it */
	CPIO_BAD_DIGIT,     /* a header field is not hexadecimal */
	CPIO_BAD_NAME,      /* empty, not terminated, or with text behind the NUL */
	CPIO_NAME_TOO_LONG, /* longer than CPIO_NAME_MAX */
	CPIO_BAD_CHECKSUM,  /* 070702: the sum of the content's bytes differs */
	CPIO_TRUNCATED,     /* the input ended inside an entry or before the trailer */
	CPIO_STOPPED,       /* a callback returned an error: see stopped_by */
};

struct cpio_entry {
	const char *name; /* as in the archive: may be absolute or contain ".."; check it */
	u32 ino, mode, uid, gid, nlink, mtime, size;
	u32 dev_major, dev_minor, rdev_major, rdev_minor;
	u32 check;      /* expected sum */
	bool has_check; /* 070702 */
};

/* Callbacks: not 0 stops the reader with CPIO_STOPPED. e is valid until end_entry returns. */
struct cpio_ops {
	int (*begin_entry)(void *ctx, const struct cpio_entry *e);
	int (*data)(void *ctx, const struct cpio_entry *e, const u8 *data, size_t n); /* n > 0 */
	int (*end_entry)(void *ctx, const struct cpio_entry *e);
	/* May be NULL. The inode numbers of a following archive have nothing to do with those so far. */
	int (*end_archive)(void *ctx);
};

enum cpio_state { CPIO_BETWEEN, CPIO_HEADER, CPIO_NAME, CPIO_NAME_PAD, CPIO_DATA, CPIO_DATA_PAD };

struct cpio {
	const struct cpio_ops *ops;
	void *ctx;
	enum cpio_state state;
	enum cpio_error error; /* sticky */
	int stopped_by;        /* what the callback returned */
	u64 offset;            /* bytes consumed: says where an error is */
	u32 left;              /* bytes missing in this state */
	u32 fill;              /* bytes collected of header or name */
	u32 sum;
	u32 entries; /* seen so far, trailers excluded */
	bool open;   /* an archive has begun and its trailer is still to come */
	struct cpio_entry entry;
	char header[CPIO_HEADER_SIZE];
	char name[CPIO_NAME_MAX];
};

/* cpio_init - start reading; a struct cpio is more than a page, so not on a kernel stack. */
void cpio_init(struct cpio *, const struct cpio_ops *, void *ctx);

/* cpio_feed - the next n bytes. Returns CPIO_OK or the first error, at c->offset, from then on. */
enum cpio_error cpio_feed(struct cpio *, const u8 *data, size_t n);

/* cpio_finish - the input is at its end: CPIO_TRUNCATED if that is inside an archive. An input of
 * nothing but zero bytes, or of nothing, is an archive without entries. */
enum cpio_error cpio_finish(struct cpio *);

/* cpio_error_text - what happened, for people; never NULL. */
const char *cpio_error_text(enum cpio_error);
