/* SPDX-License-Identifier: MIT */
/*
 * pvh.c - direct boot: QEMU's -kernel, and other x86 virtual machine monitors.
 *
 * The monitor finds our entry point in an ELF note, enters in 32-bit protected mode and leaves the
 * address of one structure, hvm_start_info, in EBX. The layout is Xen's public PVH boot ABI; all
 * fields are little-endian:
 *
 *      0 magic  4 version  8 flags  12 module count  16 module list  24 command line  32 RSDP
 *      40 memory map  48 map entries   (the last two since version 1)
 *      module, 32 bytes:     0 address  8 size  16 command line  24 reserved
 *      map entry, 24 bytes:  0 address  8 size  16 type (as in an E820 map)  20 reserved
 *
 * All of it lies in memory that the map itself calls usable, so everything is copied here.
 */
#include "boot/internal.h"
#include "kernel/printk.h"

#define PVH_MAGIC         0x336ec578
#define PVH_V0_SIZE       40
#define PVH_V1_SIZE       56
#define PVH_MODULE_SIZE   32
#define PVH_MAP_ENTRY     24
#define PVH_MAX_MAP_ENTRY 1024 /* real maps have a dozen; more is not a count but garbage */

static void read_module_list(paddr_t list, u32 count)
{
	const u8 *module;

	if (!count)
		return;
	module = boot_map(list, PVH_MODULE_SIZE);
	if (!module) {
		printk("pvh: module list at 0x%lx is out of reach\n", list);
		return;
	}
	boot_info.initrd = le64_at(module);
	boot_info.initrd_size = le64_at(module + 8);
	if (count > 1)
		printk("pvh: %u modules, all but the first ignored\n", count);
}

static void read_memory_map(paddr_t map, u32 entries)
{
	if (entries > PVH_MAX_MAP_ENTRY) {
		printk("pvh: %u memory map entries, all but %u ignored\n", entries,
		       PVH_MAX_MAP_ENTRY);
		entries = PVH_MAX_MAP_ENTRY;
	}
	for (u32 i = 0; i < entries; i++) {
		const u8 *e = boot_map(map + (u64)i * PVH_MAP_ENTRY, PVH_MAP_ENTRY);

		if (!e) {
			printk("pvh: memory map at 0x%lx ends out of reach after %u entries\n", map,
			       i);
			return;
		}
		boot_add_e820(le64_at(e), le64_at(e + 8), le32_at(e + 16));
	}
}

static void read_start_info(paddr_t start_info)
{
	const u8 *info = boot_map(start_info, PVH_V0_SIZE);

	if (!info || le32_at(info) != PVH_MAGIC) {
		printk("pvh: no start info at 0x%lx\n", start_info);
		return;
	}
	read_module_list(le64_at(info + 16), le32_at(info + 12));
	if (le64_at(info + 24))
		boot_load_cmdline(le64_at(info + 24));
	boot_info.rsdp = le64_at(info + 32);

	if (le32_at(info + 4) < 1 || !(info = boot_map(start_info, PVH_V1_SIZE))) {
		printk("pvh: start info without memory map\n");
		return;
	}
	read_memory_map(le64_at(info + 40), le32_at(info + 48));
}

/* boot_from_pvh - see boot_info.h. */
void boot_from_pvh(paddr_t start_info)
{
	boot_info.protocol = "pvh";
	read_start_info(start_info);
	boot_read_pc(boot_info.rsdp);
	boot_info_finish();
}
