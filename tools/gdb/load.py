# SPDX-License-Identifier: MIT
"""load.py - for "gdb -x tools/gdb/load.py quire.elf": the commands of tools/gdb/quire/."""
import os
import sys

import gdb

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
gdb.execute("set pagination off")
gdb.execute("set confirm off")
gdb.execute("set print pretty on")

import quire.commands  # noqa: E402,F401
