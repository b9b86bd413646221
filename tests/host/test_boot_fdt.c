/* SPDX-License-Identifier: MIT */
/* test_boot_fdt.c - device trees as boards have them, and as no board should. */
#include "tests/host/boot_arena.h"

#include <stdarg.h>
#include <unistd.h>

#include "boot/fdt.h"
#include "boot/internal.h"
#include <uapi/errno.h>

#define BLOB 0x48000000

/* A writer of flattened trees: tokens and strings grow apart and are joined by tree_finish. */
static u8 tokens[65536], reservations[4096];
static char strings[8192];
static u32 nr_tokens, nr_strings, nr_reservations, blob_size;
static bool tokens_last; /* which block ends where memory ends */

static void put_be32(u8 *p, u32 v)
{
	p[0] = (u8)(v >> 24);
	p[1] = (u8)(v >> 16);
	p[2] = (u8)(v >> 8);
	p[3] = (u8)v;
}

static void token(u32 v)
{
	put_be32(tokens + nr_tokens, v);
	nr_tokens += 4;
}

static void bytes(const void *data, u32 len)
{
	memset(tokens + nr_tokens, 0, len + 4);
	memcpy(tokens + nr_tokens, data, len);
	nr_tokens += ALIGN_UP(len, 4u);
}

static u32 string_offset(const char *s)
{
	for (u32 at = 0; at < nr_strings; at += (u32)strlen(strings + at) + 1) {
		if (!strcmp(strings + at, s))
			return at;
	}
	strcpy(strings + nr_strings, s);
	nr_strings += (u32)strlen(s) + 1;
	return nr_strings - (u32)strlen(s) - 1;
}

static void node(const char *name)
{
	token(1);
	bytes(name, (u32)strlen(name) + 1);
}

static void end(void)
{
	token(2);
}

static void prop(const char *name, const void *data, u32 len)
{
	token(3);
	token(len);
	token(string_offset(name));
	bytes(data, len);
}

static void prop_text(const char *name, const char *text)
{
	prop(name, text, (u32)strlen(text) + 1);
}

static void prop_cells(const char *name, u32 n, ...)
{
	u8 data[256];
	va_list args;

	va_start(args, n);
	for (u32 i = 0; i < n; i++)
		put_be32(data + i * 4, va_arg(args, u32));
	va_end(args);
	prop(name, data, n * 4);
}

static void reserve(u64 base, u64 size)
{
	u8 *p = reservations + nr_reservations++ * 16;

	put_be32(p, (u32)(base >> 32));
	put_be32(p + 4, (u32)base);
	put_be32(p + 8, (u32)(size >> 32));
	put_be32(p + 12, (u32)size);
}

static void tree_begin(void)
{
	nr_tokens = nr_strings = nr_reservations = 0;
	tokens_last = false;
	memset(strings, 0, sizeof(strings));
	node("");
}

/* Closes the root and lays the blob into the arena, in a region of exactly its size. */
static u8 *tree_finish(void)
{
	u32 header[10] = {0xd00dfeed, 0, 0, 0, 40, 17, 16, 0, 0, 0};
	u8 *blob;

	end();
	token(9);
	reserve(0, 0);
	header[8] = tokens_last ? ALIGN_UP(nr_strings, 4u) : nr_strings;
	header[9] = nr_tokens;
	header[2] = 40 + nr_reservations * 16 + (tokens_last ? header[8] : 0);
	header[3] = 40 + nr_reservations * 16 + (tokens_last ? 0 : nr_tokens);
	header[1] = blob_size = 40 + nr_reservations * 16 + nr_tokens + header[8];
	blob = arena_add(BLOB, blob_size);
	for (unsigned i = 0; i < 10; i++)
		put_be32(blob + i * 4, header[i]);
	memcpy(blob + 40, reservations, nr_reservations * 16);
	memcpy(blob + header[2], tokens, nr_tokens);
	memcpy(blob + header[3], strings, nr_strings);
	return blob;
}

static void add_cpu(u32 aff, const char *method)
{
	char name[32];

	snprintf(name, sizeof(name), "cpu@%x", aff);
	node(name);
	prop_text("device_type", "cpu");
	prop_cells("reg", 1, aff);
	if (method)
		prop_text("enable-method", method);
	end();
}

static void add_gic(unsigned version)
{
	node("intc@8000000");
	prop_cells("phandle", 1, 0x8002);
	prop_cells("#interrupt-cells", 1, 3);
	prop("interrupt-controller", "", 0);
	prop_text("compatible", version == 3 ? "arm,gic-v3" : "arm,cortex-a15-gic");
	if (version == 3)
		prop_cells("#redistributor-regions", 1, 2);
	prop_cells("reg", version == 3 ? 12 : 8, 0, 0x8000000, 0, 0x10000, 0, 0x80a0000, 0,
		   0xf60000, 0x40, 0x1000, 0, 0x20000);
	end();
}

static void virt_head(void)
{
	tree_begin();
	prop_cells("#address-cells", 1, 2);
	prop_cells("#size-cells", 1, 2);
	prop_cells("interrupt-parent", 1, 0x8002);
	reserve(0x47000000, 0x1000);
	node("chosen");
	prop_text("stdout-path", "serial0:9600n8");
	prop_text("bootargs", "init=/init quiet");
	prop("rng-seed", "0123456789abcdef0123456789abcdef", 32);
	prop_cells("linux,initrd-start", 2, 0, 0x44000000);
	prop_cells("linux,initrd-end", 1, 0x44001234);
	end();
	node("aliases");
	prop_text("serial0", "/soc/uart@9000000");
	end();
}

/* Much like QEMU's virt with 256 MiB, plus what other boards have. */
static void virt_tree(unsigned gic)
{
	virt_head();
	node("memory@40000000");
	prop_text("device_type", "memory");
	prop_cells("reg", 8, 0, 0x40000000, 0, 0x10000000, 8, 0, 0, 0x40000000);
	end();
	node("reserved-memory");
	prop_cells("#address-cells", 1, 2);
	prop_cells("#size-cells", 1, 2);
	prop("ranges", "", 0);
	node("firmware@4f000000");
	prop_cells("reg", 4, 0, 0x4f000000, 0, 0x100000);
	prop("no-map", "", 0);
	end();
	node("log@46000000");
	prop_cells("reg", 4, 0, 0x46000000, 0, 0x2000);
	end();
	end();
	node("psci");
	prop("compatible", "arm,psci-1.0\0arm,psci-0.2", 26);
	prop_text("method", "hvc");
	end();
	add_gic(gic);
	node("timer");
	prop("compatible", "arm,armv8-timer\0arm,armv7-timer", 32);
	prop_cells("interrupts", 12, 1, 13, 0x104, 1, 14, 0x104, 1, 11, 0x104, 1, 10, 0x104);
	end();
	node("soc");
	prop_cells("#address-cells", 1, 1);
	prop_cells("#size-cells", 1, 1);
	prop_cells("ranges", 4, 0x9000000, 0, 0x19000000, 0x10000);
	node("uart@9000000");
	prop("compatible", "arm,pl011\0arm,primecell", 24);
	prop_cells("reg", 2, 0x9000000, 0x1000);
	prop_cells("interrupts", 3, 0, 1, 4);
	end();
	end();
	node("pcie@10000000");
	prop_text("compatible", "pci-host-ecam-generic");
	prop_cells("reg", 4, 0x40, 0x10000000, 0, 0x10000000);
	prop_cells("bus-range", 2, 0, 255);
	prop_cells("#address-cells", 1, 3);
	prop_cells("#size-cells", 1, 2);
	end();
	node("cpus");
	prop_cells("#address-cells", 1, 1);
	prop_cells("#size-cells", 1, 0);
	add_cpu(0, NULL);
	add_cpu(1, "psci");
	add_cpu(0x100, "psci");
	add_cpu(0x101, "by-magic");
	end();
}

static void expect_virt(unsigned gic)
{
	EXPECT_STREQ(boot_info.cmdline, "init=/init quiet");
	EXPECT_EQ(boot_info.initrd, 0x44000000);
	EXPECT_EQ(boot_info.initrd_size, 0x1234);
	EXPECT_EQ(boot_info.rng_seed_len, 32);
	EXPECT(!memcmp(boot_info.rng_seed, "0123456789", 10));
	ASSERT_EQ(boot_info.nr_ram, 3);
	EXPECT_EQ(boot_info.ram[0].size, 0xf000000);
	EXPECT_EQ(boot_info.ram[1].base, 0x4f100000);
	EXPECT_EQ(boot_info.ram[2].base, 0x800000000);
	ASSERT_EQ(boot_info.nr_reserved, 4); /* kernel, initramfs, log, memreserve */
	EXPECT_EQ(boot_info.reserved[2].base, 0x46000000);
	EXPECT_EQ(boot_info.reserved[3].base, 0x47000000);
	ASSERT_EQ(boot_info.nr_cpus, 3);
	EXPECT_EQ(boot_info.cpus[2].hw_id, 0x100);
	EXPECT(arena_said("cpu@101: no known way to start it"));
	EXPECT_EQ(boot_info.arm.psci, BOOT_PSCI_HVC);
	EXPECT_EQ(boot_info.arm.gic_version, gic);
	EXPECT_EQ(boot_info.arm.gicd, 0x8000000);
	if (gic == 2) {
		EXPECT_EQ(boot_info.arm.gicc, 0x80a0000);
	} else {
		ASSERT_EQ(boot_info.arm.nr_gicr, 2);
		EXPECT_EQ(boot_info.arm.gicr[1].base, 0x4000001000);
	}
	EXPECT_EQ(boot_info.arm.timer_phys_intid, 30);
	EXPECT_EQ(boot_info.arm.timer_virt_intid, 27);
	EXPECT_EQ(boot_info.console.kind, BOOT_UART_PL011);
	EXPECT_EQ(boot_info.console.base, 0x19000000); /* through the bus's ranges */
	EXPECT_EQ(boot_info.console.irq, 33);
	EXPECT_EQ(boot_info.console.baud, 9600);
	ASSERT_EQ(boot_info.nr_pci, 1);
	EXPECT_EQ(boot_info.pci[0].ecam, 0x4010000000);
	EXPECT_EQ(boot_info.pci[0].bus_last, 255);
}

TEST(virt_with_gicv2_and_gicv3_is_read)
{
	for (unsigned gic = 2; gic <= 3; gic++) {
		arena_reset();
		virt_tree(gic);
		tree_finish();
		ASSERT(!arena_panics(boot_from_fdt, BLOB));
		arena_check();
		expect_virt(gic);
	}
}

/* Like a Raspberry Pi 3: two cells of address at no level, a bus with its own addresses, a spin table,
 * interrupt controllers that are no GIC, a mini UART on a page it shares. */
static void raspi_device(u32 phandle, const char *compatible, u32 address)
{
	node(compatible);
	prop_cells("phandle", 1, phandle);
	prop_cells("#interrupt-cells", 1, 2);
	prop_text("compatible", compatible);
	prop_cells("reg", 2, address, 0x100);
	end();
}

static void raspi_tree(const char *uart_status)
{
	tree_begin();
	prop_cells("#address-cells", 1, 1);
	prop_cells("#size-cells", 1, 1);
	prop_cells("interrupt-parent", 1, 1);
	reserve(0, 0x1000);
	node("memory");
	prop_text("device_type", "memory");
	prop_cells("reg", 2, 0, 0x3c000000);
	end();
	node("soc");
	prop_cells("#address-cells", 1, 1);
	prop_cells("#size-cells", 1, 1);
	prop_cells("ranges", 6, 0x40000000, 0x40000000, 0x1000, 0x7e000000, 0x3f000000, 0x1000000);
	raspi_device(1, "brcm,bcm2836-armctrl-ic", 0x7e00b200);
	raspi_device(2, "brcm,bcm2836-l1-intc", 0x40000000);
	raspi_device(3, "brcm,bcm2835-pm-wdt", 0x7e100000);
	raspi_device(4, "brcm,bcm2835-mbox", 0x7e00b880);
	node("serial@7e201000");
	prop_text("compatible", "arm,pl011");
	prop_cells("reg", 2, 0x7e201000, 0x200);
	prop_cells("interrupts", 2, 2, 25);
	prop_text("status", uart_status);
	end();
	node("serial@7e215040");
	prop_text("compatible", "brcm,bcm2835-aux-uart");
	prop_cells("reg", 2, 0x7e215040, 0x40);
	prop_cells("interrupts", 2, 1, 29);
	end();
	end();
	node("timer");
	prop_text("compatible", "arm,armv7-timer");
	prop_cells("interrupt-parent", 1, 2);
	prop_cells("interrupts", 8, 0, 4, 1, 4, 3, 4, 2, 4);
	end();
	node("cpus");
	prop_cells("#address-cells", 1, 1);
	prop_cells("#size-cells", 1, 0);
	for (u32 i = 0; i < 4; i++) {
		node("cpu");
		prop_text("device_type", "cpu");
		prop_cells("reg", 1, i);
		prop_text("enable-method", "spin-table");
		prop_cells("cpu-release-addr", 2, 0, 0xd8 + 8 * i);
		end();
	}
	end();
	tree_finish();
}

TEST(raspberry_pi_is_read)
{
	arena_reset();
	raspi_tree("okay");
	ASSERT(!arena_panics(boot_from_fdt, BLOB));
	arena_check();
	ASSERT_EQ(boot_info.nr_cpus, 4);
	EXPECT_EQ(boot_info.cpus[3].release, 0xf0);
	EXPECT_EQ(boot_info.arm.gic_version, 0);
	EXPECT_EQ(boot_info.console.base, 0x3f201000);
	EXPECT_EQ(boot_info.console.irq, 32 + 32 + 25);
	EXPECT_EQ(boot_info.console.baud, 0);
	EXPECT_EQ(boot_info.reserved[0].size, 0x1000);
	EXPECT_EQ(boot_info.arm.bcm_local, 0x40000000);
	EXPECT_EQ(boot_info.arm.bcm_devices, 0x3f00b200);
	EXPECT_EQ(boot_info.arm.bcm_power, 0x3f100000);
	EXPECT_EQ(boot_info.arm.bcm_mailbox, 0x3f00b880);
	EXPECT_EQ(boot_info.arm.timer_phys_intid, 16 + 1);
	EXPECT_EQ(boot_info.arm.timer_virt_intid, 16 + 3);
}

TEST(disabled_devices_are_passed_over)
{
	arena_reset();
	raspi_tree("disabled");
	ASSERT(!arena_panics(boot_from_fdt, BLOB));
	EXPECT_EQ(boot_info.console.kind, BOOT_UART_16550_MMIO);
	EXPECT_EQ(boot_info.console.base, 0x3f215040);
	EXPECT_EQ(boot_info.console.reg_shift, 2);
	EXPECT_EQ(boot_info.console.reg_width, 4);
}

/* The trees that the emulator itself makes; skipped where it is not installed. */
TEST(trees_made_by_qemu_are_read)
{
	static const char *const machines[] = {"virt,gic-version=2", "virt,gic-version=3",
					       "virt,virtualization=on,secure=on"};

	for (unsigned i = 0; i < ARRAY_SIZE(machines); i++) {
		char file[] = "/tmp/quire-fdt-XXXXXX", command[256];
		static u8 blob[MIB(2)];
		size_t size;
		FILE *f;
		int fd = mkstemp(file);

		ASSERT(fd >= 0);
		close(fd);
		snprintf(command, sizeof(command),
			 "timeout 20 qemu-system-aarch64 -M %s,dumpdtb=%s -cpu cortex-a53 -smp 4 "
			 "-m 3072 -display none >/dev/null 2>&1",
			 machines[i], file);
		if (system(command))
			note("qemu-system-aarch64 is not usable here");
		f = fopen(file, "rb");
		ASSERT(f);
		size = fread(blob, 1, sizeof(blob), f);
		fclose(f);
		unlink(file);
		if (!size)
			continue;
		arena_reset();
		memcpy(arena_add(BLOB, size), blob, size);
		ASSERT(!arena_panics(boot_from_fdt, BLOB));
		arena_check();
		EXPECT_EQ(boot_info.nr_cpus, 4);
		ASSERT_EQ(boot_info.nr_ram, 1);
		EXPECT_EQ(boot_info.ram[0].base, 0x40000000);
		EXPECT_EQ(boot_info.ram[0].size, GIB(3));
		EXPECT_EQ(boot_info.arm.gic_version, i == 1 ? 3 : 2);
		EXPECT_EQ(boot_info.arm.psci, i == 2 ? BOOT_PSCI_NONE : BOOT_PSCI_HVC);
		EXPECT_EQ(boot_info.arm.timer_virt_intid, 27);
		EXPECT_EQ(boot_info.console.base, 0x9000000);
		EXPECT_EQ(boot_info.console.irq, 33);
		EXPECT_EQ(boot_info.nr_pci, 1);
	}
}

static struct fdt tree;

static void open_simple(void)
{
	u8 *blob;

	arena_reset();
	tree_begin();
	prop_cells("#address-cells", 1, 2);
	node("a@1");
	prop_text("status", "disabled");
	node("b");
	prop("list", "one\0two\0three", 14);
	prop("ragged", "xy", 2);
	end();
	end();
	token(4);
	node("a@2");
	node("b@7");
	token(4);
	prop_text("name", "second");
	prop_cells("phandle", 1, 9);
	end();
	end();
	node("ab");
	end();
	blob = tree_finish();
	ASSERT_EQ(fdt_open(&tree, blob, blob_size), 0);
}

static const char *find(const char *path)
{
	struct fdt_walk w;

	return fdt_walk_to(&w, &tree, path) ? fdt_name(&tree, fdt_node(&w)) : "(none)";
}

TEST(paths_lead_to_nodes)
{
	open_simple();
	EXPECT_STREQ(find("/"), "");
	EXPECT_STREQ(find("/a"), "a@1");
	EXPECT_STREQ(find("/a@2"), "a@2");
	EXPECT_STREQ(find("/a@2/b"), "b@7");
	EXPECT_STREQ(find("//a@2//b@7/"), "b@7");
	EXPECT_STREQ(find("/a@1/b"), "b");
	EXPECT_STREQ(find("/ab"), "ab");
	EXPECT_STREQ(find("/a@1/b@7"), "(none)");
	EXPECT_STREQ(find("/b"), "(none)");
	EXPECT_STREQ(find("/a@2/b/c"), "(none)");
	EXPECT_STREQ(find("/abc"), "(none)");
	EXPECT_STREQ(find("/a@"), "(none)");
}

TEST(properties_are_read_with_their_lengths)
{
	struct fdt_walk w;
	u32 len, n;
	u64 number;

	open_simple();
	ASSERT(fdt_walk_to(&w, &tree, "/a@1/b"));
	EXPECT(!fdt_walk_enabled(&w));
	EXPECT_EQ(fdt_string_index(&tree, fdt_node(&w), "list", "three"), 2);
	EXPECT_EQ(fdt_string_index(&tree, fdt_node(&w), "list", "tw"), -1);
	EXPECT_EQ(fdt_string_index(&tree, fdt_node(&w), "ragged", "xy"), -1);
	EXPECT(!fdt_prop_string(&tree, fdt_node(&w), "ragged"));
	EXPECT(!fdt_prop_number(&tree, fdt_node(&w), "ragged", &number));
	EXPECT_EQ(fdt_prop_u32(&tree, fdt_node(&w), "ragged", 5), 5);
	EXPECT(!fdt_prop(&tree, fdt_node(&w), "status", &len)); /* the parent's */
	ASSERT(fdt_find_phandle(&tree, 9, &n));
	EXPECT_STREQ(fdt_prop_string(&tree, n, "name"), "second");
	EXPECT(!fdt_find_phandle(&tree, 10, &n));
	EXPECT(!fdt_find_phandle(&tree, 0, &n));
	EXPECT(!fdt_prop(&tree, n, "no such property", &len));
}

TEST(addresses_go_through_every_bus_or_nowhere)
{
	struct fdt_walk w;
	u64 base, size;
	u8 *blob;

	arena_reset();
	tree_begin();
	prop_cells("#address-cells", 1, 2);
	prop_cells("#size-cells", 1, 2);
	node("outer");
	prop_cells("#address-cells", 1, 1);
	prop_cells("#size-cells", 1, 1);
	prop_cells("ranges", 8, 0x1000, 1, 0, 0x1000, 0x8000, 2, 0, 0x1000);
	node("inner");
	prop_cells("#address-cells", 1, 2);
	prop_cells("#size-cells", 1, 1);
	prop_cells("ranges", 4, 5, 0, 0x8800, 0x100);
	node("device");
	prop_cells("reg", 12, 5, 0x10, 0x20, 5, 0xf0, 0x20, 5, 0x100, 1, 4, 0x10, 1);
	end();
	end();
	node("island");
	prop_cells("#address-cells", 1, 1);
	prop_cells("#size-cells", 1, 1);
	node("device");
	prop_cells("reg", 3, 0, 1, 2);
	end();
	node("other");
	prop_cells("reg", 2, 0, 1);
	end();
	end();
	end();
	node("pci");
	prop_cells("#address-cells", 1, 3);
	prop_cells("#size-cells", 1, 2);
	prop("ranges", "", 0);
	node("function");
	prop_cells("reg", 5, 0, 0, 0, 0, 0);
	end();
	end();
	node("wrap");
	prop_cells("reg", 4, ~0u, ~0u, 0, 2);
	end();
	blob = tree_finish();
	ASSERT_EQ(fdt_open(&tree, blob, blob_size), 0);
	ASSERT(fdt_walk_to(&w, &tree, "/outer/inner/device"));
	ASSERT_EQ(fdt_reg(&w, 0, &base, &size), 0);
	EXPECT_EQ(base, 0x200000810);
	EXPECT_EQ(size, 0x20);
	EXPECT_EQ(fdt_reg(&w, 1, &base, &size), -ENXIO); /* leaves the window */
	EXPECT_EQ(fdt_reg(&w, 2, &base, &size), -ENXIO);
	EXPECT_EQ(fdt_reg(&w, 3, &base, &size), -ENXIO);
	EXPECT_EQ(fdt_reg(&w, 4, &base, &size), -ENOENT);
	EXPECT_EQ(fdt_reg(&w, ~0u, &base, &size), -ENOENT);
	ASSERT(fdt_walk_to(&w, &tree, "/outer/island/device"));
	EXPECT_EQ(fdt_reg(&w, 0, &base, &size), -EINVAL); /* not a whole entry */
	ASSERT(fdt_walk_to(&w, &tree, "/outer/island/other"));
	EXPECT_EQ(fdt_reg(&w, 0, &base, &size), -ENXIO); /* no ranges */
	ASSERT(fdt_walk_to(&w, &tree, "/pci/function"));
	EXPECT_EQ(fdt_reg(&w, 0, &base, &size), -EINVAL);
	ASSERT(fdt_walk_to(&w, &tree, "/wrap"));
	EXPECT_EQ(fdt_reg(&w, 0, &base, &size), -EINVAL);
}

static const char *complaint(u8 *blob)
{
	static const char *const all[] = {"unknown version", "structure block", "strings block",
					  "not terminated",  "no end",          "second root",
					  "too deeply",      "end of no node",  "wrong place",
					  "too early",       "bad token",       "no device tree"};

	ASSERT_EQ(fdt_open(&tree, blob, blob_size), -EINVAL);
	for (unsigned i = 0; i < ARRAY_SIZE(all); i++) {
		if (arena_said(all[i]))
			return all[i];
	}
	return "(silence)";
}

static u8 *fresh_virt(void)
{
	arena_reset();
	virt_tree(2);
	return tree_finish();
}

TEST(every_kind_of_damage_has_its_message)
{
	static const struct {
		u32 at, value;
		const char *message;
	} headers[] = {
		{0, 0xd00dfeec, "no device tree"},
		{4, 39, "no device tree"},
		{4, 0x7fffffff, "no device tree"},
		{8, 0xfffffffc, "structure block"},
		{8, 41, "structure block"},
		{12, 0xffffffff, "strings block"},
		{16, 0xfffffff0, "no end"},
		{16, 0, "no end"},
		{20, 16, "unknown version"},
		{24, 18, "unknown version"},
		{32, 0x100000, "strings block"},
		{36, 0x100000, "structure block"},
		{36, 0, "bad token"},
		{36, 64, "bad token"},
	};
	u8 *blob;

	for (unsigned i = 0; i < ARRAY_SIZE(headers); i++) {
		blob = fresh_virt();
		put_be32(blob + headers[i].at, headers[i].value);
		EXPECT_STREQ(complaint(blob), headers[i].message);
	}
	blob = fresh_virt();
	blob[blob_size - 1] = 'x';
	EXPECT_STREQ(complaint(blob), "not terminated");

	arena_reset();
	tree_begin();
	end();
	node("");
	EXPECT_STREQ(complaint(tree_finish()), "second root");

	arena_reset();
	tree_begin();
	end();
	EXPECT_STREQ(complaint(tree_finish()), "end of no node");

	arena_reset();
	tree_begin();
	node("child");
	end();
	prop_text("late", "x");
	EXPECT_STREQ(complaint(tree_finish()), "wrong place");

	arena_reset();
	tree_begin();
	node("open");
	EXPECT_STREQ(complaint(tree_finish()), "too early");

	arena_reset();
	tree_begin();
	for (unsigned i = 0; i < FDT_MAX_DEPTH; i++)
		node("n");
	EXPECT_STREQ(complaint(tree_finish()), "too deeply");

	arena_reset();
	tree_begin();
	token(7);
	EXPECT_STREQ(complaint(tree_finish()), "bad token");
}

TEST(damaged_tree_ends_in_a_message_and_a_panic)
{
	u8 *blob = fresh_virt();

	put_be32(blob + 36, 64);
	EXPECT(arena_panics(boot_from_fdt, BLOB));
	EXPECT(arena_said("damaged device tree: bad token"));
	EXPECT(arena_said("no memory map"));
	arena_reset();
	EXPECT(arena_panics(boot_from_fdt, 0x100));
	EXPECT(arena_said("no device tree at 0x100"));
}

TEST(tree_cut_at_any_length_is_refused)
{
	u32 whole;

	fresh_virt();
	whole = blob_size;
	for (u32 size = 0; size < whole; size++) {
		fresh_virt();
		arena_cut(BLOB, size);
		EXPECT(arena_panics(boot_from_fdt, BLOB));
	}
	/* The header may lie about it, too. */
	for (u32 size = 40; size < whole; size++) {
		u8 *blob = fresh_virt();

		put_be32(blob + 4, size);
		arena_cut(BLOB, size);
		EXPECT(arena_panics(boot_from_fdt, BLOB));
	}
}

/* The structure block ends where memory ends, after any number of bytes. */
TEST(structure_cut_at_any_length_is_refused)
{
	u32 whole = 0;

	for (u32 cut = 1; cut < whole || !whole; cut++) {
		u8 *blob;

		arena_reset();
		virt_tree(3);
		tokens_last = true;
		blob = tree_finish();
		whole = nr_tokens;
		put_be32(blob + 36, nr_tokens - cut);
		arena_cut(BLOB, blob_size - cut);
		put_be32((u8 *)(uintptr_t)boot_map(BLOB, 40) + 4, blob_size - cut);
		EXPECT(arena_panics(boot_from_fdt, BLOB));
		EXPECT(arena_said("bad token"));
	}
}

TEST(names_and_lengths_just_outside_their_block_are_refused)
{
	u8 *blob;

	for (int i = 0; i < 4; i++) {
		arena_reset();
		tree_begin();
		prop("last", "12345678", 8);
		tokens_last = i >= 2;
		blob = tree_finish();
		blob += tokens_last ? blob_size - nr_tokens : 40 + 16;
		/* BEGIN_NODE, "", PROP, length, name, value, END_NODE, END: the value has room 16 */
		if (i % 2)
			put_be32(blob + 12, 17);
		else
			put_be32(blob + 16, tokens_last ? ALIGN_UP(nr_strings, 4u) : nr_strings);
		EXPECT(arena_panics(boot_from_fdt, BLOB));
		EXPECT(arena_said("bad token"));
	}
}

TEST(interrupts_are_counted_in_the_controllers_cells)
{
	u32 controller, cells[FDT_MAX_CELLS];
	struct fdt_walk w;
	u8 *blob;

	arena_reset();
	virt_head();
	add_gic(2);
	node("one");
	prop_cells("interrupts", 5, 0, 7, 4, 1, 9);
	end();
	node("orphan");
	prop_cells("interrupt-parent", 1, 0x77);
	prop_cells("interrupts", 3, 0, 7, 4);
	end();
	blob = tree_finish();
	ASSERT_EQ(fdt_open(&tree, blob, blob_size), 0);
	ASSERT(fdt_walk_to(&w, &tree, "/one"));
	EXPECT_EQ(fdt_interrupt(&w, 0, &controller, cells), 3);
	EXPECT_STREQ(fdt_name(&tree, controller), "intc@8000000");
	EXPECT(cells[0] == 0 && cells[1] == 7 && cells[2] == 4 && cells[3] == 0);
	EXPECT_EQ(fdt_interrupt(&w, 1, &controller, cells), -ENOENT);
	EXPECT_EQ(fdt_interrupt(&w, ~0u, &controller, cells), -ENOENT);
	ASSERT(fdt_walk_to(&w, &tree, "/orphan"));
	EXPECT_EQ(fdt_interrupt(&w, 0, &controller, cells), -ENOENT);
}

TEST(cpu_without_a_number_is_left_out)
{
	arena_reset();
	virt_head();
	node("memory");
	prop_text("device_type", "memory");
	prop_cells("reg", 4, 0, 0x40000000, 0, 0x10000000);
	end();
	node("cpus");
	add_cpu(0, NULL);
	node("short");
	prop_text("device_type", "cpu");
	prop_text("enable-method", "psci");
	prop("reg", "\1\2", 2);
	end();
	node("none");
	prop_text("device_type", "cpu");
	end();
	end();
	tree_finish();
	ASSERT(!arena_panics(boot_from_fdt, BLOB));
	EXPECT_EQ(boot_info.nr_cpus, 1);
	EXPECT(arena_said("short: no usable reg") && arena_said("none: no usable reg"));
}

TEST(unusable_properties_leave_devices_out)
{
	static const char *const nodes[] = {"intc@8000000", "timer", "psci", "uart@9000000",
					    "pcie@10000000"};
	static const char *const props[] = {"reg", "interrupts", "method", "reg", "reg"};

	for (unsigned i = 0; i < ARRAY_SIZE(nodes); i++) {
		struct fdt_walk w;
		u32 len = 0;
		const u8 *value = NULL;
		u8 *blob = fresh_virt();

		ASSERT_EQ(fdt_open(&tree, blob, blob_size), 0);
		fdt_walk_begin(&w, &tree);
		while (!value && fdt_walk_next(&w)) {
			if (!strcmp(fdt_name(&tree, fdt_node(&w)), nodes[i]))
				value = fdt_prop(&tree, fdt_node(&w), props[i], &len);
		}
		ASSERT(value && len >= 4);
		/* Shorten it by two bytes; the padding keeps the tree sound. */
		if (i == 1)
			memset((u8 *)(uintptr_t)value, 0xff, len);
		else
			put_be32((u8 *)(uintptr_t)value - 8, len - 2);
		ASSERT(!arena_panics(boot_from_fdt, BLOB));
		arena_check();
		EXPECT(arena_said("skipped"));
		EXPECT_EQ(boot_info.arm.gic_version, i == 0 ? 0 : 2);
		EXPECT_EQ(boot_info.arm.timer_virt_intid, i == 1 ? 0 : 27);
		EXPECT_EQ(boot_info.arm.psci, i == 2 ? BOOT_PSCI_NONE : BOOT_PSCI_HVC);
		EXPECT_EQ(boot_info.console.kind, i == 3 ? BOOT_UART_NONE : BOOT_UART_PL011);
		EXPECT_EQ(boot_info.nr_pci, i != 4);
	}
}

TEST(overlong_lists_are_cut_with_a_message)
{
	arena_reset();
	virt_head();
	node("memory");
	prop_text("device_type", "memory");
	prop_cells("reg", 4, 0, 0x40000000, 0, 0x10000000);
	end();
	node("gic");
	prop_text("compatible", "arm,gic-v3");
	prop_cells("#redistributor-regions", 1, ~0u);
	prop_cells("reg", 44, 0, 1, 0, 1, 0, 2, 0, 1, 0, 3, 0, 1, 0, 4, 0, 1, 0, 5, 0, 1, 0, 6, 0,
		   1, 0, 7, 0, 1, 0, 8, 0, 1, 0, 9, 0, 1, 0, 10, 0, 1, 0, 11, 0, 1);
	end();
	node("cpus");
	for (u32 i = 0; i < 300; i++)
		add_cpu(i, "psci");
	end();
	for (u64 i = 0; i < 100; i++)
		reserve(0x41000000 + i * 0x2000, 0x1000);
	tree_finish();
	ASSERT(!arena_panics(boot_from_fdt, BLOB));
	arena_check();
	EXPECT_EQ(boot_info.nr_cpus, 256);
	EXPECT_EQ(boot_info.arm.nr_gicr, 8);
	EXPECT(arena_said("only 256 CPUs"));
	EXPECT(arena_said("more than 8 GIC redistributor"));
	EXPECT(arena_said("more than 64 reserved ranges"));
}

TEST(random_corruption_is_harmless)
{
	unsigned booted = 0;

	for (unsigned round = 0; round < 30000 && !host_test_failed(); round++) {
		u8 *blob = fresh_virt();

		for (u64 n = 1 + rng_below(5); n; n--) {
			u64 at = 40 + rng_below(blob_size - 40);

			blob[at] = rng_one_in(2) ? (u8)rng_below(8)
						 : blob[at] ^ (u8)(1 << rng_below(8));
		}
		if (arena_panics(boot_from_fdt, BLOB))
			continue;
		booted++;
		arena_check();
	}
	EXPECT(booted > 1000); /* else the damage never got past the first check */
	note("%u of 30000 corrupted trees were still usable", booted);
}
