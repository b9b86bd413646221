# SPDX-License-Identifier: MIT
"""arm_media_cases - how firmware and loaders start the aarch64 kernel: as far as the shell, and what is said
when something is wrong with the medium.

Each entry is a dict:
    name      of the case
    arch      whose
    boot      what run-qemu calls it; firmware: another one than its own, below packages/
    image     "iso" (what make iso built), or "directory": made for the case from `files`
    medium    how run-qemu plugs the image in
    files     path -> content (bytes), or a function of Parts that returns it
    kernel    True: the emulator gives kernel, initramfs and `append` to the firmware
    dtb       file below the build directory
    first     what must come before the shell's prompt
    clock     False: the machine does not know the time
    says      expressions that must match lines, in this order; without any, the shell must come, run
              commands and switch the machine off with status 0
and machine, smp, mem as run-qemu has them.
"""
import os
import tempfile
import time
from dataclasses import dataclass, field

from ktap import FAIL, PASS, Case
from process import Run
from scenario import ROOT
from shell_cases import PROMPT, Shell, Wrong
from terminal import Silent, Terminal, plain

ARM = "aarch64"
U_BOOT = "packages/u-boot-aarch64/usr/lib/u-boot/qemu_arm64/u-boot.bin"
EFI_NAME = {ARM: "EFI/BOOT/BOOTAA64.EFI"}
# An ACPI machine, one with a device tree, and both again with another interrupt controller and at EL2.
ARM_MACHINES = {
    "acpi-gic2": "virt,gic-version=2",
    "fdt-gic3": "virt,acpi=off,gic-version=3",
    "acpi-gic3-el2": "virt,gic-version=3,virtualization=on",
    "fdt-gic2-el2": "virt,acpi=off,gic-version=2,virtualization=on",
}


@dataclass
class Parts:
    """What media are made of."""
    arch: str
    build: str
    kernel: str
    initrd: str

    def iso(self):
        return os.path.join(os.path.dirname(self.kernel), "quire.iso")

    def kernel8(self):
        return os.path.join(os.path.dirname(self.kernel), "kernel8.img")

    def read(self, path):
        with open(path, "rb") as f:
            return f.read()


def stick(**more):
    """The files of a stick that boots by its name alone; `more` replaces some, None leaves one out."""
    files = {"kernel": lambda p: p.read(p.kernel), "initrd": lambda p: p.read(p.initrd), "cmdline": b"on=stick\r\n", **more}
    paths = {"kernel": EFI_NAME[ARM], "initrd": "quire/initrd.cpio", "cmdline": "quire/cmdline.txt"}
    return {paths[key]: content for key, content in files.items() if content is not None}


def arm_uefi():
    for name, machine in ARM_MACHINES.items():
        here = dict(arch=ARM, boot="uefi", machine=machine, smp="4")
        yield dict(here, name=f"uefi-loadfile2-{name}", kernel=True, append="by=firmware")
        yield dict(here, name=f"uefi-stick-{name}", image="directory", files=stick())
        yield dict(here, name=f"uefi-cd-{name}", image="iso")
    here = dict(arch=ARM, boot="uefi")
    yield dict(here, name="uefi-disk", image="iso", medium="disk", smp="2")
    yield dict(here, name="uefi-usb", image="iso", medium="usb", smp="2")
    yield dict(here, name="uefi-128M", kernel=True, mem="128M")
    yield dict(here, name="uefi-6G", kernel=True, mem="6G")
    yield dict(here, name="uefi-cortex-a53", kernel=True, cpu="cortex-a53")
    yield dict(here, name="uefi-screen", kernel=True, screen="none", says=[r"framebuffer: 800x600, 4 bytes per pixel", PROMPT])
    yield dict(here, name="u-boot-stick", image="directory", files=stick(), firmware=U_BOOT, smp="4")


def raspberry_pi():
    here = dict(arch=ARM, boot="raspi3b", kernel=True, dtb="raspi/bcm2837-rpi-3-b.dtb", smp="4", clock=False)
    # Characters from before the MMU is on; then the port that the device tree names, or the one that is asked for.
    yield dict(here, name="raspi3b", first="^Q12$")
    yield dict(here, name="raspi3b-pl011", append="console=ttyAMA0", first="framebuffer: 640x480, 4 bytes per pixel")


def arm_uefi_trouble():
    here = dict(arch=ARM, boot="uefi", image="directory")
    yield dict(here, name="uefi-initrd-missing", files=stick(initrd=None),
               says=[r"quire: cannot read the initramfs \\quire\\initrd\.cpio: not found", "(?i)failed to start .*: Not Found"])
    yield dict(here, name="uefi-initrd-named-and-missing", files=stick(cmdline=b"initrd=/some/where"),
               says=[r"quire: cannot read the initramfs /some/where: not found"])
    yield dict(here, name="uefi-initrd-too-large", files=stick(initrd=lambda p: bytes(160 << 20)), mem="128M",
               says=[r"quire: cannot read the initramfs \S+: not enough memory"])
    yield dict(here, name="uefi-initrd-truncated", files=stick(initrd=lambda p: p.read(p.initrd)[:300001]),
               says=[r"initramfs: .*(ends before|cut short|corrupt)"])
    yield dict(here, name="uefi-kernel-truncated", files=stick(kernel=lambda p: p.read(p.kernel)[:100000]),
               says=[r"(?i)failed to (load|start) Boot0001"])


def all_cases():
    return [*arm_uefi(), *arm_uefi_trouble(), *raspberry_pi()]


@dataclass
class MediaScenario:
    """One start from a medium; to tests/run it is what a Scenario is."""
    entry: dict
    parts: Parts
    cases: list = field(default_factory=list)
    run: Run = None

    @property
    def name(self):
        return f"{self.parts.arch}/media/{self.entry['name']}"

    def command(self, image):
        e = self.entry
        c = [os.path.join(ROOT, "tools/run-qemu"), "--arch", self.parts.arch]
        for key in ("boot", "machine", "smp", "cpu", "mem", "medium", "screen", "append"):
            if e.get(key):
                c += ["--" + key, e[key]]
        for key in ("firmware", "dtb"):
            if e.get(key):
                c += ["--" + key, os.path.join(self.parts.build, e[key])]
        if e.get("kernel"):
            kernel = self.parts.kernel8() if e["boot"] == "raspi3b" else self.parts.kernel
            c += ["--kernel", kernel, "--initrd", self.parts.initrd]
        return c + (["--image", image] if image else [])

    def fill(self, folder):
        for path, content in self.entry.get("files", {}).items():
            target = os.path.join(folder, path)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, "wb") as f:
                f.write(content(self.parts) if callable(content) else content)

    def execute(self):
        start = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="media-") as folder:
            self.fill(folder)
            image = {"iso": self.parts.iso(), "directory": folder}.get(self.entry.get("image"))
            terminal = Terminal(self.command(image))
            try:
                problem = self.attempt(terminal)
            finally:
                terminal.close()
        if problem:
            problem = ["$ " + " ".join(self.command(image)), *problem]
        self.cases = [Case(self.name, FAIL if problem else PASS, problem or [])]
        self.run = Run(lines=plain(terminal.text).splitlines(), seconds=time.monotonic() - start)
        self.run.times = [0.0] * len(self.run.lines)
        self.run.status = terminal.process.returncode
        return self.cases

    def attempt(self, terminal):
        """What went wrong, with the screen; None: nothing."""
        try:
            for expression in self.entry.get("says", ()):
                terminal.expect(expression)
            if not self.entry.get("says"):
                self.use_shell(Shell(terminal, self.entry.get("smp", "1")))
        except (Silent, Wrong, ValueError) as e:
            return [str(e), "the screen:", *terminal.tail()]
        return None

    def use_shell(self, shell):
        if self.entry.get("first"):
            shell.expect(self.entry["first"])
        shell.expect(PROMPT, 180.0)
        shell.check("echo here-$((40 + 2)); nproc", "^here-42$", f"^{shell.smp}$")
        shell.check("cat /proc/cmdline; echo end", self.entry.get("append", ""), "^end$")
        if self.entry.get("clock", True):
            shell.check("date +%Y", "^20[2-9][0-9]$")
        shell.type("poweroff\r")
        status = shell.terminal.wait()
        if status:
            raise Wrong(f"QEMU ended with status {status}")
