/* SPDX-License-Identifier: MIT */
/* socket.h - what the two files of socket system calls share. */
#pragma once

#include "fs/unix.h"

/* socket_get - the socket behind a descriptor, and the open file with a reference. 0, -EBADF, -ENOTSOCK. */
int socket_get(int fd, struct file **, struct unix_sock **out);
/* socket_address_from_user - len bytes; the rest of *out is 0. 0, -EINVAL, -EFAULT. */
int socket_address_from_user(vaddr_t uaddr, s64 len, struct uapi_sockaddr_un *out);
/* socket_put_address - n bytes of an address; what lies behind a path that fills it is its NUL. 0, -EFAULT. */
int socket_put_address(const struct uapi_sockaddr_un *, u32 n, vaddr_t uaddr);
/* socket_address_to_user - as much as *ulen says there is room for; *ulen becomes the whole length. */
int socket_address_to_user(const struct uapi_sockaddr_un *, u32 len, vaddr_t uaddr, vaddr_t ulen);
