# Running the kernel; included by the top-level Makefile.
#
#   make run             boot to a shell of Debian's busybox (ARCH, DEBUG, SMP=2, MEM=512M, APPEND, INITRD)
#                        BOOT=direct (the emulator loads the kernel itself), bios, uefi (from quire.iso), microvm,
#                        raspi3b, raspi4b (ARCH=aarch64: 4 CPUs, as the boards have; raspi4b needs QEMU 9)
#                        SCREEN=gtk: with a window on the machine's screen and keyboard
#   make iso             $(BUILD)/$(ARCH)/quire.iso: GRUB, the kernel and the shell's files, for a CD or a USB stick
#   make debug           the same stopped, with gdb attached; its commands: qhelp
#   make console         in a second terminal: the console of the machine that make debug started
#   make shell-image     only its initramfs, for ARCH
#
# The shell's files are user/rootfs and one program, /bin/busybox of the package busybox-static, fetched
# for ARCH whatever this machine is.

SHELL_DIR := $(BUILD)/shell-$(ARCH)
BUSYBOX   := $(BUILD)/packages/busybox-$(ARCH)
DEBIAN_ARCH_x86_64  := amd64
DEBIAN_ARCH_aarch64 := arm64

$(BUSYBOX)/.fetched:
	@echo "  FETCH   busybox-static for $(ARCH)"
	$(Q)tools/fetch-packages $(DEBIAN_ARCH_$(ARCH)) $(BUSYBOX) busybox-static && touch $@

# Directories that a fresh tree must have, besides those that the files of user/rootfs lie in.
ROOTFS_DIRS := dev proc sys tmp run root sbin usr/bin usr/sbin var/log
$(SHELL_DIR)/initramfs.cpio: $(BUSYBOX)/.fetched $(shell find user/rootfs) tools/mkinitramfs tools/run.mk
	@mkdir -p $(@D)
	@echo "  CPIO    $@"
	$(Q)tools/mkinitramfs -o $@ $(ROOTFS_DIRS:%=--dir %) --data user/rootfs=/ \
		--data $(BUSYBOX)/bin/busybox=bin/busybox --link init=bin/busybox --link bin/sh=busybox

.PHONY: run debug console shell-image iso
shell-image: $(SHELL_DIR)/initramfs.cpio

RUN_KERNEL := $(if $(filter aarch64,$(ARCH)),$(IMAGE),$(ELF))
INITRD     ?= $(SHELL_DIR)/initramfs.cpio
MEM        ?= 512M
RUN_SMP    := $(or $(SMP),2)

# The board's description comes from Debian's kernel package, of which nothing else is taken.
DTBS      := $(BUILD)/packages/dtbs-aarch64
DTB_raspi3b := $(BUILD)/raspi/bcm2837-rpi-3-b.dtb
DTB_raspi4b := $(BUILD)/raspi/bcm2711-rpi-4-b.dtb
$(DTB_raspi3b) $(DTB_raspi4b):
	@mkdir -p $(@D)
	@echo "  FETCH   $(@F)"
	$(Q)tools/fetch-packages --newest --only 'usr/lib/linux-image-*/broadcom' arm64 $(DTBS) \
		'linux-image-6\.12\.[0-9]+\+deb12-arm64(-unsigned)?' > /dev/null
	$(Q)cp $$(ls $(DTBS)/usr/lib/linux-image-*/broadcom/$(@F) | tail -n 1) $@

BOOT       ?= direct
SCREEN     ?=
RUN_OPTIONS = --arch $(ARCH) --smp $(RUN_SMP) --mem $(MEM) --boot $(BOOT) $(if $(SCREEN),--screen $(SCREEN)) --interactive

ifneq ($(filter bios uefi,$(BOOT)),)
run: iso
	$(Q)tools/run-qemu $(RUN_OPTIONS) --image $(ISO)
else ifneq ($(filter raspi3b raspi4b,$(BOOT)),)
run: kernel $(INITRD) $(DTB_$(BOOT))
	$(Q)tools/run-qemu $(RUN_OPTIONS) --kernel $(KERNEL8_$(BOOT)) --dtb $(DTB_$(BOOT)) --initrd $(INITRD) --append '$(APPEND)'
else
run: kernel $(INITRD)
	$(Q)tools/run-qemu $(RUN_OPTIONS) --kernel $(RUN_KERNEL) --initrd $(INITRD) --append '$(APPEND)'
endif

# --- images --------------------------------------------------------------------------------------------
# The kernel goes without debug information; names for backtraces are inside it. Changing APPEND makes a new one.
ISO     := $(O)/quire.iso
ISO_DIR := $(O)/iso
iso: $(ISO)

$(ISO_DIR)/grub.cfg: boot/grub/$(ARCH).cfg FORCE
	@mkdir -p $(@D)
	$(Q)sed 's|@APPEND@|$(subst &,\&,$(APPEND))|' $< | cmp -s - $@ || sed 's|@APPEND@|$(subst &,\&,$(APPEND))|' $< > $@
$(ISO_DIR)/initramfs.cpio.gz: $(INITRD)
	@mkdir -p $(@D)
	$(Q)gzip -9 -n < $< > $@
$(ISO_DIR)/quire.elf: $(ELF)
	@mkdir -p $(@D)
	$(Q)$(OBJCOPY) --strip-all $< $@

ifeq ($(ARCH),x86_64)
ISO_KERNEL := $(ISO_DIR)/quire.elf
$(ISO): $(ISO_DIR)/grub.cfg $(ISO_KERNEL) $(ISO_DIR)/initramfs.cpio.gz tools/mkiso
	@echo "  ISO     $@"
	$(Q)tools/mkiso -o $@ --config $(ISO_DIR)/grub.cfg --modules "multiboot2 all_video gzio" \
		$(ISO_KERNEL)=boot/quire.elf $(ISO_DIR)/initramfs.cpio.gz=boot/initramfs.cpio.gz
else
# Of the boot loader only the files are needed, whatever this machine is.
GRUB_AARCH64 := $(BUILD)/packages/grub-aarch64
$(GRUB_AARCH64)/.fetched:
	@echo "  FETCH   grub-efi-arm64-bin"
	$(Q)tools/fetch-packages --only usr/lib/grub arm64 $(GRUB_AARCH64) grub-efi-arm64-bin && touch $@
$(ISO): $(ISO_DIR)/grub.cfg $(IMAGE) $(ISO_DIR)/initramfs.cpio.gz $(GRUB_AARCH64)/.fetched tools/mkiso
	@echo "  ISO     $@"
	$(Q)tools/mkiso -o $@ --config $(ISO_DIR)/grub.cfg --grub-dir $(GRUB_AARCH64)/usr/lib/grub/arm64-efi --modules "linux gzio" \
		$(IMAGE)=boot/Image $(ISO_DIR)/initramfs.cpio.gz=boot/initramfs.cpio.gz
endif

# One machine at a time for each architecture.
DEBUG_DIR := $(BUILD)/debug-$(ARCH)
THIS_ARCH := $(if $(filter aarch64,$(ARCH)), ARCH=aarch64)
debug: kernel $(INITRD)
	$(Q)tools/debug --arch $(ARCH) --elf $(ELF) --kernel $(RUN_KERNEL) --initrd $(INITRD) --dir $(DEBUG_DIR)/live \
		--smp $(RUN_SMP) --mem $(MEM) --append '$(APPEND)' --console-hint 'make console$(THIS_ARCH)'
console:
	$(Q)tools/console $(DEBUG_DIR)/live/console
