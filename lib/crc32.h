/* SPDX-License-Identifier: MIT */
/* crc32.h - the CRC of gzip, zip, PNG and GPT: polynomial 0xedb88320, reflected (RFC 1952, 8). */
#pragma once

#include <quire/types.h>

/* crc32 - the CRC of some bytes; start with crc 0, and pass the result on to continue. */
u32 crc32(u32 crc, const void *data, size_t n);
