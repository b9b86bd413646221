# Everything about testing and checking; included by the top-level Makefile.
#
#   make test            host tests, guest programs, boot cases, boot media, gdb's commands and a typed session, on both
#                        architectures
#   make oracle          the guest programs and the session on Debian's Linux 6.12, both architectures
#   make identical       build everything that boots twice, and compare the files byte by byte
#   make guest-programs  the programs of tests/guest and the initramfs images, for ARCH
#   make fresh-test      the README's commands in a minimal Debian (root; fetches some 500 MB)
#   make run-tests       boot ARCH with the guest programs (RUN="--smp 4 --append 'TESTS=hello'")
#   make lint            formatting, include rules, sizes, both compilers, analysers
#   make compile_commands.json

TEST_ARCHS ?= x86_64 aarch64
# Where both are meant unless one is asked for.
ASKED_ARCHS := $(if $(filter command environment,$(origin ARCH)),$(ARCH),$(TEST_ARCHS))
TEST_RUN   := tests/run --build $(BUILD)

# --- guest programs --------------------------------------------------------------------------------
# Built once per architecture with the cross compiler and its libc, whatever compiles the kernel.
GUEST        := $(BUILD)/guest-$(ARCH)
GUEST_CC     := $(CROSS_$(ARCH))gcc
GUEST_CFLAGS  = -std=gnu11 -O1 -Wall -Wextra -Werror -pthread -s -MMD -MP -MT $@

GUEST_GLIBC := $(filter-out hello,$(patsubst tests/guest/%.c,%,$(wildcard tests/guest/*.c))) hello
# MUSL_TESTS=0 leaves these out where no package can be fetched.
MUSL_TESTS  ?= 1
GUEST_MUSL  := $(if $(filter 1,$(MUSL_TESTS)),hello-musl pthreads-musl)
GUEST_TESTS := $(GUEST_GLIBC) $(GUEST_MUSL) hello-pie

# musl comes from Debian's package of the architecture, unpacked: there is no cross package of it.
MUSL_ARCH_x86_64  := amd64
MUSL_ARCH_aarch64 := arm64
MUSL     := $(BUILD)/packages/musl-$(ARCH)
MUSL_LIB := $(MUSL)/usr/lib/$(ARCH)-linux-musl
GCC_FILE  = $(shell $(GUEST_CC) -print-file-name=$(1))
MUSL_CFLAGS := -nostdinc -isystem $(MUSL)/usr/include/$(ARCH)-linux-musl -isystem $(call GCC_FILE,include) \
	       -fno-stack-protector $(if $(filter aarch64,$(ARCH)),-mno-outline-atomics)
MUSL_START  := -nostdlib -static $(MUSL_LIB)/crt1.o $(MUSL_LIB)/crti.o $(call GCC_FILE,crtbeginT.o)
MUSL_END    := -L$(MUSL_LIB) -Wl,--start-group -lc $(call GCC_FILE,libgcc.a) -Wl,--end-group \
	       $(call GCC_FILE,crtend.o) $(MUSL_LIB)/crtn.o

$(MUSL)/.fetched:
	@echo "  FETCH   musl for $(ARCH)"
	$(Q)tools/fetch-packages $(MUSL_ARCH_$(ARCH)) $(MUSL) musl-dev && touch $@ || \
		{ echo "musl-dev cannot be fetched; MUSL_TESTS=0 leaves its programs out"; exit 1; }

$(GUEST)/tests/%: tests/guest/%.c tests/tests.mk
	@mkdir -p $(@D) $(GUEST)/deps
	@echo "  GUEST   $(ARCH) $*"
	$(Q)$(GUEST_CC) $(GUEST_CFLAGS) -MF $(GUEST)/deps/$*.d -static $< -o $@

$(GUEST)/tests/%-musl: tests/guest/%.c tests/tests.mk $(MUSL)/.fetched
	@mkdir -p $(@D) $(GUEST)/deps
	@echo "  GUEST   $(ARCH) $*-musl"
	$(Q)$(GUEST_CC) $(GUEST_CFLAGS) $(MUSL_CFLAGS) -MF $(GUEST)/deps/$*-musl.d $(MUSL_START) $< $(MUSL_END) -o $@

$(GUEST)/tests/%-pie: tests/guest/%.c tests/tests.mk
	@mkdir -p $(@D) $(GUEST)/deps
	@echo "  GUEST   $(ARCH) $*-pie"
	$(Q)$(GUEST_CC) $(GUEST_CFLAGS) -MF $(GUEST)/deps/$*-pie.d -static-pie -fPIE $< -o $@

$(GUEST)/init: user/init.c tests/tests.mk
	@mkdir -p $(@D) $(GUEST)/deps
	@echo "  GUEST   $(ARCH) init"
	$(Q)$(GUEST_CC) $(GUEST_CFLAGS) -MF $(GUEST)/deps/init.d -static $< -o $@

-include $(wildcard $(GUEST)/deps/*.d)

$(GUEST)/data/list: tests/guest/make-data
	@mkdir -p $(@D)
	$(Q)tests/guest/make-data $(ARCH) $(@D) && touch $@

# Programs whose source is gone must not stay in the archive.
$(GUEST)/initramfs.cpio: $(GUEST)/init $(GUEST_TESTS:%=$(GUEST)/tests/%) $(GUEST)/data/list \
			 tools/mkinitramfs tests/guest/make-initramfs
	@echo "  CPIO    $@"
	$(Q)rm -f $(filter-out $(GUEST_TESTS:%=$(GUEST)/tests/%),$(wildcard $(GUEST)/tests/*))
	$(Q)tests/guest/make-initramfs $(GUEST) $(GUEST)/data/elf/other_machine

# A machine description that promises one CPU more than there is.
$(GUEST)/two-cpus.dtb: tools/trim-dtb
	@mkdir -p $(@D)
	$(Q)qemu-system-aarch64 -M virt,dumpdtb=$@ -cpu cortex-a72 -smp 2 -m 256M > /dev/null 2>&1
	$(Q)tools/trim-dtb $@

.PHONY: guest-programs test identical oracle fresh-test run-tests lint bench-boot bench-idle
guest-programs: $(GUEST)/initramfs.cpio $(if $(filter aarch64,$(ARCH)),$(GUEST)/two-cpus.dtb)

# --- running ---------------------------------------------------------------------------------------
RUN ?=
run-tests: kernel guest-programs
	tools/run-qemu --arch $(ARCH) --kernel $(if $(filter aarch64,$(ARCH)),$(IMAGE),$(ELF)) \
		--initrd $(GUEST)/initramfs.cpio $(RUN)

# One make per architecture and variant, each with its own output directory.
SUBMAKE = $(MAKE) --no-print-directory BUILD=$(BUILD) V=$(V)
test-programs-%:
	+$(Q)$(SUBMAKE) ARCH=$* guest-programs shell-image
test-kernels-%:
	+$(Q)$(SUBMAKE) ARCH=$* DEBUG=0 kernel
	+$(Q)$(SUBMAKE) ARCH=$* DEBUG=1 kernel

comma := ,
empty :=
TEST_SMP := $(or $(SMP),1$(comma)4)
list  = $(subst $(empty) $(empty),$(comma),$(strip $(1)))

test-media-%: test-kernels-% test-programs-%
	+$(Q)$(SUBMAKE) ARCH=$* iso $(if $(filter aarch64,$*),$(BUILD)/packages/u-boot-aarch64/.fetched $(DTB_raspi3b))

# A second UEFI firmware.
$(BUILD)/packages/u-boot-aarch64/.fetched:
	@echo "  FETCH   u-boot-qemu"
	$(Q)tools/fetch-packages --only usr/lib/u-boot/qemu_arm64 arm64 $(@D) u-boot-qemu && touch $@

test: host-tests $(TEST_ARCHS:%=test-kernels-%) $(TEST_ARCHS:%=test-programs-%) $(TEST_ARCHS:%=test-media-%)
	$(TEST_RUN) --arch $(call list,$(TEST_ARCHS)) --smp $(TEST_SMP) --debug-smp 4

LINUX_x86_64  := amd64 cloud-amd64
LINUX_aarch64 := arm64 arm64
linux-%:
	$(Q)tools/fetch-packages --newest --only boot $(firstword $(LINUX_$*)) $(BUILD)/packages/linux-$* \
		'linux-image-6\.12\.[0-9]+\+deb12-$(lastword $(LINUX_$*))(-unsigned)?' > /dev/null

oracle: $(TEST_ARCHS:%=linux-%) $(TEST_ARCHS:%=test-programs-%)
	$(TEST_RUN) --kernel linux --arch $(call list,$(TEST_ARCHS)) --smp $(TEST_SMP)

# Built a second time, elsewhere, nothing may differ.
IDENTICAL_x86_64  := quire.elf quire.iso
IDENTICAL_aarch64 := quire.elf Image kernel8.img quire.iso
identical: $(TEST_ARCHS:%=identical-%)
	@echo "$(words $(foreach a,$(TEST_ARCHS),$(IDENTICAL_$a))) passed, 0 failed"
identical-%:
	+$(Q)$(SUBMAKE) ARCH=$* kernel iso
	$(Q)rm -rf $(BUILD)/again/$* $(BUILD)/again/shell-$*
	$(Q)mkdir -p $(BUILD)/again $(BUILD)/packages
	$(Q)ln -sfn $(abspath $(BUILD)/packages) $(BUILD)/again/packages
	+$(Q)$(SUBMAKE) ARCH=$* BUILD=$(BUILD)/again kernel iso > /dev/null
	$(Q)for f in $(IDENTICAL_$*); do cmp $(BUILD)/$*/$$f $(BUILD)/again/$*/$$f || exit 1; done

fresh-test:
	$(Q)tools/ensure-packages fresh
	tests/fresh --dir $(BUILD)/fresh

# --- lint ------------------------------------------------------------------------------------------
# Each part can be called alone. None may have a finding.
.PHONY: lint-format lint-includes lint-size lint-headers lint-analyzer lint-cppcheck lint-tidy lint-python
lint: lint-format lint-includes lint-size lint-python lint-headers lint-builds lint-cppcheck lint-tidy
	@echo "lint: no findings"

C_FILES = $(shell git ls-files '*.c' '*.h')
lint-format:
	@echo "  LINT    formatting"
	$(Q)clang-format-14 --dry-run -Werror $(C_FILES)
lint-includes:
	@echo "  LINT    includes"
	$(Q)tools/check-includes
lint-size:
	@echo "  LINT    sizes"
	$(Q)tools/check-size -v
lint-python:
	@echo "  LINT    scripts"
	$(Q)python3 -B -c 'import ast, sys; [ast.parse(open(f).read(), f) for f in sys.argv[1:]]' \
		$(shell git grep -lE '^#!/usr/bin/env python3' -- tools tests) $(wildcard tests/lib/*.py)

# Every header stands alone, on both architectures; those of assembler macros are not C.
HEADERS = $(shell grep -L '^\.macro' $(foreach d,$(DIRS) include/quire include/uapi \
	  arch/$(ARCH)/include/arch,$(wildcard $(d)/*.h)))
$(O)/headers/%.ok: % $(O)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -Wno-unused -fsyntax-only -include $< -x c /dev/null && touch $@
.PHONY: here-headers here-analyzer here-cppcheck here-tidy
here-headers: $(HEADERS:%=$(O)/headers/%.ok)

# The analyser of gcc, over the objects' own flags.
$(O)/analyzer/%.ok: % $(O)/flags
	@mkdir -p $(@D)
	@echo "  ANALYZE $<"
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(ANALYZER_FLAGS) -c $< -o /dev/null && touch $@
# Two of its checks do not see that a bit in a map says a list is not empty, or that a function without
# error has stored its result; clang-tidy looks for the same and does.
# And one is against the boot code that takes instructions out of the kernel's own text.
ANALYZER_FLAGS := -fanalyzer -Wno-analyzer-write-to-const -Wno-analyzer-null-dereference -Wno-analyzer-use-of-uninitialized-value
here-analyzer: $(patsubst %,$(O)/analyzer/%.ok,$(filter %.c,$(SRCS)))

lint-headers: $(TEST_ARCHS:%=lint-headers-%)
lint-headers-%:
	@echo "  LINT    headers, $*"
	+$(Q)$(SUBMAKE) ARCH=$* here-headers
lint-analyzer-%:
	+$(Q)$(SUBMAKE) ARCH=$* here-analyzer
lint-clang-%:
	+$(Q)$(SUBMAKE) ARCH=$* LLVM=1 DEBUG=0 kernel
	+$(Q)$(SUBMAKE) ARCH=$* LLVM=1 DEBUG=1 kernel
lint-analyzer: $(TEST_ARCHS:%=lint-analyzer-%)
lint-builds: $(TEST_ARCHS:%=lint-clang-%) lint-analyzer

CPPCHECK_FLAGS := --quiet --error-exitcode=1 --inline-suppr --std=c11 --enable=warning,portability \
	--suppressions-list=tools/cppcheck-suppressions --template='{file}:{line}: {severity}: {message} [{id}]'
lint-cppcheck: $(TEST_ARCHS:%=lint-cppcheck-%)
lint-cppcheck-%:
	@echo "  LINT    cppcheck, $*"
	+$(Q)$(SUBMAKE) ARCH=$* here-cppcheck
here-cppcheck:
	$(Q)cppcheck $(CPPCHECK_FLAGS) -D__$(ARCH)__ -D__LP64__ $(INCLUDES) $(filter %.c,$(SRCS))

lint-tidy: $(TEST_ARCHS:%=lint-tidy-%)
lint-tidy-%:
	@echo "  LINT    clang-tidy, $*"
	+$(Q)$(SUBMAKE) ARCH=$* here-tidy
here-tidy: $(patsubst %,$(O)/tidy/%.ok,$(filter %.c,$(SRCS)))
$(O)/tidy/%.ok: % .clang-tidy $(O)/flags
	@mkdir -p $(@D)
	$(Q)clang-tidy-14 --quiet --warnings-as-errors='*' $< -- --target=$(ARCH)-linux-gnu \
		$(CPPFLAGS) $(filter-out -fno-delete-null-pointer-checks -mno-outline-atomics,$(CFLAGS)) \
		-Wno-unknown-warning-option -Wno-unused-command-line-argument -Wno-ignored-optimization-argument && touch $@

# --- editors ---------------------------------------------------------------------------------------
.PHONY: compile_commands.json
compile_commands.json:
	$(Q)tools/compile-commands $(CC) $(CPPFLAGS) $(CFLAGS) -- $(filter %.c,$(SRCS)) > $@
