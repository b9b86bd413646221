/* SPDX-License-Identifier: MIT */
/* socket.h - sockets, as far as they exist here: the UNIX family. The same on both architectures. */
#pragma once

#include <quire/types.h>

#define AF_UNSPEC 0
#define AF_UNIX   1

#define SOCK_STREAM    1
#define SOCK_DGRAM     2
#define SOCK_RAW       3 /* of the UNIX family: the same as SOCK_DGRAM */
#define SOCK_SEQPACKET 5
#define SOCK_TYPE_MASK 0xf
#define SOCK_CLOEXEC   02000000
#define SOCK_NONBLOCK  00004000

#define UNIX_PATH_MAX 108
struct uapi_sockaddr_un {
	u16 sun_family;
	char sun_path[UNIX_PATH_MAX]; /* first byte NUL: an abstract name, as long as the address */
};

struct uapi_msghdr {
	u64 msg_name;
	s32 msg_namelen;
	u32 pad0;
	u64 msg_iov, msg_iovlen;
	u64 msg_control, msg_controllen;
	u32 msg_flags, pad1;
};
struct uapi_mmsghdr {
	struct uapi_msghdr msg_hdr;
	u32 msg_len, pad;
};
_Static_assert(sizeof(struct uapi_mmsghdr) == 64, "the ABI's size");

struct uapi_cmsghdr {
	u64 cmsg_len; /* with this header, without padding */
	s32 cmsg_level, cmsg_type;
};
struct uapi_ucred {
	u32 pid, uid, gid;
};

/* msg_flags, and flags of send and recv */
#define MSG_OOB          0x1u
#define MSG_PEEK         0x2u
#define MSG_CTRUNC       0x8u
#define MSG_TRUNC        0x20u
#define MSG_DONTWAIT     0x40u
#define MSG_EOR          0x80u
#define MSG_WAITALL      0x100u
#define MSG_NOSIGNAL     0x4000u
#define MSG_WAITFORONE   0x10000u
#define MSG_CMSG_CLOEXEC 0x40000000u

/* ancillary data */
#define SOL_SOCKET      1
#define SCM_RIGHTS      1
#define SCM_CREDENTIALS 2
#define SCM_MAX_FD      253

/* shutdown(2) */
#define SHUT_RD   0
#define SHUT_WR   1
#define SHUT_RDWR 2

/* options of SOL_SOCKET */
#define SO_REUSEADDR  2
#define SO_TYPE       3
#define SO_ERROR      4
#define SO_SNDBUF     7
#define SO_RCVBUF     8
#define SO_PASSCRED   16
#define SO_PEERCRED   17
#define SO_RCVTIMEO   20
#define SO_SNDTIMEO   21
#define SO_ACCEPTCONN 30
#define SO_PROTOCOL   38
#define SO_DOMAIN     39

#define SOMAXCONN 4096
