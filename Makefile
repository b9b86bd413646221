# Quire: one Makefile. `make help` lists the targets.
#
#   make [ARCH=x86_64|aarch64] [DEBUG=1] [LLVM=1] [BUILD=dir]
#
# Everything is built out of tree: $(BUILD)/$(ARCH) for the release kernel, $(BUILD)/$(ARCH)-debug with
# every assertion on, and a -clang suffix when LLVM=1.

ARCH  ?= x86_64
DEBUG ?= 0
LLVM  ?= 0
BUILD ?= build
V     ?= 0

ifeq ($(filter $(ARCH),x86_64 aarch64),)
$(error ARCH=$(ARCH) is not supported: use x86_64 or aarch64)
endif

# What run, debug and test need is installed before anything below looks for a compiler.
OTHER_ARCH := $(filter-out $(ARCH),x86_64 aarch64)
NEEDS := $(if $(filter run run-tests debug test oracle,$(MAKECMDGOALS)),build-$(ARCH) run-$(ARCH)) \
	 $(if $(filter iso,$(MAKECMDGOALS)),build-$(ARCH) iso-$(ARCH)) \
	 $(if $(filter run,$(MAKECMDGOALS)),$(if $(filter bios uefi,$(BOOT)),iso-$(ARCH)) $(if $(filter uefi,$(BOOT)),uefi-$(ARCH))) \
	 $(if $(filter test,$(MAKECMDGOALS)),iso-x86_64 iso-aarch64 uefi-x86_64 uefi-aarch64) \
	 $(if $(filter debug test,$(MAKECMDGOALS)),debug) \
	 $(if $(filter run-tests test oracle,$(MAKECMDGOALS)),build-$(OTHER_ARCH) run-$(OTHER_ARCH) test)
ifneq ($(strip $(if $(NEEDS_MET),,$(NEEDS))),)
$(shell tools/ensure-packages $(NEEDS) >&2)
ifneq ($(.SHELLSTATUS),0)
$(error what is listed above is missing)
endif
export NEEDS_MET := 1
endif

O := $(BUILD)/$(ARCH)$(if $(filter 1,$(DEBUG)),-debug)$(if $(filter 1,$(LLVM)),-clang)
Q := $(if $(filter 1,$(V)),,@)

CROSS_x86_64  := x86_64-linux-gnu-
CROSS_aarch64 := aarch64-linux-gnu-
CROSS         := $(CROSS_$(ARCH))
ifeq ($(LLVM),1)
CC := clang-14 --target=$(ARCH)-linux-gnu
else
CC := $(CROSS)gcc
endif
LD      := $(CROSS)ld
NM      := $(CROSS)nm
OBJCOPY := $(CROSS)objcopy
READELF := $(CROSS)readelf

# --- flags -----------------------------------------------------------------------------------------
INCLUDES := -Iinclude -Iarch/$(ARCH)/include -I.
CPPFLAGS := -nostdinc -isystem $(shell $(CC) -print-file-name=include) $(INCLUDES) \
	    $(if $(filter 1,$(DEBUG)),-DQUIRE_DEBUG)
WARN     := -Wall -Wextra -Werror -Wmissing-prototypes -Wstrict-prototypes -Wold-style-definition \
	    -Wundef -Wvla -Wwrite-strings -Wshadow
CFLAGS   := -std=gnu11 -O2 -g -ffreestanding -fno-pic -fno-pie -fno-common -fno-strict-aliasing \
	    -fno-stack-protector -fno-omit-frame-pointer -fno-asynchronous-unwind-tables \
	    -fno-optimize-sibling-calls -fno-delete-null-pointer-checks -fno-builtin-bcmp \
	    -ffile-prefix-map=$(CURDIR)/= $(WARN)
CFLAGS_x86_64  := -m64 -fno-pic -march=x86-64 -mcmodel=kernel -mno-red-zone -mgeneral-regs-only -fcf-protection=none
CFLAGS_aarch64 := -march=armv8-a -mcmodel=small -mgeneral-regs-only -mstrict-align -ffixed-x18
ifeq ($(LLVM),1)
CFLAGS += -Wno-unused-command-line-argument
CFLAGS_aarch64 += -mno-outline-atomics
else
CFLAGS_aarch64 += -mno-outline-atomics -mbranch-protection=none
endif
CFLAGS  += $(CFLAGS_$(ARCH))
LDFLAGS := -nostdlib -static -z max-page-size=4096 -z noexecstack --build-id=none --no-warn-rwx-segments \
	   --fatal-warnings

# --- sources ---------------------------------------------------------------------------------------
# Directories in reading order: libraries, then the machine, memory, threads, and what user space sees.
DIRS := lib boot $(if $(filter aarch64,$(ARCH)),boot/efi) arch/$(ARCH) mm/phys mm/pt mm/map mm/obj mm/vma mm/fault mm kernel drivers fs fs/proc
SRCS := $(foreach d,$(DIRS),$(sort $(wildcard $(d)/*.c))) $(sort $(wildcard arch/$(ARCH)/*.S)) kernel/vdso/image.S
OBJS := $(SRCS:%=$(O)/obj/%.o)

ELF   := $(O)/quire.elf
IMAGE := $(O)/Image
# The same for a Raspberry Pi 3, by the name its loader looks for, and for a 4; each with the address of the serial port.
KERNEL8_raspi3b := $(O)/kernel8.img
KERNEL8_raspi4b := $(O)/kernel8-rpi4.img

.PHONY: all kernel clean help
all: kernel
ifeq ($(ARCH),aarch64)
kernel: $(ELF) $(IMAGE) $(KERNEL8_raspi3b) $(KERNEL8_raspi4b)
else
kernel: $(ELF)
endif

$(O)/obj/%.c.o: %.c $(O)/flags
	@mkdir -p $(@D)
	@echo "  CC      $<"
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

$(O)/obj/%.S.o: %.S $(O)/flags
	@mkdir -p $(@D)
	@echo "  AS      $<"
	$(Q)$(CC) $(CPPFLAGS) -D__ASSEMBLY__ $(CFLAGS_$(ARCH)) -g -MMD -MP -c $< -o $@

# The vDSO: user code in the form of a shared library, linked by itself and carried as data (kernel/vdso.h).
VDSO_CFLAGS_x86_64  := -m64 -march=x86-64 -mgeneral-regs-only -fcf-protection=none
VDSO_CFLAGS_aarch64 := $(CFLAGS_aarch64)
VDSO_CFLAGS  := $(filter-out $(CFLAGS_$(ARCH)) -fno-pic -fno-pie -fno-omit-frame-pointer -fno-asynchronous-unwind-tables -g,$(CFLAGS)) \
		-fPIC -fasynchronous-unwind-tables $(VDSO_CFLAGS_$(ARCH))
VDSO_LDFLAGS := -shared -nostdlib -soname linux-vdso.so.1 -Bsymbolic --hash-style=both --eh-frame-hdr --build-id=none \
		-z max-page-size=4096 -z noexecstack -z text --no-undefined --orphan-handling=error --fatal-warnings -s \
		$(if $(filter aarch64,$(ARCH)),-e __kernel_rt_sigreturn)
VDSO_SRCS := $(wildcard arch/$(ARCH)/vdso/*.c) $(wildcard arch/$(ARCH)/vdso/*.S)
VDSO_OBJS := $(VDSO_SRCS:%=$(O)/vdso/%.o)
VDSO_LINK := kernel/vdso/vdso.ld arch/$(ARCH)/vdso/vdso.map

$(O)/vdso/%.c.o: %.c $(O)/flags
	@mkdir -p $(@D)
	@echo "  CC      $<"
	$(Q)$(CC) $(CPPFLAGS) $(VDSO_CFLAGS) -MMD -MP -c $< -o $@

$(O)/vdso/%.S.o: %.S $(O)/flags
	@mkdir -p $(@D)
	@echo "  AS      $<"
	$(Q)$(CC) $(VDSO_CFLAGS_$(ARCH)) -MMD -MP -c $< -o $@

$(O)/vdso/vdso.so: $(VDSO_OBJS) $(VDSO_LINK)
	@echo "  LD      $@"
	$(Q)$(LD) $(VDSO_LDFLAGS) -T kernel/vdso/vdso.ld --version-script=arch/$(ARCH)/vdso/vdso.map $(VDSO_OBJS) -o $@

$(O)/obj/kernel/vdso/image.S.o: CPPFLAGS += -D'VDSO_IMAGE="$(O)/vdso/vdso.so"'
$(O)/obj/kernel/vdso/image.S.o: $(O)/vdso/vdso.so

$(O)/linker.ld: linker.ld $(O)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -D__ASSEMBLY__ -E -P -x c -MMD -MP -MT $@ -MF $@.d $< -o $@

# The symbol and line table goes in behind everything it describes, so linking twice is enough:
# the second link moves no text.
$(O)/quire.pass1: $(OBJS) $(O)/linker.ld
	@echo "  LD      $@"
	$(Q)$(LD) $(LDFLAGS) -T $(O)/linker.ld $(OBJS) -o $@

$(O)/symtab.S: $(O)/quire.pass1 tools/mksymtab
	$(Q)tools/mksymtab --readelf $(READELF) --nm $(NM) $< > $@

$(O)/symtab.o: $(O)/symtab.S
	$(Q)$(CC) $(CFLAGS_$(ARCH)) -c $< -o $@

$(ELF): $(O)/symtab.o $(OBJS) $(O)/linker.ld
	@echo "  LD      $@"
	$(Q)$(LD) $(LDFLAGS) -T $(O)/linker.ld $(OBJS) $(O)/symtab.o -o $@

# The file is an EFI program too, whose own part runs before there is a kernel (boot/efi/stub.h).
EFI_OBJS := $(patsubst %,$(O)/obj/%.o,$(wildcard boot/efi/*.c) boot/cmdline.c lib/string.c lib/str.c)
$(IMAGE): $(ELF) tools/check-efi
	$(Q)tools/check-efi $(READELF) $(EFI_OBJS)
	$(Q)$(OBJCOPY) -O binary $< $@
$(KERNEL8_raspi3b): UART := 0x3f215040
$(KERNEL8_raspi4b): UART := 0xfe215040
$(KERNEL8_raspi3b) $(KERNEL8_raspi4b): $(IMAGE) tools/mkkernel8
	$(Q)tools/mkkernel8 $< $@ $(UART)

# Rebuild when the compiler, its flags or the list of sources change.
$(O)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) $(VDSO_CFLAGS) $(SRCS)' | cmp -s - $@ || \
	 echo '$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) $(VDSO_CFLAGS) $(SRCS)' > $@
FORCE:

-include $(OBJS:.o=.d) $(VDSO_OBJS:.o=.d) $(O)/linker.ld.d

include tests/host/host.mk
include tests/tests.mk
include tools/run.mk
include tests/boot/boot.mk
include tests/bench/bench.mk
include tests/kselftest/kselftest.mk

clean:
	rm -rf $(BUILD) compile_commands.json

help:
	@for f in Makefile tools/run.mk tests/tests.mk tests/*/*.mk; do sed -n '/^#/!q; s/^# \{0,1\}//p' $$f; echo; done
