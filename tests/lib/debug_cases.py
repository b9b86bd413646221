# SPDX-License-Identifier: MIT
"""debug_cases - gdb on a stopped machine: every command of tools/gdb, and what it must say.

One start of tools/debug per architecture runs a script of gdb commands with a mark before each. The machine
stops three times: late in boot, in user mode, and at a system call. What the page-table commands say about an address is compared with the kernel's own pt_describe().
"""
import os
import re
import shutil
import struct
from dataclasses import dataclass, field

from ktap import FAIL, PASS, SKIP, Case
from process import Run, run_command
from scenario import ROOT, TAIL_LINES

MARK = "## "
NUMBER = r"0x[0-9a-f]+"
# Addresses that both the command and the kernel describe. In the kernel's tables: text, constants, data, the
# array of pages, the direct map, a stack, nothing. In the first process's: its first page, its stack, nothing.
ADDRESSES = [("0", "&kernel_as", "(unsigned long)" + what) for what in (
    "&pt_describe", "&'kernel/trace.c'::formats", "&nr_cpus", "page_array", "$qspace(1)", "cpu_current.kstack")]
ADDRESSES += [("0", "&kernel_as", "0xfffffffffff00000")]
ADDRESSES += [("1", "&$qspace(1)->as", what) for what in ("0x400000", "$user_sp", "0x10000000000")]
DIRECT = {"x86_64": "0xffff888000000000", "aarch64": "0xffff000000000000"}


def steps(entry, arch):
    """(mark, gdb command): a command without a mark belongs to the step before."""
    yield "start", "break boot_thread_main"
    yield "", "continue"
    yield "early-qps", "qps"
    yield "early-qlog", "qlog"
    yield "to-user", "delete"
    yield "", f"break *{entry:#x}"
    yield "", "continue"
    yield "user-qps", "qps"
    yield "user-qbt", "qbt"
    yield "user-qpt", "qpt 1 $sp"
    yield "", "set $user_sp = $sp"
    yield "to-call", "delete"
    yield "", "break sys_openat"
    yield "", "continue"
    yield "", "delete"
    yield "qps", "qps"
    yield "qbt", "qbt"
    yield "qvmas", "qvmas 1"
    for n, (pid, tables, address) in enumerate(ADDRESSES):
        yield f"describe-{n}", f"qpt {pid} {address}"
        yield "", f"call (void)pt_describe({tables}, {address}, printk)"
    yield "page-table", "qpage $qspace(1)->as.root_pa >> 12"
    yield "page-slab", f"qpage ((unsigned long)$qspace(1) - {DIRECT[arch]}) >> 12"
    yield "qlog", "qlog 5"
    yield "qhelp", "qhelp"
    yield "to-child", "break sys_exit_group"
    yield "", "continue"
    yield "child-qps", "qps"
    yield "child-qbt", "qbt 1"
    for n, wrong in enumerate(("qvmas 77777", "qpt 1", "qpage 0xffffffffff", "qbt 77777")):
        yield f"wrong-{n}", f"python try_command({wrong!r})"


# What the output of a step must have, line by line in this order.
CLAIMS = {
    "qlog_shows_messages_early_in_boot": ("early-qlog", r"^Messages:", r"Quire: started by", r"^Events:", r"boot stage"),
    "qps_works_before_there_is_a_process": ("early-qps", r"PID +PPID", r'^CPU 0 runs thread \d+ "boot"'),
    "qps_shows_a_process_in_user_mode": ("user-qps", r"^ +1 +0 +1 running +\d +\d+ ", r"^CPU \d runs .*process 1$"),
    "qbt_says_who_is_in_user_mode": ("user-qbt", rf"^  in user mode at {NUMBER}",),
    "qpt_reads_tables_from_user_mode": ("user-qpt", rf"^page tables of {NUMBER}, root", r"entry \d+: table at",
                                        r"4 KiB slot: PAGE .* read write user", rf"frame {NUMBER}, physical {NUMBER}"),
    "qps_shows_a_process_in_a_call": ("qps", r"^ +1 +0 +1 running", r"^CPU \d runs .*process 1$"),
    "qbt_shows_calls_and_lines": ("qbt", r"^CPU \d:",
                                  rf"#0 +{NUMBER} sys_openat +fs/\S+\.c:\d+", rf"{NUMBER} \w+ +arch/\S+\.S:\d+"),
    "qvmas_shows_the_program_and_its_stack": ("qvmas", r"^space .*\d mappings", rf"^{NUMBER}-{NUMBER} r-xp", r" heap$",
                                              r" rw-p .* grows-down stack$"),
    "qpage_knows_page_tables": ("page-table", r"^frame ", r"TABLE, 1 references", r"table of 512 GiB slots"),
    "qpage_knows_slabs": ("page-slab", r"^frame ", r'slab of "space"'),
    "qlog_shows_the_last_events": ("qlog", r"^Messages:", r"page tables of", r"^Events:", r"cpu \d: "),
    # The first program looks for its child now and then; it may be doing that just now.
    "qps_shows_two_processes": ("child-qps", r"^ +1 +0 +1 (sleeping|run)", r"^ +\d+ +1 +\d+ running", r"^CPU \d runs .*process \d"),
    "qbt_shows_where_a_thread_sleeps": ("child-qbt", r" thread_sleep +\S+:\d+|it runs on CPU"),
    "qhelp_lists_every_command": ("qhelp", "qps", "qbt", "qvmas PID", "qpt PID ADDR", "qpage PFN", "qlog", "qhelp"),
    "qvmas_refuses_an_unknown_process": ("wrong-0", "^refused: no process 77777"),
    "qpt_says_how_it_is_used": ("wrong-1", "^refused: usage: qpt PID ADDR"),
    "qpage_refuses_what_is_no_memory": ("wrong-2", "^refused: frame .* not RAM"),
    "qbt_refuses_an_unknown_thread": ("wrong-3", "^refused: no thread 77777"),
}

TRY = """python
def try_command(text):
    try:
        gdb.execute(text)
    except gdb.error as e:
        print("refused:", e)
end
"""


@dataclass
class DebugScenario:
    """To tests/run it is what a Scenario is."""
    name: str
    arch: str
    kernel: str
    elf: str
    program: str    # the first one's file
    initrd: str
    directory: str
    smp: str = "2"
    cases: list = field(default_factory=list)
    run: Run = None

    def command(self, script):
        return [os.path.join(ROOT, "tools/debug"), "--arch", self.arch, "--elf", self.elf, "--kernel", self.kernel,
                "--initrd", self.initrd, "--dir", self.directory, "--smp", self.smp, "--batch", script]

    def execute(self):
        os.makedirs(self.directory, exist_ok=True)
        if not shutil.which("gdb-multiarch"):
            self.run = Run(verdict="gdb-multiarch is missing: tools/ensure-packages debug")
            self.cases = [Case(f"{self.name} (gdb-multiarch is missing)", SKIP)]
            return self.cases
        script = os.path.join(self.directory, "script.gdb")
        with open(script, "w", encoding="utf-8") as f:
            f.write(TRY + "".join((f"echo \\n{MARK}{mark}\\n\n" if mark else "") + command + "\n"
                                  for mark, command in steps(elf_entry(self.program), self.arch)))
        self.run = run_command(self.command(script), 120.0, 300.0)
        self.cases = [c.under(self.name) for c in self.judge()]
        return self.cases

    def judge(self):
        sections = split(self.run.lines)
        for name, (mark, *patterns) in CLAIMS.items():
            missing = first_missing(patterns, sections.get(mark, []))
            yield self.case(name, missing and [f"after \"{mark}\" no line matches: {missing}"] + sections.get(mark, []))
        yield self.case("gdb_ends_well", self.run.status and [
            f"status {self.run.status} {self.run.verdict}", "last lines:", *self.run.lines[-TAIL_LINES:]])
        with open(os.path.join(self.directory, "console.log"), encoding="utf-8", errors="replace") as f:
            said = descriptions(f.read().splitlines())
        for n, (_, _, address) in enumerate(ADDRESSES):
            ours = descriptions(sections.get(f"describe-{n}", []))
            theirs = said[n:n + 1]
            yield self.case(f"qpt_agrees_with_the_kernel_on_{re.sub(r'[^a-z0-9]+', '_', address.lower()).strip('_')}",
                            [] if ours and ours == theirs else ["gdb:", *sum(ours, []), "kernel:", *sum(theirs, [])])

    def case(self, name, problems):
        return Case(name, FAIL if problems else PASS, problems or [])


def elf_entry(path):
    with open(path, "rb") as f:
        return struct.unpack("<Q", f.read(32)[24:])[0]


def split(lines):
    sections, current = {}, []
    for line in lines:
        if line.startswith(MARK):
            current = sections[line[len(MARK):]] = []
        else:
            current.append(line)
    return sections


def first_missing(patterns, lines):
    """The first pattern without a line of its own, in order; "" if all have one."""
    rest = iter(lines)
    for pattern in patterns:
        if not any(re.search(pattern, line) for line in rest):
            return pattern
    return ""


def descriptions(lines):
    """Every "page tables of" with the lines below it; without time stamps and explanations."""
    found = []
    inside = False
    for line in (re.sub(r"^\[ *\d+\.\d+\] ", "", line).rstrip() for line in lines):
        if line.startswith("page tables of "):
            found.append([line])
            inside = True
        elif inside and re.match(r"  \d+ [KMG]iB ", line):
            found[-1].append(line)
        elif not line.startswith("  which is "):
            inside = False
    return found
