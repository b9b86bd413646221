# SPDX-License-Identifier: MIT
"""rows - which of Linux's own tests are run, and how.

A row is one program of tools/testing/selftests with its arguments. Its name is that of its list of cases,
tests/kselftest/expected/ARCH/NAME.

Not here: futex_requeue_pi*, since there is no priority inheritance; clone3_cap_checkpoint_restore, which looks into a
libcap older than Debian's and does not pass on Linux.
"""
from dataclasses import dataclass


@dataclass
class Row:
    name: str
    folder: str              # below tools/testing/selftests
    program: str = ""        # when it is not the name
    arguments: tuple = ()
    seconds: int = 60        # what it may take, in the emulator on a busy machine
    archs: tuple = ("x86_64", "aarch64")
    timed: bool = False      # measures time, and fails at times on a busy machine, on Linux as well: tried again

    def __post_init__(self):
        self.program = self.program or self.name

    def line(self):
        """As tests/kselftest/init.c reads it."""
        return " ".join([self.name, str(self.seconds), f"/ksft/{self.folder}", f"./{self.program}", *self.arguments])


def rows_of(folder, *names, **fields):
    return [Row(name, folder, **fields) for name in names]


ROWS = [
    *rows_of("proc", "proc-self-map-files-001", "proc-self-map-files-002"),
    *rows_of("clone3", "clone3", "clone3_clear_sighand", "clone3_set_tid"),
    *rows_of("futex/functional", "futex_wait", "futex_wait_timeout", "futex_wait_wouldblock", "futex_requeue",
             "futex_wait_private_mapped_file", "futex_wait_uninitialized_heap", "futex_waitv", timed=True),
]


def rows_for(arch):
    return [row for row in ROWS if arch in row.archs]
