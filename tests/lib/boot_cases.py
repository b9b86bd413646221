# SPDX-License-Identifier: MIT
"""boot_cases - the table of machines and mishaps that the kernel must boot on or end on in a defined way.

Each entry is a dict of Scenario fields plus
    archs     which architectures (default both)
    initrd    a file of the guest build, by name ("" for none; default the small one)
    qemu      further options; "@name" is a file of the guest build
    debug     True: only the debug kernel can do this
OK entries boot the small initramfs and run its programs. The others say what must be printed, and that
the machine ends by itself with the right status.
"""

X86, ARM = "x86_64", "aarch64"
SMALL = "small.cpio"

# A panic says so, gives a backtrace with function, file and line, and ends QEMU with a failing status.
PANIC = r"^Kernel panic: "
BACKTRACE = r"^ *#\d+ +0x[0-9a-f]+ \w+\+0x[0-9a-f]+ +[\w/]+\.[cS]:\d+"
GOOD_END = "# all programs done"
BROKEN = r"^\[.*\] initramfs: .*(ends before|cut short|corrupt|no cpio header)"


def ok(name, **fields):
    return dict(name=name, **fields)


def ends(name, *expect, **fields):
    """Stops before user space, with these messages and a failing status."""
    return dict(dict(name=name, expect=expect, forbid=(GOOD_END,), status="nonzero"), **fields)


def survives(name, *expect, **fields):
    """Prints these messages and ends by itself, one way or the other."""
    return dict(dict(name=name, expect=expect, status="any"), **fields)


def panics(test, *expect, **fields):
    """The kernel is told on its command line to go wrong in this way."""
    return ends(f"panic-{test}", PANIC, BACKTRACE, *expect, append=f"selftest={test}", **fields)


MEMORY = [
    ok("mem-32M", mem="32M"),
    # What is in the archive does not fit: told, and used as far as it got.
    survives("mem-32M-large-initramfs", r"(?i)initramfs: .*memory", mem="32M", initrd="large.cpio.gz"),
    ok("mem-64M", mem="64M"),
    ok("mem-96M-smp4", mem="96M", smp="4"),
    ok("mem-1G", mem="1G"),
    ok("mem-2815M", mem="2815M"),    # the largest that x86_64 has below 4 GiB in one piece
    ok("mem-3G-pc", mem="3G", machine="pc", archs=[X86]),
    ok("mem-6G-smp4", mem="6G", smp="4"),
    ok("mem-16G", mem="16G"),
]

CPUS = [ok(f"smp-{n}", smp=str(n)) for n in (2, 3, 5, 8)] + [
    ok("smp-8-sockets", smp="8,sockets=2,cores=2,threads=2", archs=[X86]),
    ok("smp-12-gicv3", smp="12", machine="virt,gic-version=3", archs=[ARM]),
    ok("smp-12", smp="12", archs=[X86]),
    # Room for eight: the tables list the other six as disabled.
    ok("smp-2-of-8", smp="2,maxcpus=8"),
    # The device tree names a second CPU that is not there: told, and done without.
    ok("smp-1-of-2-named", also=(r"smp: CPU 1 .*does not start", r"# machine: cpus=1\b"),
       qemu=("-dtb", "@two-cpus.dtb"), archs=[ARM]),
    # All CPUs take turns in one host thread, so a CPU that spins without pausing stops the others.
    ok("smp-4-in-turns", smp="4", qemu=("-accel", "tcg,thread=single")),
]

X86_MACHINES = [
    ok(f"{machine}-{cpu.split(',')[0]}-smp{smp}", machine=machine, cpu=cpu, smp=smp, archs=[X86])
    for machine in ("q35", "pc") for cpu in ("qemu64", "max") for smp in ("1", "4")
] + [
    ok("no-hpet", machine="q35,hpet=off", archs=[X86]),
    # Without ACPI nobody can switch the machine off: the kernel halts or leaves with a status, but runs.
    survives("no-acpi", GOOD_END, machine="q35,acpi=off", archs=[X86]),
    ok("cpu-max-without-smap", cpu="max,-smap,-smep,-umip", archs=[X86]),
    ok("cpu-max-without-1g-pages", cpu="max,-pdpe1gb", mem="3G", archs=[X86]),
    ok("cpu-max-without-xsave", cpu="max,-xsave", archs=[X86]),
    ok("cpu-max-without-la57", cpu="max,-la57", archs=[X86]),
    ends("cpu-without-nx", r"(?i)\bnx\b", cpu="qemu64,-nx", archs=[X86]),
]

ARM_MACHINES = [
    ok(f"{cpu.split(',')[0]}-gic{gic}{'-el2' if el2 else ''}", cpu=cpu, smp="4", archs=[ARM],
       machine=f"virt,gic-version={gic}" + (",virtualization=on" if el2 else ""))
    for cpu in ("cortex-a53", "cortex-a72", "cortex-a76", "max,pauth-impdef=on")
    for gic in (2, 3) for el2 in (False, True)
] + [
    ok("neoverse-n1-gic3-el2-smp1", cpu="neoverse-n1", machine="virt,gic-version=3,virtualization=on",
       archs=[ARM]),
    ok("cortex-a57-highmem-off", cpu="cortex-a57", machine="virt,highmem=off", archs=[ARM]),
    ok("mte", machine="virt,mte=on", archs=[ARM]),
]

INITRAMFS = [
    ok("initramfs-gzip", initrd="small.cpio.gz"),
    ok("initramfs-two-members", initrd="two-members.cpio.gz"),
    ok("initramfs-padded", initrd="padded.cpio"),
    ends("initramfs-missing", r"(?i)(no initramfs|no init|cannot .*init)", initrd=""),
    ends("initramfs-truncated", BROKEN, initrd="truncated.cpio"),
    ends("initramfs-gzip-truncated", BROKEN, initrd="truncated.cpio.gz"),
    ends("initramfs-gzip-corrupt", BROKEN, initrd="corrupt.cpio.gz"),
    ends("initramfs-garbage", BROKEN, initrd="garbage.cpio"),
    # What was unpacked before the damage may be used, or not: it must be told, and it must not hang.
    survives("initramfs-truncated-late", BROKEN, initrd="truncated-late.cpio"),
    survives("initramfs-gzip-bad-checksum", BROKEN, initrd="corrupt-checksum.cpio.gz"),
    ends("initramfs-empty", r"(?i)/init", initrd="empty.cpio"),
    ends("init-missing", r"(?i)/init", initrd="no-init.cpio"),
    ends("init-no-program", r"(?i)/init.*(ENOEXEC|-8|not an? (ELF|executable|program))", initrd="text-init.cpio"),
    ends("init-directory", r"(?i)/init", initrd="dir-init.cpio"),
    ends("init-exits", PANIC, r"(?i)init.*(exit|died|ended|killed)", initrd="exiting-init.cpio"),
    ends("init-other-machine", r"(?i)/init", initrd="foreign-init.cpio"),
]

COMMAND_LINE = [
    ok("cmdline-empty", append=""),
    ok("cmdline-unknown-words", append="quiet foo=bar --x root=/dev/sda1"),
    ok("cmdline-long", append="x=" + "a" * 1900),
    ok("cmdline-too-long", append="x=" + "a" * 4000),
]

PANICS = [
    panics("panic", "asked for on the command line"),
    panics("bug", r"BUG at \S+\.c:\d+"),
    panics("nullptr", r"Kernel panic: .* at (0x)?0\b"),
    panics("user_access", r"(?i)Kernel panic: .*0x0*400000\b"),
    panics("wx", r"(?i)Kernel panic: .*writ", r"page tables of 0xffffffff", r"slot: PAGE "),
    panics("write_rodata", r"(?i)Kernel panic: .*writ"),
    panics("nx", r"(?i)Kernel panic: .*(execut|fetch|instruction)"),
    panics("undefined", r"(?i)Kernel panic: .*(undefined|invalid|unknown|breakpoint)"),
    panics("stack_overflow", r"(?i)Kernel panic: .*stack"),
    ends("panic-panic_nested", PANIC, r"^Panic while panicking: ", append="selftest=panic_nested"),
    panics("panic_irq"),
    panics("panic_smp", smp="4"),
] + [
    panics(name, smp="2", debug=True)
    for name in ("assert", "lock_rank", "lock_twice", "lock_foreign", "lock_sleep", "lock_rcu", "lock_user",
                 "lock_irq", "lock_stuck")
]

SELFTESTS = [
    dict(name=f"selftest-smp{smp}{'-debug' if debug else ''}", append="selftest=all", ktap=True, smp=smp,
         debug=debug)
    for smp in ("1", "4") for debug in (False, True)
]


def all_cases():
    return MEMORY + CPUS + X86_MACHINES + ARM_MACHINES + INITRAMFS + COMMAND_LINE + PANICS + SELFTESTS
