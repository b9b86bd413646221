# Images that only tests boot from; included by the top-level Makefile.
#
#   make test-images     $(BUILD)/$(ARCH)/test.iso: GRUB waiting for commands, with sound and damaged archives to load

BAD_ARCHIVES := truncated.cpio corrupt.cpio.gz empty.cpio
$(O)/test.iso: $(ISO_DIR)/quire.elf $(ISO_DIR)/initramfs.cpio.gz $(GUEST)/initramfs.cpio tests/boot/grub.cfg tools/mkiso
	@echo "  ISO     $@"
	$(Q)tools/mkiso -o $@ --config tests/boot/grub.cfg --modules "multiboot2 all_video gzio" \
		$(ISO_DIR)/quire.elf=boot/quire.elf $(ISO_DIR)/initramfs.cpio.gz=boot/initramfs.cpio.gz \
		$(foreach f,$(BAD_ARCHIVES),$(GUEST)/$(f)=boot/$(f))

.PHONY: test-images
test-images: iso $(O)/test.iso

# After what the images are made of, since two makes must not build the same files at once.
test: test-images-x86_64
test-images-x86_64: test-media-x86_64
	+$(Q)$(SUBMAKE) ARCH=x86_64 test-images
