# SPDX-License-Identifier: MIT
"""terminal - a person at a terminal: starts a program on a pseudo-terminal, types, and waits for text.

Nothing here sleeps for a fixed time: every wait is for text to appear, with a generous limit, so that a slow
host only makes the test slower.
"""
import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import termios
import time

CTRL = {c: chr(ord(c) & 31) for c in "abcdefghijklmnopqrstuvwxyz\\[]"}
ESCAPE = re.compile(r"\x1b(\[[0-9;?]*[A-Za-z]|[()][A-Z0-9]|[=>78DM])")
TAIL = 3000


class Silent(Exception):
    """What was waited for did not come."""


class Terminal:
    def __init__(self, command, rows=24, columns=80, limit=90.0):
        self.limit = limit
        self.text = ""      # everything seen, escape sequences and all, but no carriage returns
        self.at = 0         # what lies before was dealt with
        self.ended = False
        ours, theirs = os.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.fd = ours
        self.process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
        os.close(theirs)

    def type(self, keys):
        """Send keys; what the other side prints meanwhile is read, so that neither waits for the other."""
        data = keys.encode()
        while data and not self.ended:
            readable, writable, _ = select.select([self.fd], [self.fd], [], 1.0)
            if readable:
                self._read()
            elif writable:
                data = data[os.write(self.fd, data[:256]):]

    def _read(self):
        try:
            data = os.read(self.fd, 65536)
        except OSError:  # EIO: the program has closed its side
            data = b""
        self.ended = not data
        self.text += data.decode("utf-8", "replace").replace("\r", "")

    def expect(self, pattern, limit=None):
        """Wait for a match behind what was dealt with before; returns it and counts all up to its end as
        dealt with."""
        expression = re.compile(pattern, re.MULTILINE)
        end = time.monotonic() + (limit or self.limit)
        while True:
            match = expression.search(self.text, self.at)
            if match:
                self.at = match.end()
                return match
            if self.ended:
                raise Silent(f"the machine ended while waiting for {pattern!r}")
            if time.monotonic() > end:
                raise Silent(f"waited {limit or self.limit:.0f} s for {pattern!r}")
            if select.select([self.fd], [], [], 1.0)[0]:
                self._read()

    def drain(self, seconds):
        """Read until nothing has come for this long."""
        while not self.ended and select.select([self.fd], [], [], seconds)[0]:
            self._read()

    def wait(self, limit=None):
        """Until the program ends; its exit status."""
        end = time.monotonic() + (limit or self.limit)
        while not self.ended and time.monotonic() < end:
            if select.select([self.fd], [], [], 1.0)[0]:
                self._read()
        try:
            return self.process.wait(timeout=max(1.0, end - time.monotonic()))
        except subprocess.TimeoutExpired as e:
            raise Silent("the machine goes on running") from e

    def close(self):
        """End the program if it has not ended, and free the terminal."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        os.close(self.fd)

    def tail(self):
        """The last lines on the screen, for a report."""
        return plain(self.text[-TAIL:]).splitlines()[-25:]


def plain(text):
    """As one reads it: without escape sequences and bells."""
    return ESCAPE.sub("", text).replace("\a", "")
