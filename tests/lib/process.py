# SPDX-License-Identifier: MIT
"""process - run a command (QEMU or a host test), read its lines, and end it when it hangs."""
import os
import selectors
import signal
import subprocess
import time
from dataclasses import dataclass, field

LINE_MAX = 4096


@dataclass
class Run:
    lines: list = field(default_factory=list)
    times: list = field(default_factory=list)  # when each line came, seconds after the start
    status: int = 0          # exit status; negative: ended by that signal
    verdict: str = ""        # why we ended it, if we did
    seconds: float = 0.0


def run_command(command, silence=120.0, total=600.0, env=None, on_line=None):
    """Run `command` until it ends, until it has printed nothing for `silence` seconds, or for `total`.

    on_line(line) sees each line as it comes; if it returns a string, the command is ended for that
    reason. Standard error is read together with standard output. Ends only the process it started.
    """
    start = last = time.monotonic()
    result = Run()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, env=env, start_new_session=True)
    selector = selectors.DefaultSelector()
    selector.register(process.stdout, selectors.EVENT_READ)
    rest = b""
    while not result.verdict:
        now = time.monotonic()
        if now - last > silence:
            result.verdict = f"silent for {silence:.0f} s"
        elif now - start > total:
            result.verdict = f"still running after {total:.0f} s"
        elif selector.select(timeout=0.5):
            data = os.read(process.stdout.fileno(), 65536)
            if not data:
                break
            last = time.monotonic()
            *complete, rest = (rest + data).split(b"\n")
            if len(rest) > LINE_MAX:
                complete, rest = complete + [rest], b""
            for raw in complete:
                line = clean(raw)
                result.lines.append(line)
                result.times.append(last - start)
                result.verdict = result.verdict or (on_line and on_line(line)) or ""
    if rest:
        result.lines.append(clean(rest))
        result.times.append(last - start)
    if result.verdict:
        os.killpg(process.pid, signal.SIGKILL)
    result.status = process.wait()
    process.stdout.close()
    result.seconds = time.monotonic() - start
    return result


def clean(raw):
    """A line of console output as text: no carriage returns, no terminal escapes."""
    return "".join(c for c in raw.decode("utf-8", "replace") if c == "\t" or ord(c) >= 32)
