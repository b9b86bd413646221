# Linux's own tests; included by the top-level Makefile.
#
#   make kselftest       the rows of tests/kselftest/rows.py, judged by what passes on Linux 6.12 (ARCH=, ROWS=a,b)
#   make kselftest KERNEL=linux UPDATE=1   on Linux: writes tests/kselftest/expected
#
# They are built from Debian's package linux-source-6.12, which is fetched; nothing of it enters this tree.

KSFT_SOURCE := $(BUILD)/packages/linux-source
KSFT_LIBCAP := $(BUILD)/packages/libcap-$(ARCH)
KSFT_IMAGE  := $(BUILD)/kselftest/$(ARCH)/initramfs.cpio

$(KSFT_SOURCE)/.fetched:
	@echo "  FETCH   linux-source-6.12"
	$(Q)tools/fetch-packages amd64 $(KSFT_SOURCE) linux-source-6.12 && touch $@

$(KSFT_LIBCAP)/.fetched:
	@echo "  FETCH   libcap-dev for $(ARCH)"
	$(Q)tools/fetch-packages $(DEBIAN_ARCH_$(ARCH)) $(KSFT_LIBCAP) libcap-dev && touch $@

$(KSFT_IMAGE): $(addprefix tests/kselftest/,build init.c rows.py) tools/mkinitramfs $(BUSYBOX)/.fetched \
	       $(KSFT_LIBCAP)/.fetched $(KSFT_SOURCE)/.fetched
	$(Q)tests/kselftest/build --packages $(BUILD)/packages --arch $(ARCH) --out $(@D)

.PHONY: kselftest kselftest-image
kselftest-image: $(KSFT_IMAGE)
kselftest-prepare-%:
	+$(Q)$(SUBMAKE) ARCH=$* kselftest-image $(if $(filter linux,$(KERNEL)),linux-$*,kernel)

kselftest:
	+$(Q)for arch in $(ASKED_ARCHS); do $(MAKE) --no-print-directory kselftest-prepare-$$arch || \
		{ echo "Linux's tests cannot be fetched or built"; echo "0 passed, 1 failed"; exit 1; }; done
	$(Q)tests/kselftest/run --build $(BUILD) --arch $(call list,$(ASKED_ARCHS)) $(if $(ROWS),--rows $(ROWS)) \
		$(if $(KERNEL),--kernel $(KERNEL)) $(if $(filter 1,$(UPDATE)),--update) $(if $(filter 1,$(DEBUG)),--debug)
