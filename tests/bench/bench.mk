# Figures; included by the top-level Makefile.
#
#   make bench           instructions per operation beside Linux's, both architectures (or ARCH=); ROWS=a,b
#   make bench PROFILE=row   where the instructions of one row go; KERNEL=linux: on Linux, CALLERS=f: who called f
#   make bench-boot      instructions from kernel entry to the first user instruction; BOOT=bios, uefi, microvm
#   make bench-idle      instructions that ten idle seconds cost
#
# For one architecture with ARCH=, else for both.

# Instructions counted by a QEMU plugin under icount: they repeat exactly.
$(BUILD)/plugin/%.so: tools/plugin/%.c
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) -O2 -fPIC -shared -fvisibility=hidden -Wall -Wextra -Werror $< -o $@

$(GUEST)/bench/idle: tests/bench/idle.c
	@mkdir -p $(@D)
	$(Q)$(GUEST_CC) -std=gnu11 -O1 -Wall -Wextra -Werror -static $< -o $@

$(GUEST)/bench/idle.cpio: $(GUEST)/bench/idle tools/mkinitramfs
	$(Q)tools/mkinitramfs -o $@ --init $<

bench-programs: $(GUEST)/bench/idle.cpio $(BUILD)/plugin/count.so
bench-boot-%:
	+$(Q)$(SUBMAKE) ARCH=$* DEBUG=0 kernel guest-programs bench-programs $(if $(filter bios uefi,$(BOOT)),iso)
	tests/bench/run --build $(BUILD) --arch $* --boot $(BOOT) boot
bench-idle-%:
	+$(Q)$(SUBMAKE) ARCH=$* DEBUG=0 kernel guest-programs bench-programs
	tests/bench/run --build $(BUILD) --arch $* idle
bench-boot: $(TEST_ARCHS:%=bench-boot-%)
bench-idle: $(TEST_ARCHS:%=bench-idle-%)

# The benchmark: the same initramfs on Linux and on Quire. tests/bench/compare says how it counts.
BENCH := $(GUEST)/bench
BENCH_CFLAGS := -std=gnu11 -O2 -Wall -Wextra -Werror -pthread -static
BENCH_SRCS := tests/bench/bench.c $(sort $(wildcard tests/bench/rows_*.c))

$(BENCH)/bench: $(BENCH_SRCS) tests/bench/bench.h tests/bench/bench.mk
	@mkdir -p $(@D)
	@echo "  GUEST   $(ARCH) bench"
	$(Q)$(GUEST_CC) $(BENCH_CFLAGS) $(BENCH_SRCS) -o $@

# Its addresses must not be those of the benchmark, in which a profile looks for the marks.
$(BENCH)/tiny: tests/bench/tiny.c tests/bench/bench.mk
	@mkdir -p $(@D)
	$(Q)$(GUEST_CC) -O2 -Wall -Wextra -Werror -s -static -nostdlib -ffreestanding -fno-stack-protector \
		-Wl,--build-id=none,-Ttext-segment=0x10000000 $< -o $@

$(BENCH)/kallsyms: tests/bench/kallsyms.c tests/bench/bench.mk
	@mkdir -p $(@D)
	$(Q)$(GUEST_CC) $(BENCH_CFLAGS) -s $< -o $@

$(BENCH)/bench.cpio: $(BENCH)/bench $(BENCH)/tiny $(BENCH)/kallsyms tools/mkinitramfs
	$(Q)tools/mkinitramfs -o $@ --init $(BENCH)/bench --data $(BENCH)/tiny=bench/tiny \
		--data $(BENCH)/kallsyms=bench/kallsyms

.PHONY: bench
BENCH_RUN    = tests/bench/compare --build $(BUILD) --arch $* $(if $(ROWS),--rows $(ROWS)) \
	       $(if $(KERNEL),--kernel $(KERNEL)) $(if $(PROFILE),--profile $(PROFILE)) $(if $(CALLERS),--callers $(CALLERS)) $(if $(filter 1,$(FRESH)),--fresh)
bench-row-programs: $(BENCH)/bench.cpio $(BUILD)/plugin/profile.so
bench-rows-%: linux-%
	+$(Q)$(SUBMAKE) ARCH=$* DEBUG=0 kernel bench-row-programs
	$(Q)$(BENCH_RUN)
# One after the other: two emulators run for each.
bench:
	+$(Q)status=0; for arch in $(ASKED_ARCHS); do \
		$(MAKE) --no-print-directory bench-rows-$$arch || status=1; done; exit $$status
