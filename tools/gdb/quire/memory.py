# SPDX-License-Identifier: MIT
"""memory - reading the kernel's structures from gdb: fields, lists, trees, per-CPU variables, frames.

Everything is read through the kernel's own address space, which is mapped on every CPU: but on aarch64 QEMU
refuses to read kernel addresses for a CPU in user mode, so commands run inside kernel_view().
"""
import contextlib
import functools

import gdb

PAGE_SHIFT = 12
U64 = (1 << 64) - 1
DIRECT_BASE = {"x86_64": 0xFFFF888000000000, "aarch64": 0xFFFF000000000000}


@functools.lru_cache(maxsize=None)
def arch():
    name = gdb.execute("show architecture", to_string=True)
    return "aarch64" if "aarch64" in name else "x86_64"


@contextlib.contextmanager
def kernel_view():
    """On aarch64, borrow the kernel's exception level for the selected CPU while we look."""
    if arch() != "aarch64":
        yield
        return
    cpsr = int(gdb.parse_and_eval("$cpsr"))
    if cpsr & 0xC:
        yield
        return
    gdb.execute(f"set $cpsr = {cpsr | 5:#x}", to_string=True)
    try:
        yield
    finally:
        gdb.execute(f"set $cpsr = {cpsr:#x}", to_string=True)


def value(expression):
    return gdb.parse_and_eval(expression)


def static(path, name):
    """A static variable of one file."""
    return gdb.parse_and_eval(f"'{path}'::{name}")


@functools.lru_cache(maxsize=None)
def struct_type(name):
    return gdb.lookup_type("struct " + name)


@functools.lru_cache(maxsize=None)
def enum_names(enum):
    """Number -> name of an enum's constants."""
    return {field.enumval: field.name for field in gdb.lookup_type("enum " + enum).fields()}


def has_field(struct, field):
    return any(f.name == field for f in struct_type(struct).fields())


def text(array):
    """A char array up to its NUL."""
    return array.string(errors="replace") if int(array[0]) else ""


def struct_at(address, struct):
    return gdb.Value(address).cast(struct_type(struct).pointer()).dereference()


@functools.lru_cache(maxsize=None)
def field_offset(struct, field):
    """Bytes from the start of the struct; the field may be inside an unnamed union."""
    def search(kind):
        for f in kind.fields():
            if f.name == field:
                return f.bitpos // 8
            if not f.name and f.type.strip_typedefs().code in (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION):
                inner = search(f.type)
                if inner is not None:
                    return f.bitpos // 8 + inner
        return None
    return search(struct_type(struct))


def container(pointer, struct, field):
    return struct_at(int(pointer) - field_offset(struct, field), struct)


def each_in_list(head, struct, field, limit=100000):
    """The entries of a list, as structs. A list never initialised is empty."""
    first = int(head.address)
    at = int(head["next"])
    while at and at != first and limit:
        yield container(at, struct, field)
        at = int(struct_at(at, "list_head")["next"])
        limit -= 1


def each_in_tree(root, struct, field):
    """The entries of a red-black tree in order."""
    pending, node = [], int(root["node"])
    while pending or node:
        while node:
            pending.append(node)
            node = int(struct_at(node, "rb_node")["child"][0])
        node = pending.pop()
        yield container(node, struct, field)
        node = int(struct_at(node, "rb_node")["child"][1])


def cpus():
    return range(int(value("nr_cpus")))


def percpu(variable, cpu):
    """The copy of a per-CPU variable (a gdb.Value) that belongs to a CPU."""
    offset = int(value(f"percpu_offset[{cpu}]"))
    address = (int(variable.address) + offset) & U64
    return gdb.Value(address).cast(variable.type.pointer()).dereference()


def read_u64(address):
    return int.from_bytes(bytes(gdb.selected_inferior().read_memory(address, 8)), "little")


def read_physical(pa):
    return read_u64(DIRECT_BASE[arch()] + pa)


def page_of(pfn):
    return (value("page_array") + pfn).dereference()


def pfn_of(page_pointer):
    return (int(page_pointer) - int(value("page_array"))) // struct_type("page").sizeof


def page_exists(pfn):
    """Has the array memory for this frame? What lies beyond is not mapped."""
    if pfn >= int(value("page_max_pfn")):
        return False
    try:
        int(page_of(pfn)["flags"])
        return True
    except gdb.MemoryError:
        return False
