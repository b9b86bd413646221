# SPDX-License-Identifier: MIT
"""commands - what gdb can be asked about a stopped kernel. Each only reads. "qhelp" lists them."""
import re

import gdb

from . import pte
from .memory import (DIRECT_BASE, PAGE_SHIFT, U64, arch, cpus, each_in_list, each_in_tree, enum_names,
                     has_field, kernel_view, page_exists, page_of, percpu, pfn_of, read_physical, read_u64, static,
                     text, value)


STACK_SIZE = 4 << PAGE_SHIFT


class Command(gdb.Command):
    """One command; its class's first line of documentation is its line in qhelp. Its last argument may be an
    expression with spaces."""

    known = []
    arguments = 0

    def __init__(self):
        self.name = type(self).__name__.lower()
        super().__init__(self.name, gdb.COMMAND_DATA)
        Command.known.append(self)

    def invoke(self, argument, from_tty):
        arguments = argument.split(None, self.arguments - 1) if self.arguments else argument.split()
        try:
            with kernel_view():
                for line in self.lines(*arguments):
                    print(line)
        except TypeError as e:
            if "positional argument" not in str(e):
                raise
            raise gdb.GdbError("usage: " + self.__doc__.splitlines()[0]) from e
        except gdb.MemoryError as e:
            raise gdb.GdbError(f"{self.name}: {e} (has the kernel started?)") from e


# --- processes and threads --------------------------------------------------------------------------

def each_pid():
    """Every number in use, ascending."""
    table = static("kernel/pid.c", "pid_hash")
    found = []
    for bucket in range(table.type.range()[1] + 1):
        found += each_in_list(table[bucket], "pid", "hash_link")
    return sorted(found, key=lambda pid: int(pid["nr"]))


def find_process(number):
    for pid in each_pid():
        if int(pid["nr"]) == int(number, 0) and int(pid["process"]):
            return pid["process"].dereference()
    raise gdb.GdbError(f"no process {number}; qps lists them")


def find_thread(number):
    for pid in each_pid():
        if int(pid["nr"]) == int(number, 0) and int(pid["thread"]):
            return pid["thread"]["thread"]
    raise gdb.GdbError(f"no thread {number}; qps lists them")


def threads_of(process):
    return each_in_list(process["threads"], "user_thread", "link")


def thread_state(thread):
    return enum_names("thread_state").get(int(thread["state"]), "?").replace("THREAD_", "").lower()


class Qps(Command):
    """qps - processes and their threads: pid, parent, tid, state, CPU, name; then what each CPU runs"""

    def lines(self):
        yield f"{'PID':>5} {'PPID':>5} {'TID':>5} {'STATE':<9} {'CPU':>3} {'PAGES':>6} NAME"
        for pid in each_pid():
            if int(pid["process"]):
                yield from self.process(pid["process"].dereference())
        for cpu in cpus():
            thread = percpu(value("cpu_current"), cpu).dereference()
            user = f", process {int(thread['proc']['pid']['nr'])}" if int(thread["proc"]) else ""
            yield f"CPU {cpu} runs thread {int(thread['id'])} \"{text(thread['name'])}\"{user}"

    def process(self, process):
        number = int(process["pid"]["nr"])
        parent = int(process["parent"]["pid"]["nr"]) if int(process["parent"]) else 0
        if process["zombie"]:
            yield f"{number:5} {parent:5} {'':5} {'zombie':<9}"
            return
        for user in threads_of(process):
            thread = user["thread"].dereference()
            pages = "-"
            if int(thread["space"]):
                pages = sum(int(thread["space"]["rss"][kind]) for kind in range(2))
            yield (f"{number:5} {parent:5} {int(user['tid']['nr']):5} {thread_state(thread):<9} "
                   f"{int(thread['cpu']):3} {pages:>6} {text(thread['name'])}")


def describe_call(n, ip, name, place):
    where = f"  {place.symtab.filename}:{place.line}" if place.symtab else ""
    return f"  #{n:<2} {ip:#018x} {name or '?'}{where}"


def function_at(ip):
    """The name of the function that code belongs to, whatever was inlined there."""
    block, name = gdb.block_for_pc(ip), None
    while block:
        name = block.function.name if block.function else name
        block = block.superblock
    return name or gdb.execute(f"info symbol {ip:#x}", to_string=True).split()[0]


class Qbt(Command):
    """qbt [TID] - the calls of each CPU, or those that a sleeping thread returns to"""

    def lines(self, tid=None):
        if tid is None:
            return self.all_cpus()
        return self.sleeper(find_thread(tid).dereference())

    @staticmethod
    def all_cpus():
        selected = gdb.selected_thread()
        for cpu in sorted(gdb.selected_inferior().threads(), key=lambda t: t.num):
            cpu.switch()
            yield f"CPU {cpu.num - 1}:"
            with kernel_view():
                frame, n = gdb.newest_frame(), 0
                # Entry code is where the kernel ends; the debugger knows no way beyond it.
                while frame and frame.pc() >> 63:
                    place = frame.find_sal()
                    yield describe_call(n, frame.pc(), frame.name(), place)
                    if place.symtab and place.symtab.filename.endswith(".S"):
                        break
                    frame, n = frame.older(), n + 1
                if frame and not n:
                    yield f"  in user mode at {frame.pc():#x}"
        selected.switch()

    @staticmethod
    def sleeper(thread):
        if int(percpu(value("cpu_current"), int(thread["cpu"]))) == int(thread.address):
            yield f"it runs on CPU {int(thread['cpu'])}: see qbt without a number"
            return
        low, sp = int(thread["kstack"]), int(thread["arch"]["sp"])
        # What switch_stacks left there: arch/*/switch.S.
        fp, ip, n = read_u64(sp), read_u64(sp + 8), 0
        while ip >> 63 and n < 32:
            # A return address may lie behind the last instruction of its function.
            yield describe_call(n, ip, function_at(ip - 1), gdb.find_pc_line(ip - 1))
            if not low < fp < low + STACK_SIZE:
                return
            fp, ip, n = read_u64(fp), read_u64(fp + 8), n + 1


# --- memory ----------------------------------------------------------------------------------------

def space_of(process):
    for user in threads_of(process):
        if int(user["thread"]["space"]):
            return user["thread"]["space"].dereference()
    raise gdb.GdbError("that process has no memory (any more)")


VM_BITS = ((0x100, "grows-down"), (0x200, "noreserve"), (0x400, "stack"), (0x800, "heap"))


class Qvmas(Command):
    """qvmas PID - the mappings of a process: bounds, rights, offset in pages, what is mapped"""

    def lines(self, pid):
        space = space_of(find_process(pid))
        yield (f"space {int(space.address):#x}: {int(space['nr_vmas'])} mappings, {int(space['total_pages'])} pages, "
               f"resident {int(space['rss'][0])} anonymous + {int(space['rss'][1])} of files, "
               f"brk {int(space['brk']):#x}")
        for vma in each_in_tree(space["vmas"]["root"], "vma", "node"):
            flags = int(vma["flags"])
            rights = "".join(c if flags & bit else "-" for bit, c in ((1, "r"), (2, "w"), (4, "x")))
            yield (f"{int(vma['start']):#014x}-{int(vma['end']):#014x} {rights}{'s' if flags & 8 else 'p'} "
                   f"{int(vma['pgoff']):#12x} {self.content(vma)}{pte.names(flags, VM_BITS)}")

    @staticmethod
    def content(vma):
        if has_field("vma", "file") and int(vma["file"]) and int(vma["file"]["dentry"]):
            return path_of(vma["file"]["dentry"])
        if int(vma["obj"]):
            name = vma["obj"]["ops"]["name"]
            return f"object {int(vma['obj']):#x}" + (f" ({name.string()})" if int(name) else "")
        return "anonymous"


def path_of(dentry):
    """As the names in memory have it; mounts are not crossed."""
    parts = []
    while int(dentry["parent"]) != int(dentry):
        parts.insert(0, dentry["name"].string(errors="replace"))
        dentry = dentry["parent"]
    return "/" + "/".join(parts)


class Qpt(Command):
    """qpt PID ADDR - the page-table path of an address in words; PID 0: the kernel's own"""

    arguments = 2

    def lines(self, pid, address):
        va = int(value(address)) & U64
        kernel = pid == "0" or va >> 63
        tables = value("kernel_as") if kernel else space_of(find_process(pid))["as"]
        yield from pte.describe(pte.CODEC[arch()], read_physical, int(tables["root_pa"]), va)


PAGE_FLAGS = ((1 << 8, "exclusive"), (1 << 9, "dirty"), (1 << 10, "referenced"), (1 << 11, "locked"),
              (1 << 12, "waiters"), (1 << 13, "swapcache"), (1 << 14, "uptodate"), (1 << 15, "stray"),
              (1 << 16, "poisoned"), (1 << 17, "icache"))


class Qpage(Command):
    """qpage PFN - what the kernel knows about a frame of memory (qpt shows frame numbers)"""

    arguments = 1

    def lines(self, number):
        pfn = int(value(number))
        if not page_exists(pfn):
            raise gdb.GdbError(f"frame {pfn:#x} has no struct page: not RAM")
        page = page_of(pfn)
        flags = int(page["flags"])
        kind = enum_names("page_type").get(flags & 0xFF, "?").replace("PAGE_", "")
        yield (f"frame {pfn:#x}, physical {pfn << PAGE_SHIFT:#x}, direct map {DIRECT_BASE[arch()] + (pfn << 12):#x}")
        yield f"  {kind}, {int(page['refs'])} references, flags:{pte.names(flags, PAGE_FLAGS) or ' none'}"
        yield from getattr(self, kind.lower(), lambda _: [])(page)

    @staticmethod
    def anon(page):
        exclusive = int(page["flags"]) & 1 << 8
        yield (f"  mapped by {int(page['mapcount'])} entries, {int(page['pins'])} pins, order {int(page['order'])}")
        yield f"  home {int(page['index']) << PAGE_SHIFT:#x} of {'space' if exclusive else 'family'} {int(page['owner']):#x}"

    @staticmethod
    def obj(page):
        yield (f"  mapped by {int(page['mapcount'])} entries, {int(page['pins'])} pins, order {int(page['order'])}")
        yield f"  page {int(page['index'])} of object {int(page['owner']):#x}"

    @staticmethod
    def table(page):
        yield (f"  table of {pte.LEVEL_SIZE[int(page['node_level'])]} slots from {int(page['node_base']):#x}, "
               f"{int(page['node_used'])} of 512 in use")

    @staticmethod
    def slab(page):
        cache = page["slab_cache"]
        yield f"  slab of \"{cache['name'].string()}\", {int(page['slab_inuse'])} objects in use, order {int(page['slab_order'])}"

    @staticmethod
    def kernel(page):
        yield f"  owner unknown to mm, order {int(page['kernel_order'])}"

    @staticmethod
    def free(page):
        yield f"  first of {1 << int(page['buddy_order'])} free frames"

    @staticmethod
    def tail(page):
        yield f"  part of what starts at frame {pfn_of(page['head']):#x}"


# --- what happened -----------------------------------------------------------------------------------

def c_format(template, words):
    """printf for the few conversions that trace formats use."""
    words = iter(words)

    def convert(match):
        alternate, length, kind = match.groups()
        word = next(words)
        if kind == "d":
            return str(word - (1 << 64) if length and word >> 63 else word)
        if kind == "x":
            return (pte.hexadecimal(word) if alternate else f"{word:x}")
        return str(word)
    return re.sub(r"%(#?)(l?)([dux])", convert, template)


class Qlog(Command):
    """qlog [N] - the kernel's last messages and the last N (20) events of all CPUs"""

    def lines(self, count="20"):
        yield "Messages:"
        for line in self.messages()[-int(count):]:
            yield "  " + line
        yield "Events:"
        events = sorted(e for cpu in cpus() for e in self.events(cpu))
        for when, cpu, what in events[-int(count):]:
            yield f"  [{when // 10**9:5}.{when % 10**9 // 1000:06}] cpu {cpu}: {what}"

    @staticmethod
    def messages():
        ring, head = static("kernel/printk.c", "ring"), int(static("kernel/printk.c", "ring_head"))
        size = ring.type.sizeof
        data = bytes(gdb.selected_inferior().read_memory(int(ring.address), size))
        ordered = data[:head] if head <= size else data[head % size:] + data[:head % size]
        return ordered.decode("utf-8", "replace").splitlines()

    @staticmethod
    def events(cpu):
        ring = percpu(static("kernel/trace.c", "trace_ring"), cpu).dereference()
        if cpu and int(ring.address) == int(static("kernel/trace.c", "boot_ring").address):
            return
        formats, names = static("kernel/trace.c", "formats"), enum_names("trace_kind")
        head, size = int(ring["head"]), ring["events"].type.range()[1] + 1
        for n in range(max(0, head - size), head):
            event = ring["events"][n % size]
            kind, words = int(event["kind"]), [int(event["arg"][i]) for i in range(4)]
            known = kind <= formats.type.range()[1] and int(formats[kind])
            what = c_format(formats[kind].string(), words) if known else f"event {kind}: {words}"
            if names.get(kind) == "TRACE_SWITCH":
                letters = words[2].to_bytes(8, "little").split(b"\0")[0]
                what += f" ({letters.decode('utf-8', 'replace')})"
            yield int(event["time"]), cpu, what


class Qhelp(Command):
    """qhelp - this list"""

    def lines(self):
        yield "Commands that know the kernel (all of gdb's work too; Ctrl-C stops the machine):"
        for command in Command.known:
            yield "  " + command.__doc__.splitlines()[0]
        yield "  " + Lookup.__doc__


class Lookup(gdb.Function):
    """$qprocess(PID), $qspace(PID), $qthread(TID): pointers to use in gdb's own expressions"""

    def __init__(self, name, find):
        self.find = find
        super().__init__(name)

    def invoke(self, number):
        with kernel_view():
            return self.find(str(int(number)))


for each in (Qps, Qbt, Qvmas, Qpt, Qpage, Qlog, Qhelp):
    each()
Lookup("qprocess", lambda number: find_process(number).address)
Lookup("qspace", lambda number: space_of(find_process(number)).address)
Lookup("qthread", find_thread)
