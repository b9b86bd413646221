# Host tests: parts of the kernel, compiled for the build machine under the sanitizers, one program
# per area. Included by the top-level Makefile.
#
#   make host-tests              build all of them into $(BUILD)/host
#   make host-test               build and run them
#   make host-test HOSTCC=clang-14
#   HOST_TEST_SEED=7 build/host/test_radix [test name ..]
#
# To add a test: one line  $(eval $(call HOST_TEST,name,sources,flags,sanitizers))
#   sources     relative to the top; harness.c and shim.c come by themselves
#   flags       more compiler flags, for example -Iarch/x86_64/include (may be empty)
#   sanitizers  instead of address,undefined: for example thread (may be empty)
# Headers are looked for in tests/host/include first, so that a file arch/x.h there takes the place of
# an architecture's.

HOSTCC ?= gcc
HOST_O := $(BUILD)/host$(if $(findstring clang,$(HOSTCC)),-clang)

HOST_CFLAGS := -std=gnu11 -O1 -g -fno-omit-frame-pointer -fno-strict-aliasing -fno-common \
	       -U_FORTIFY_SOURCE -D_GNU_SOURCE -DQUIRE_DEBUG -DQUIRE_HOST $(WARN) \
	       -Itests/host/include -Iinclude -I.
HOST_SHARED := tests/host/harness.c tests/host/shim.c
HOST_TESTS  :=

define HOST_TEST
HOST_TESTS += $(HOST_O)/$(1)
host-tests: $(HOST_O)/$(1)
$(HOST_O)/obj/$(1)/%.o: %.c tests/host/host.mk
	@mkdir -p $$(@D)
	@echo "  HOSTCC  $(1): $$<"
	$$(Q)$$(HOSTCC) $$(HOST_CFLAGS) -fsanitize=$(or $(4),address$(comma)undefined) \
		-fno-sanitize-recover=all $(3) -MMD -MP -c $$< -o $$@
$(HOST_O)/$(1): $(patsubst %.c,$(HOST_O)/obj/$(1)/%.o,$(2) $(HOST_SHARED))
	@echo "  HOSTLD  $$@"
	$$(Q)$$(HOSTCC) -fsanitize=$(or $(4),address$(comma)undefined) -pthread $$^ -o $$@
-include $(patsubst %.c,$(HOST_O)/obj/$(1)/%.d,$(2) $(HOST_SHARED))
endef
comma := ,

# gcc says that its thread sanitizer does not follow fences; the tests use none to order plain data.
HOST_NO_TSAN_WARNING := $(if $(findstring clang,$(HOSTCC)),,-Wno-tsan)

$(eval $(call HOST_TEST,test_string,tests/host/test_string.c,-fno-builtin))
$(eval $(call HOST_TEST,test_printf,tests/host/test_printf.c,-fno-builtin))
$(eval $(call HOST_TEST,test_list_rbtree,tests/host/test_list_rbtree.c))
$(eval $(call HOST_TEST,test_bitmap,tests/host/test_bitmap.c lib/bitmap.c))
$(eval $(call HOST_TEST,test_sort,tests/host/test_sort.c lib/sort.c))
$(eval $(call HOST_TEST,test_concurrent,tests/host/test_concurrent.c lib/rbtree.c lib/radix.c,$(HOST_NO_TSAN_WARNING),thread))
$(eval $(call HOST_TEST,test_inflate,tests/host/test_inflate.c lib/inflate.c lib/crc32.c,-DFIXTURES='"$(abspath $(HOST_O))/fixtures"'))
$(eval $(call HOST_TEST,test_cpio,tests/host/test_cpio.c lib/cpio.c))
$(eval $(call HOST_TEST,test_radix,tests/host/test_radix.c lib/radix.c))

# The build machine's own copying functions, under the names of renamed_string.h.
HOST_STRING := $(HOST_O)/obj/string.S.o
$(HOST_STRING): arch/$(shell uname -m)/string.S tests/host/host.mk
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) -Dmemcpy=q_memcpy -Dmemmove=q_memmove -Dmemset=q_memset -c $< -o $@
$(HOST_O)/test_string $(HOST_O)/test_printf: $(HOST_STRING)

# mm/phys on simulated CPUs and memory (tests/host/sim.h); the release variants have the checks of
# debug builds compiled out.
SIM_SRCS  := tests/host/sim_cpu.c tests/host/sim_lock.c tests/host/sim_memory.c
PHYS_SRCS := $(filter-out mm/phys/vmalloc.c,$(wildcard mm/phys/*.c)) lib/bitmap.c lib/sort.c $(SIM_SRCS)
$(eval $(call HOST_TEST,test_early,tests/host/test_early.c $(PHYS_SRCS)))
$(eval $(call HOST_TEST,test_buddy,tests/host/test_buddy.c $(PHYS_SRCS)))
$(eval $(call HOST_TEST,test_buddy_release,tests/host/test_buddy.c $(PHYS_SRCS),-UQUIRE_DEBUG))
$(eval $(call HOST_TEST,test_slab,tests/host/test_slab.c $(PHYS_SRCS)))
$(eval $(call HOST_TEST,test_slab_release,tests/host/test_slab.c $(PHYS_SRCS),-UQUIRE_DEBUG))
$(eval $(call HOST_TEST,test_vmalloc,tests/host/test_vmalloc.c mm/phys/vmalloc.c lib/rbtree.c $(PHYS_SRCS)))
$(eval $(call HOST_TEST,test_phys_threads,tests/host/test_phys_threads.c $(PHYS_SRCS),$(HOST_NO_TSAN_WARNING),thread))

# Compressed files of every kind that zlib can write.
$(HOST_O)/test_inflate: | $(HOST_O)/fixtures/done
$(HOST_O)/fixtures/done: tests/host/make_fixtures.py
	@mkdir -p $(@D)
	$(Q)python3 $< $(@D) && touch $@

.PHONY: host-tests host-test
host-test: host-tests
	@failed=; for t in $(HOST_TESTS); do \
		out=$$($$t) || { failed="$$failed $$t"; echo "$$out" | grep -v '^ok '; }; \
		echo "  $$t: $$(echo "$$out" | grep -c '^ok ') passed"; \
	done; test -z "$$failed" || { echo "failed:$$failed"; exit 1; }

# boot/: parsers over an arena that stands for physical memory.
BOOT_TESTED := tests/host/boot_arena.c $(wildcard boot/*.c) lib/str.c
$(eval $(call HOST_TEST,test_memory_map,tests/host/test_memory_map.c $(BOOT_TESTED)))
$(eval $(call HOST_TEST,test_boot_acpi,tests/host/test_boot_acpi.c $(BOOT_TESTED)))
$(eval $(call HOST_TEST,test_boot_pvh,tests/host/test_boot_pvh.c $(BOOT_TESTED)))
$(eval $(call HOST_TEST,test_boot_mb2,tests/host/test_boot_mb2.c $(BOOT_TESTED)))
$(eval $(call HOST_TEST,test_efi,tests/host/test_efi.c $(wildcard boot/efi/*.c) $(BOOT_TESTED)))
$(eval $(call HOST_TEST,test_boot_fdt,tests/host/test_boot_fdt.c $(BOOT_TESTED)))

SCREEN_SRCS := drivers/fbcon.c drivers/font_8x16.c drivers/keyboard.c drivers/screen.c drivers/screen_escape.c
$(eval $(call HOST_TEST,test_screen,tests/host/test_screen.c $(SCREEN_SRCS) tests/host/sim_cpu.c tests/host/sim_lock.c))

# Page tables with the real codec of each architecture, on a simulated MMU.
PT_SRCS := $(filter-out mm/pt/kernel.c,$(wildcard mm/pt/*.c)) tests/host/sim_mmu.c $(PHYS_SRCS)
define PT_TEST
$(eval $(call HOST_TEST,$(1)_$(3),$(2) $(PT_SRCS),-Iarch/$(3)/include $(4),$(5)))
endef
$(foreach a,x86_64 aarch64,$(eval $(call PT_TEST,test_pt_codec,tests/host/test_pt_codec.c,$(a))))
$(foreach a,x86_64 aarch64,$(eval $(call PT_TEST,test_pt_cursor,tests/host/test_pt_cursor.c,$(a))))
$(eval $(call PT_TEST,test_pt_threads,tests/host/test_pt_threads.c,aarch64,$(HOST_NO_TSAN_WARNING),thread))

# The scheduler, timers and RCU in simulated time (tests/host/sim_sched.h).
CORE_SRCS := kernel/sched.c kernel/sched_attr.c kernel/sched_balance.c kernel/timer.c kernel/time.c kernel/rcu.c lib/rbtree.c \
	     tests/host/sim_sched.c tests/host/sim_cpu.c tests/host/sim_lock.c
$(eval $(call HOST_TEST,test_sched,tests/host/test_sched.c $(CORE_SRCS)))
$(eval $(call HOST_TEST,test_timer,tests/host/test_timer.c $(CORE_SRCS)))
$(eval $(call HOST_TEST,test_rcu,tests/host/test_rcu.c $(CORE_SRCS)))
$(eval $(call HOST_TEST,test_rcu_threads,tests/host/test_rcu.c $(CORE_SRCS),$(HOST_NO_TSAN_WARNING),thread))

$(eval $(call HOST_TEST,test_vma_tree,tests/host/test_vma_tree.c mm/vma/vma_tree.c lib/rbtree.c))

# Identifiers of address spaces: the part of arch/aarch64 that does not touch the hardware.
$(eval $(call HOST_TEST,test_asid,tests/host/test_asid.c arch/aarch64/asid.c tests/host/sim_cpu.c tests/host/sim_lock.c))
$(eval $(call HOST_TEST,test_asid_threads,tests/host/test_asid.c arch/aarch64/asid.c tests/host/sim_cpu.c tests/host/sim_lock.c,$(HOST_NO_TSAN_WARNING),thread))
SPACE_SRCS := $(wildcard mm/map/*.c mm/obj/*.c mm/vma/*.c) mm/fault/anon.c mm/fault/object.c mm/fault/present.c \
	      mm/fault/fault.c lib/rbtree.c lib/radix.c
SPACE_TESTS := tests/host/test_space.c tests/host/test_space_claims.c tests/host/sim_space.c
$(eval $(call PT_TEST,test_space,$(SPACE_TESTS) $(SPACE_SRCS),x86_64))
$(eval $(call PT_TEST,test_space,$(SPACE_TESTS) $(SPACE_SRCS),aarch64))
$(eval $(call HOST_TEST,test_space_threads,$(SPACE_TESTS) $(SPACE_SRCS) $(PT_SRCS),-Iarch/x86_64/include $(HOST_NO_TSAN_WARNING),thread))

# Processes: what can be tried without one.
$(eval $(call HOST_TEST,test_elf,tests/host/test_elf.c kernel/elf.c,-Iarch/x86_64/include))
$(eval $(call HOST_TEST,test_random,tests/host/test_random.c,-Iarch/x86_64/include))
