# SPDX-License-Identifier: MIT
"""ktap - read KTAP as a test program prints it, mixed with whatever else is on the console.

A result is a line "ok N name" or "not ok N name", with "# SKIP reason", "# XFAIL" or "# TODO" behind it. Indented
results belong to the next less indented one, which names their group and is not counted itself (unless
it fails while all of its children passed). Lines before a failing result are its context.
"""
import re
from dataclasses import dataclass, field

PASS, FAIL, SKIP = "pass", "fail", "skip"

RESULT = re.compile(r"^(\s*)(not )?ok (\d+)\b(?: -)?\s*([^#]*?)\s*(?:#\s*(.*))?$")
PLAN = re.compile(r"^(\s*)1\.\.(\d+)\s*(?:#.*)?$")


@dataclass
class Case:
    name: str
    status: str
    context: list = field(default_factory=list)

    def under(self, prefix):
        return Case(f"{prefix}/{self.name}" if self.name else prefix, self.status, self.context)


class Parser:
    """Feed it lines; ask for the cases at the end."""

    CONTEXT_LINES = 40

    def __init__(self):
        self.pending = {}   # indentation -> cases of that depth not yet claimed by a parent
        self.planned = {}   # indentation -> number in the plan
        self.seen = {}      # indentation -> results so far
        self.context = []

    def feed(self, line):
        """True if the line was a result."""
        m = PLAN.match(line)
        if m:
            indent = len(m.group(1))
            self.planned[indent], self.seen[indent] = int(m.group(2)), 0
            return False
        m = RESULT.match(line)
        if not m:
            self.context = (self.context + [line])[-self.CONTEXT_LINES:]
            return False
        indent, failed = len(m.group(1)), bool(m.group(2))
        name, directive = m.group(4) or m.group(3), (m.group(5) or "").upper()
        status = SKIP if directive.startswith(("SKIP", "XFAIL")) else FAIL if failed and not directive.startswith("TODO") else PASS
        case = Case(name, status, self.context if status == FAIL else [])
        self.context = []
        self.seen[indent] = self.seen.get(indent, 0) + 1
        children = self._take_deeper(indent)
        cases = [c.under(name) for c in children]
        if not children or (status == FAIL and all(c.status != FAIL for c in children)):
            cases.append(case)
        self.pending.setdefault(indent, []).extend(cases)
        return True

    def _take_deeper(self, indent):
        cases = []
        for depth in sorted(d for d in self.pending if d > indent):
            cases += self._finish(depth)
        return cases

    def _finish(self, depth):
        cases = self.pending.pop(depth, [])
        planned, seen = self.planned.pop(depth, None), self.seen.pop(depth, 0)
        if planned is not None and planned != seen:
            cases.append(Case("plan", FAIL, self.context + [f"{planned} results planned, {seen} seen"]))
        return cases

    def finish(self):
        """All cases; a plan that was not kept is a failing case of its own."""
        cases = []
        for depth in sorted(set(self.pending) | set(self.planned)):
            cases += self._finish(depth)
        return cases


def totals(cases):
    count = {PASS: 0, FAIL: 0, SKIP: 0}
    for c in cases:
        count[c.status] += 1
    return count


def summary(cases):
    """The line that ends every run."""
    n = totals(cases)
    text = f"{n[PASS]} passed, {n[FAIL]} failed"
    return text + (f", {n[SKIP]} skipped" if n[SKIP] else "")
