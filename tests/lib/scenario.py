# SPDX-License-Identifier: MIT
"""scenario - one start of a machine and what has to come of it."""
import os
import re
import sys
from dataclasses import dataclass, field

import ktap
from process import Run, run_command
from ktap import FAIL, PASS, Case

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BEGIN = re.compile(r"^# begin (\S+)")
END = re.compile(r"^# end (\S+) status=(\S+)")
DONE = "# all programs done"
TAIL_LINES = 40


@dataclass
class Scenario:
    """Boots a kernel, in one of three ways. Normally the initramfs must run test programs and power off
    (status 0), and the expressions of `also` must match lines. With `ktap` it is the kernel itself
    that prints KTAP. With `expect`, every expression must match a line, in any order, none of `forbid`
    may, and QEMU's exit status must be as `status` says: "zero", "nonzero" or "any"."""
    name: str
    arch: str
    kernel: str
    initrd: str = ""
    append: str = ""
    smp: str = "1"
    mem: str = "256M"
    cpu: str = ""
    machine: str = ""
    ktap: bool = False
    expect: tuple = ()
    also: tuple = ()
    forbid: tuple = ()
    status: str = "zero"
    silence: float = 120.0
    total: float = 600.0
    qemu: tuple = ()
    cases: list = field(default_factory=list)
    run: Run = None

    def command(self):
        c = [os.path.join(ROOT, "tools/run-qemu"), "--arch", self.arch, "--kernel", self.kernel,
             "--smp", self.smp, "--mem", self.mem]
        for option, value in (("--append", self.append), ("--initrd", self.initrd), ("--cpu", self.cpu),
                              ("--machine", self.machine)):
            if value:
                c += [option, value]
        return c + (["--", *self.qemu] if self.qemu else [])

    def execute(self):
        """Boot, judge, and return the cases."""
        programs = Programs()
        self.run = run_command(self.command(), self.silence, self.total, on_line=programs.feed)
        if self.expect:
            self.cases = self._judge_expected()
        elif self.ktap:
            self.cases = self._judge_kernel_ktap()
        else:
            self.cases = self._judge_programs(programs)
        return self.cases

    def _judge_kernel_ktap(self):
        parser = ktap.Parser()
        for line in self.run.lines:
            parser.feed(re.sub(r"^\[ *\d+\.\d+\] ", "", line))
        cases = parser.finish()
        if self.run.verdict or self.run.status != 0 or not cases:
            cases.append(self._failure("end", "the machine did not power itself off"))
        return [c.under(self.name) for c in cases]

    def _judge_programs(self, programs):
        cases = programs.finish()
        if self.run.verdict or self.run.status != 0 or not programs.done:
            cases.append(self._failure("end", "the machine did not power itself off"))
        else:
            missing = [f"no line matches: {e}" for e in self.also if not self._find(e)]
            cases.append(self._failure("end", *missing) if missing else Case("end", PASS))
        return [c.under(self.name) for c in cases]

    def _judge_expected(self):
        problems = [f"no line matches: {e}" for e in self.expect if not self._find(e)]
        problems += [f"this must not be printed: {e}" for e in self.forbid if self._find(e)]
        wrong = {"zero": self.run.status != 0, "nonzero": self.run.status <= 0, "any": False}
        if wrong[self.status]:
            problems.append(f"QEMU's exit status must be {self.status}")
        if self.run.verdict:
            problems.append("it must end by itself")
        return [self._failure("", *problems) if problems else Case("", PASS).under(self.name)]

    def _find(self, expression):
        return any(re.search(expression, line) for line in self.run.lines)

    def _failure(self, name, *problems):
        how = self.run.verdict or f"QEMU ended with status {self.run.status}"
        context = ["$ " + " ".join(quote(a) for a in self.command()), *problems, how,
                   "last lines:"] + self.run.lines[-TAIL_LINES:]
        case = Case(name, FAIL, context)
        return case if name else case.under(self.name)


class Programs:
    """Follows the console of the test initramfs: which program runs, and its results."""

    def __init__(self):
        self.cases = []
        self.name = None
        self.parser = None
        self.done = False

    def feed(self, line):
        begin, end = BEGIN.match(line), END.match(line)
        if begin:
            self._close("did not end")
            self.name, self.parser = begin.group(1), ktap.Parser()
        elif end:
            self._close("" if end.group(2) == "exit:0" else end.group(2))
        elif line.startswith(DONE):
            self.done = True
        elif self.parser:
            self.parser.feed(line)

    def _close(self, problem):
        if not self.parser:
            return
        cases = self.parser.finish()
        if problem and all(c.status != FAIL for c in cases) or not cases:
            cases.append(Case("exit", FAIL if problem else PASS, self.parser.context + [problem]))
        self.cases += [c.under(self.name) for c in cases]
        self.name = self.parser = None

    def finish(self):
        self._close("did not end")
        return self.cases


def run_host_program(path, total=300.0):
    """A host test binary: KTAP on its output, and an exit status that must agree with it."""
    parser = ktap.Parser()
    result = run_command([path], total, total, on_line=lambda line: parser.feed(line) and None)
    cases = parser.finish()
    if (result.status != 0 or result.verdict) and all(c.status != FAIL for c in cases) or not cases:
        problem = result.verdict or f"exit status {result.status}"
        cases.append(Case("exit", FAIL if result.status or result.verdict else PASS,
                          result.lines[-TAIL_LINES:] + [problem]))
    return [c.under("host/" + os.path.basename(path)) for c in cases], result


def quote(argument):
    return argument if re.fullmatch(r"[\w./,=:+-]+", argument) else "'" + argument.replace("'", "'\\''") + "'"


def print_failures(cases, out=sys.stdout):
    for c in cases:
        if c.status == FAIL:
            print(f"FAIL {c.name}", file=out)
            for line in c.context:
                print(f"    {line}", file=out)
