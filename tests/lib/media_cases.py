# SPDX-License-Identifier: MIT
"""media_cases - starting as a person's machine starts: firmware, a boot loader, an image, a screen and a keyboard.

Those of PATHS start quire.iso, as it is, in every way it can be plugged in, and must reach the shell, run a
command and switch the machine off. Those of LOADED start test.iso, whose GRUB waits for commands, and tell it what
to load and which screen to set; they compare the screen with what must be on it.
"""
import os
import re
import tempfile
import time
from dataclasses import dataclass, field

from ktap import FAIL, PASS, Case
from process import Run
from scenario import ROOT, quote
from screen import Monitor
from terminal import Silent, Terminal, plain

PROMPT = r"root@quire:\S*# "
KERNEL = {"x86_64": "quire.elf", "aarch64": "Image"}
LIMIT = float(os.environ.get("QUIRE_TEST_LIMIT", "120"))


class Wrong(Exception):
    """Something came, but not what should have."""


def path(name, boot, **options):
    return dict(name=name, boot=boot, play=use_shell, **options)


def loaded(name, play, **options):
    return dict(name=name, boot="bios", image="test.iso", play=play, **options)


# --- what is done on a machine ----------------------------------------------------------------------------

def use_shell(m):
    """By the serial port."""
    m.expect(PROMPT)
    m.type("uname -m; nproc; echo $((6 * 7))\r")
    m.expect(rf"^{m.arch}\n{m.smp}\n42\n")
    m.switch_off()


def load(m, commands="", archive="/boot/initramfs.cpio.gz", screen="1024x768x32"):
    for command in (f"multiboot2 /boot/quire.elf {commands}", f"module2 {archive}", f"set gfxpayload={screen}"):
        m.expect("grub> ")
        m.type(command + "\r")
    m.expect("grub> ")
    m.type("boot\r")


def use_screen(m, depth, size, pixel):
    """What the serial port shows is on the screen, and what is typed on the keyboard comes out on both."""
    load(m, screen=f"{size}x{depth}")
    m.expect(rf"framebuffer: {size}, {pixel} bytes per pixel")
    m.expect(PROMPT)
    m.keys("stty size; echo 'a B ~' $((6*7)) | cat -A\n")
    width, height = (int(n) for n in size.split("x"))
    m.expect(rf"^{height // 16} {width // 8}\n^a B ~ 42\$\n{PROMPT}")
    m.on_screen(rf"^{height // 16} {width // 8}\n^a B ~ 42\$\n^root@quire:~#$")
    m.on_screen("^Enter 'help' for a list of built-in commands\\.$")
    m.whole_screen_matches_serial()
    m.keys("poweroff\n")
    m.must_end()


def see_screen(m):
    """A screen that the firmware has set up; nothing is typed on it."""
    m.expect(PROMPT)
    m.type("echo $((6 * 7))\r")
    m.expect(rf"^42\n{PROMPT}")
    m.whole_screen_matches_serial()
    m.switch_off()


def use_screen_of_firmware(m):
    m.expect(PROMPT)
    m.keys("echo $((6 * 7))\n")
    m.expect(rf"^42\n{PROMPT}")
    m.whole_screen_matches_serial()
    m.keys("poweroff\n")
    m.must_end()


def use_screen_only(m):
    """The serial port is no part of the console when the command line says so."""
    load(m, "console=tty0")
    m.on_screen(r"^root@quire:~#$", wait=True)
    m.keys("cat /sys/class/tty/console/active\n")
    m.on_screen(r"^tty0$", wait=True)
    if "Quire" in m.terminal.text[m.terminal.text.rindex("grub> "):]:
        raise Wrong("the serial port was written to")
    m.keys("poweroff\n")
    m.must_end(silent=True)


def use_full_screen(m):
    """vi and its keys, on a screen with escape sequences."""
    load(m)
    m.expect(PROMPT)
    m.keys("vi /tmp/text\n")
    m.on_screen(r"^- /tmp/text 1/1", wait=True)
    m.keys("i")
    m.keys("one\ntwo\nthree")
    for key in ("esc", "up", "home"):
        m.monitor.command(f"sendkey {key} 20")
        time.sleep(0.5)  # vi tells the key from the sequences that begin like it by the time that passes
    m.keys("dd")
    m.on_screen(r"\Aone\nthree\n~\n", wait=True)
    m.keys(":wq\n")
    m.expect(PROMPT)
    m.keys("cat /tmp/text\n")
    m.expect(r"^one\nthree\n")
    m.keys("poweroff\n")
    m.must_end()


def press_ctrl_alt_del(m):
    """Process 1 has asked to be told, and restarts the machine in order."""
    load(m)
    m.expect(PROMPT)
    m.monitor.command("sendkey ctrl-alt-delete")
    m.expect("^Requesting system reboot")
    m.expect("reboot: restarting")
    if m.terminal.wait(LIMIT):
        raise Wrong("QEMU did not end as after a restart")


def damaged(m, archive, message):
    """A message, and the panic, on the serial port and on the screen. The machine stands still then."""
    load(m, archive=archive)
    m.expect(message)
    m.expect(r"^Kernel panic: ")
    m.expect(r"^End of kernel panic\.")
    m.on_screen(message)
    m.on_screen(r"^Kernel panic: .*\n(.*\n)*End of kernel panic\.")


def too_small(m):
    """The kernel does not fit, and GRUB says so instead of starting it."""
    m.expect("grub> ")
    m.type("multiboot2 /boot/quire.elf\r")
    m.expect("error: out of memory")


def without_screen(m):
    load(m)
    use_shell(m)


PATHS = [
    path("bios-cd", "bios"),
    path("bios-cd-pc-smp4", "bios", machine="pc", smp="4"),
    path("bios-disk", "bios", medium="disk"),
    path("bios-small", "bios", mem="32M"),
    path("uefi-64M", "uefi", mem="64M"),
    path("uefi-cd-smp4", "uefi", smp="4", mem="6G"),
    path("uefi-nvme", "uefi", medium="nvme"),
    path("uefi-usb", "uefi", medium="usb"),
    dict(name="uefi-screen", boot="uefi", play=use_screen_of_firmware, screen=True),
    path("microvm", "microvm"),
    path("microvm-smp4", "microvm", smp="4"),
    path("microvm-bare", "microvm", machine="microvm,pic=off,rtc=off"),
]

LOADED = [
    loaded("screen-32", lambda m: use_screen(m, 32, "1024x768", 4), screen=True),
    loaded("screen-24", lambda m: use_screen(m, 24, "800x600", 3), screen=True),
    loaded("screen-16", lambda m: use_screen(m, 16, "640x480", 2), screen=True),
    loaded("screen-15", lambda m: use_screen(m, 15, "800x600", 2), screen=True),
    loaded("screen-only", use_screen_only, screen=True),
    loaded("screen-vi", use_full_screen, screen=True),
    loaded("screen-ctrl-alt-del", press_ctrl_alt_del, screen=True),
    loaded("memory-too-small", too_small, mem="17M", screen=True),
    loaded("screen-missing", without_screen),
    loaded("module-truncated", lambda m: damaged(m, "/boot/truncated.cpio", r"initramfs: .*ends before"), screen=True),
    loaded("module-corrupt", lambda m: damaged(m, "--nounzip /boot/corrupt.cpio.gz", r"initramfs: no cpio header"), screen=True),
    loaded("module-empty", lambda m: damaged(m, "/boot/empty.cpio", r"the root directory holds:"), screen=True),
]


ARM = [
    dict(name="screen-efi", boot="uefi", image="", play=see_screen, screen=True),
]

CASES = {"x86_64": PATHS + LOADED, "aarch64": ARM}


# --- machines ---------------------------------------------------------------------------------------------

class Machine:
    """One that runs: its serial port and, if it has a screen, that and the keyboard."""

    def __init__(self, case, terminal, monitor):
        self.arch, self.smp = case.arch, case.smp
        self.terminal, self.monitor = terminal, monitor
        self.expect, self.type = terminal.expect, terminal.type

    def keys(self, text):
        self.monitor.type(text)

    def on_screen(self, pattern, wait=False):
        """Text must be there: now (the kernel draws before it goes on), or soon."""
        end = time.monotonic() + (LIMIT if wait else 5.0)
        while True:
            text = "\n".join(self.monitor.screen().text()) + "\n"
            if re.search(pattern, text, re.MULTILINE):
                return
            if time.monotonic() > end:
                raise Wrong(f"the screen does not show {pattern!r} but\n{text.rstrip()}")
            time.sleep(0.3)

    def whole_screen_matches_serial(self):
        """Every line of the serial port since the kernel began, cut at the screen's width, ends on it, soon."""
        end = time.monotonic() + 5.0
        while True:
            self.terminal.drain(0.3)
            problem = self.difference(self.monitor.screen())
            if not problem:
                return
            if time.monotonic() > end:
                raise Wrong(problem)

    def difference(self, picture):
        width, height = picture.width // 8, picture.height // 16
        text = plain(self.terminal.text)
        wanted = []
        for line in text[text.index("[    0.000000]"):].split("\n"):
            wanted += [line[i:i + width].rstrip() for i in range(0, len(line), width)] or [""]
        wanted = (wanted + [""] * height)[:height] if len(wanted) < height else wanted[-height:]
        for row, (want, have) in enumerate(zip(wanted, picture.text())):
            if want != have:
                return f"row {row} of the screen shows {have!r}, not {want!r}"
        return None

    def switch_off(self):
        self.type("poweroff\r")
        self.must_end()

    def must_end(self, silent=False):
        status = self.terminal.wait(LIMIT)
        if status:
            raise Wrong(f"QEMU ended with status {status}")
        if silent:
            return
        if "reboot: power off" not in self.terminal.text:
            raise Wrong("QEMU ended, but the machine was not switched off")


@dataclass
class MediaScenario:
    name: str
    arch: str
    build: str
    boot: str
    play: object
    image: str = "quire.iso"
    medium: str = ""
    machine: str = ""
    smp: str = "1"
    mem: str = "256M"
    screen: bool = False
    cases: list = field(default_factory=list)
    run: Run = None

    def command(self, socket):
        c = [os.path.join(ROOT, "tools/run-qemu"), "--arch", self.arch, "--boot", self.boot, "--smp", self.smp,
             "--mem", self.mem, "--interactive"]
        if self.boot == "microvm" or not self.image:
            c += ["--kernel", os.path.join(self.build, self.arch, KERNEL[self.arch]),
                  "--initrd", os.path.join(self.build, f"shell-{self.arch}/initramfs.cpio")]
        else:
            c += ["--image", os.path.join(self.build, self.arch, self.image)]
        for option, value in (("--medium", self.medium), ("--machine", self.machine)):
            c += [option, value] if value else []
        return c + (["--stay", "--screen", "none", "--monitor", socket] if self.screen else [])

    def execute(self):
        start = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="quire-media-") as directory:
            socket = os.path.join(directory, "monitor")
            command = self.command(socket)
            terminal = Terminal(command, rows=24, columns=80, limit=LIMIT)
            monitor, problem = None, None
            try:
                monitor = Monitor(socket) if self.screen else None
                self.play(Machine(self, terminal, monitor))
            except (Silent, Wrong, OSError, ValueError) as e:
                problem = ["$ " + " ".join(quote(a) for a in command), str(e), "the serial port:", *terminal.tail()]
            finally:
                if monitor:
                    monitor.close()
                terminal.close()
        self.cases = [Case(self.name, FAIL if problem else PASS, problem or [])]
        lines = plain(terminal.text).splitlines()
        self.run = Run(lines=lines, times=[0.0] * len(lines), seconds=time.monotonic() - start)
        self.run.status = terminal.process.returncode
        return self.cases


def scenarios(build, arch, part):
    for case in CASES[arch]:
        if part in case["name"]:
            fields = dict(case, name=f"{arch}/media/{case['name']}")
            yield MediaScenario(arch=arch, build=build, **fields)
