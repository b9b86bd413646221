# SPDX-License-Identifier: MIT
"""pte - page-table entries in words: what arch/*/include/arch/pte.h, mm/pt/slot.c and mm/pt/describe.c
say, once more in Python, so that a stopped machine need not run anything to be understood.

tests/lib/debug_cases.py holds the two against each other. This file uses nothing of gdb.
"""
import collections

LEVEL_SIZE = ("4 KiB", "2 MiB", "1 GiB", "512 GiB")
LEVELS = 4

Slot = collections.namedtuple("Slot", "kind val bits")

READ, WRITE, USER, WC, DEVICE, ACCESSED, DIRTY = 0x1, 0x2, 0x4, 0x8, 0x10, 0x20, 0x40
GLOBAL, SPECIAL, UFFD_WP, SOFT_DIRTY, EXEC, EXCL = 0x100, 0x200, 0x400, 0x800, 0x1000, 0x2000
# In the order in which the kernel names them.
BIT_NAMES = ((READ, "read"), (WRITE, "write"), (EXEC, "exec"), (USER, "user"), (ACCESSED, "accessed"),
             (DIRTY, "dirty"), (GLOBAL, "global"), (SPECIAL, "special"), (UFFD_WP, "uffd-wp"),
             (EXCL, "exclusive"), (DEVICE, "device"), (WC, "write-combining"), (SOFT_DIRTY, "soft-dirty"))
MARK_NAMES = ((0x1, "uffd-wp"), (0x2, "poison"), (0x4, "guard"), (0x8, "hwpoison"))

NONE, TABLE, LEAF, ABSENT = "none", "table", "leaf", "absent"
OFFSET = (1 << 50) - 1
HWPOISON, MIGRATE_READ, MIGRATE_READ_EXCL, MIGRATE_WRITE, BUSY, MARK = 23, 24, 25, 26, 30, 31


class X86:
    FRAME = 0x000FFFFFFFFFF000

    @staticmethod
    def form(v, level):
        if v & 1:
            return TABLE if level and not v & 0x80 else LEAF
        if not v & ~0x60:
            return NONE
        return LEAF if v & 0x100 else ABSENT

    @classmethod
    def table_pa(cls, v):
        return v & cls.FRAME

    @classmethod
    def leaf(cls, v):
        bits = v & (WRITE | USER | ACCESSED | DIRTY | SPECIAL | UFFD_WP | SOFT_DIRTY)
        bits |= READ | (v & GLOBAL) if v & 1 else 0
        if v & 0x10:
            bits |= DEVICE
        elif v & 0x08:
            bits |= WC
        bits |= 0 if v >> 63 else EXEC
        return Slot("PAGE", ((v if v & 1 else ~v) & cls.FRAME) >> 12, bits)

    @staticmethod
    def absent(v):
        bits = (SOFT_DIRTY if v & 2 else 0) | (UFFD_WP if v & 4 else 0) | (EXCL if v & 8 else 0)
        return v >> 59, ~v >> 9 & OFFSET, bits


class Arm:
    FRAME = 0x0000FFFFFFFFF000

    @staticmethod
    def form(v, level):
        if v & 1:
            return TABLE if level and v & 2 else LEAF
        if not v:
            return NONE
        return LEAF if v & 0x800 else ABSENT

    @classmethod
    def table_pa(cls, v):
        return v & cls.FRAME

    @classmethod
    def leaf(cls, v):
        user = v >> 6 & 1
        bits = READ if v & 1 else 0
        bits |= WRITE if v >> 51 & 1 else 0
        bits |= USER if user else 0
        bits |= ACCESSED if v >> 10 & 1 else 0
        bits |= DIRTY if v >> 55 & 1 or (v >> 51 & 1 and not v >> 7 & 1) else 0
        bits |= SPECIAL if v >> 56 & 1 else 0
        bits |= UFFD_WP if v >> 58 & 1 else 0
        bits |= GLOBAL if v & 1 and not v >> 11 & 1 else 0
        bits |= 0 if v >> (53 + user) & 1 else EXEC
        bits |= {1: DEVICE, 2: WC}.get(v >> 2 & 7, 0)
        return Slot("PAGE", (v & cls.FRAME) >> 12, bits)

    @staticmethod
    def absent(v):
        return v >> 6 & 0x1F, v >> 12 & OFFSET, (EXCL if v & 4 else 0) | (UFFD_WP if v & 8 else 0)


CODEC = {"x86_64": X86, "aarch64": Arm}


def index(va, level):
    return va >> (12 + 9 * level) & 511


def decode(codec, v, level):
    """What an entry that is no table means; None while it is between two sizes."""
    form = codec.form(v, level)
    if form == LEAF:
        return codec.leaf(v)
    if form == NONE:
        return Slot("HOLE", 0, 0)
    kind, offset, bits = codec.absent(v)
    if kind == BUSY:
        return None
    if kind == HWPOISON:
        return Slot("MARK", 0x8 | offset << 8, bits)
    if kind == MARK:
        return Slot("MARK", offset, bits)
    if kind in (MIGRATE_READ, MIGRATE_READ_EXCL, MIGRATE_WRITE):
        bits |= (ACCESSED if offset >> 48 & 1 else 0) | (DIRTY if offset >> 49 & 1 else 0)
        bits |= {MIGRATE_READ: 0, MIGRATE_READ_EXCL: EXCL, MIGRATE_WRITE: WRITE | EXCL}[kind]
        return Slot("MIGRATE", offset & (1 << 40) - 1, bits)
    return Slot("SWAP", kind << 50 | offset, bits)


def names(bits, table=BIT_NAMES):
    return "".join(" " + name for bit, name in table if bits & bit)


def explain(slot):
    """What the value of a slot stands for."""
    if slot.kind == "PAGE":
        return f"frame {slot.val:#x}, physical {slot.val << 12:#x}"
    if slot.kind == "SWAP":
        return f"area {slot.val >> 50}, slot {slot.val & OFFSET:#x}"
    if slot.kind == "MIGRATE":
        return f"frame {slot.val:#x} is being moved"
    if slot.kind == "MARK":
        return "remembers:" + names(slot.val, MARK_NAMES)
    return "nothing is mapped"


def hexadecimal(v):
    """As the kernel prints it: %#lx shows zero without its prefix."""
    return f"{v:#x}" if v else "0"


def describe(codec, read_physical, root_pa, va):
    """The lines of pt_describe() for an address, and one more that explains the value."""
    yield f"page tables of {hexadecimal(va)}, root {hexadecimal(root_pa)}:"
    table = root_pa
    for level in range(LEVELS - 1, -1, -1):
        at = index(va, level)
        v = read_physical(table + 8 * at)
        if codec.form(v, level) == TABLE:
            table = codec.table_pa(v)
            yield f"  {LEVEL_SIZE[level]} entry {at}: table at {hexadecimal(table)}"
            continue
        slot = decode(codec, v, level)
        if slot is None:
            yield f"  {LEVEL_SIZE[level]} slot: between two sizes"
            return
        yield (f"  {LEVEL_SIZE[level]} slot: {slot.kind} {hexadecimal(slot.val)} (entry {hexadecimal(v)})"
               + names(slot.bits))
        yield f"  which is entry {at}: {explain(slot)}"
        return
