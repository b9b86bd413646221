#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes compressed files of every kind for test_inflate: NAME.plain beside NAME.gz or NAME.raw.

Usage: make_fixtures.py DIRECTORY
"""
import pathlib
import random
import struct
import sys
import zlib

FHCRC, FEXTRA, FNAME, FCOMMENT = 2, 4, 8, 16


def deflate(data, level=6, strategy=zlib.Z_DEFAULT_STRATEGY, wbits=15, mem=8, flush_every=0):
    c = zlib.compressobj(level, zlib.DEFLATED, -wbits, mem, strategy)
    out = b""
    if flush_every:
        for i in range(0, len(data), flush_every):
            mode = zlib.Z_FULL_FLUSH if i % 3 else zlib.Z_SYNC_FLUSH
            out += c.compress(data[i:i + flush_every]) + c.flush(mode)
    else:
        out = c.compress(data)
    return out + c.flush()


def gzip(data, flags=0, stream=None):
    head = b"\x1f\x8b\x08" + bytes([flags]) + struct.pack("<I", 0x5F000000) + b"\x00\x03"
    if flags & FEXTRA:
        head += struct.pack("<H", 6) + b"QU\x02\x00\x00\xff"
    if flags & FNAME:
        head += b"initramfs.cpio\0"
    if flags & FCOMMENT:
        head += b"a comment\0"
    if flags & FHCRC:
        head += struct.pack("<H", zlib.crc32(head) & 0xFFFF)
    body = deflate(data) if stream is None else stream
    return head + body + struct.pack("<II", zlib.crc32(data), len(data) & 0xFFFFFFFF)


def contents():
    rnd = random.Random(20240601)
    words = [bytes(rnd.choices(b"abcdefghijklmnopqrstuvwxyz", k=rnd.randint(1, 9))) for _ in range(300)]
    text = b" ".join(rnd.choices(words, k=20000))
    noise = rnd.randbytes(70000)
    return {
        "empty": b"",
        "one": b"q",
        "short": text[:700],
        "text": text,
        "zeros": bytes(300000),
        "noise": noise,
        # repeats at exactly the largest distance, and just beyond it
        "far": noise[:32768] * 3 + noise[:32769] * 2,
        "bytes": bytes(range(256)) * 40,
        # skewed frequencies make codes of all lengths up to 15 bits
        "skewed": b"".join(bytes([i]) * (1 << (i // 2)) for i in range(32)) + bytes(range(256)),
    }


def main():
    out = pathlib.Path(sys.argv[1])
    strategies = {"filtered": zlib.Z_FILTERED, "huffman": zlib.Z_HUFFMAN_ONLY,
                  "rle": zlib.Z_RLE, "fixed": zlib.Z_FIXED}
    short = contents()["short"]

    def write(name, plain, packed):
        (out / (name + ".plain")).write_bytes(plain)
        for kind, data in packed.items():
            (out / f"{name}.{kind}").write_bytes(data)

    for name, data in contents().items():
        write(name, data, {"gz": gzip(data), "raw": deflate(data)})
        for level in (0, 1, 9):
            write(f"{name}-level{level}", data, {"raw": deflate(data, level)})
        for strategy, value in strategies.items():
            write(f"{name}-{strategy}", data, {"raw": deflate(data, strategy=value)})
        write(f"{name}-window9", data, {"raw": deflate(data, wbits=9, mem=1)})
        write(f"{name}-flushed", data, {"raw": deflate(data, flush_every=997)})
    for level in (0, 1, 9):
        write(f"short-gz{level}", short, {"gz": gzip(short, stream=deflate(short, level))})
    for flags in (FEXTRA, FNAME, FCOMMENT, FHCRC, FEXTRA | FNAME | FCOMMENT | FHCRC):
        write(f"short-flags{flags}", short, {"gz": gzip(short, flags)})
    write("short-members", short * 3, {"gz": gzip(short) + gzip(b"") + gzip(short, FNAME) + gzip(short)})
    write("short-padded", short * 2, {"gz": gzip(short) + bytes(600) + gzip(short) + bytes(7)})


main()
