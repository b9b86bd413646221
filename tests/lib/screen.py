# SPDX-License-Identifier: MIT
"""screen - a machine's screen and keyboard, through QEMU's monitor.

Text is read from a picture by comparing each 8x16 cell with the shapes in drivers/font_8x16.c. A cell has at most
two colours; which of them is ink is found by trying both.
"""
import os
import re
import socket
import time

WIDTH, HEIGHT = 8, 16
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
KEYS = {" ": "spc", "\n": "ret", "-": "minus", "=": "equal", "/": "slash", ".": "dot", ",": "comma", ";": "semicolon",
        "'": "apostrophe", "\\": "backslash", "[": "bracket_left", "]": "bracket_right", "`": "grave_accent", "\t": "tab"}
SHIFTED = dict(zip('!@#$%^&*()_+{}:"~|<>?', "1234567890-=[];'`\\,./"))


def glyphs():
    """From the rows of a shape to its character."""
    text = open(os.path.join(ROOT, "drivers/font_8x16.c"), encoding="utf-8").read()
    rows = re.findall(r"^\t\{([^}]*)\},", text, re.MULTILINE)
    shapes = [tuple(int(n, 0) for n in row.split(",")) for row in rows]
    assert len(shapes) == 96 and all(len(s) == HEIGHT for s in shapes)
    return {shape: chr(32 + i) for i, shape in enumerate(shapes)}


class Picture:
    """A PPM file, as screendump writes it."""

    def __init__(self, data):
        magic, width, height, depth, self.pixels = re.match(rb"(P6)\s+(\d+)\s+(\d+)\s+(\d+)\s(.*)", data, re.S).groups()
        self.width, self.height = int(width), int(height)
        assert magic == b"P6" and depth == b"255" and len(self.pixels) == self.width * self.height * 3

    def cell(self, column, row):
        """The shape as bits: (rows, rows inverted); None where there are more than two colours."""
        lines = []
        for y in range(row * HEIGHT, (row + 1) * HEIGHT):
            at = (y * self.width + column * WIDTH) * 3
            line = self.pixels[at:at + WIDTH * 3]
            lines.append([line[i:i + 3] for i in range(0, WIDTH * 3, 3)])
        colours = {pixel for line in lines for pixel in line}
        if len(colours) > 2:
            return None
        first = lines[0][0]
        inverted = tuple(sum((pixel == first) << 7 - x for x, pixel in enumerate(line)) for line in lines)
        return tuple(bits ^ 0xff for bits in inverted), inverted

    def text(self):
        """All rows, without what is blank at their ends. A cell that is no character becomes \\ufffd."""
        known, rows = glyphs(), []
        for row in range(self.height // HEIGHT):
            line = ""
            for column in range(self.width // WIDTH):
                shapes = self.cell(column, row)
                line += next((known[s] for s in shapes or () if s in known), "\ufffd")
            rows.append(line.rstrip())
        return rows


class Monitor:
    """QEMU's monitor on a socket, which QEMU makes a little after it starts."""

    PROMPT = b"(qemu) "

    def __init__(self, path, limit=30.0):
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(limit)
        end = time.monotonic() + limit
        while True:
            try:
                self.socket.connect(path)
                break
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)
        self._answer()

    def _answer(self):
        data = b""
        while not data.endswith(self.PROMPT):
            more = self.socket.recv(65536)
            if not more:
                raise OSError("QEMU has closed its monitor")
            data += more
        return data

    def command(self, text):
        self.socket.sendall(text.encode() + b"\n")
        return self._answer()

    def type(self, text):
        """Press keys of a US keyboard, one after the other."""
        for c in text:
            shift = c.isupper() or c in SHIFTED
            c = SHIFTED.get(c, c.lower())
            self.command("sendkey " + ("shift-" if shift else "") + KEYS.get(c, c) + " 20")
            time.sleep(0.08)  # QEMU lets go of a key after 20 ms, and keeps sixteen codes for a slow guest

    def screen(self):
        path = self.path + ".ppm"
        self.command("screendump " + path)
        with open(path, "rb") as f:
            picture = Picture(f.read())
        os.unlink(path)
        return picture

    def close(self):
        self.socket.close()
