/* SPDX-License-Identifier: MIT */
/*
 * test_efi.c - the EFI program (boot/efi/) on a firmware that gives as little as the specification allows, and
 * refuses wherever it may; then what the kernel makes of the handoff.
 *
 * Memory of the firmware is mapped page by page, so that pages given back are gone, and what is not given
 * back is counted.
 */
#include <setjmp.h>
#include <sys/mman.h>
#include <arch/boot.h>
#include "boot/efi/stub.h"
#include "tests/host/boot_arena.h"

/* An image of three pages, the last of which is not in the file. */
__asm__(".data\n\t.balign 4096\n\t.globl kimage_start, file_end, kimage_end\n"
	"kimage_start:\t.fill 8192, 1, 0x5a\n"
	"file_end:\t.fill 4096, 1, 0\n"
	"kimage_end:\t.byte 0\n\t.text\n");

#define MAP_ENTRY   48
#define MAP_ENTRIES 5

static struct {
	long pages;    /* given out and not given back */
	u32 fail_at;   /* this many allocations go well; 0: all do */
	u32 nr_allocs; /* so far */
	u64 key;
	u32 stale; /* so many times, the map changes before it is left */
	bool left; /* boot services are over */
	bool no_rng, no_volume, no_initrd, no_acpi, no_fdt, no_screen;
	char said[1024];
	u64 read_at_most; /* bytes of a file in one call */
	efi_status read_status;
	efi_status load_status;
	u64 size_lie; /* files claim to be so much longer */
} fw;

static struct {
	const char *name, *content;
	u64 size, at;
	struct efi_file file;
} files[3];
static u32 nr_files;

static struct efi_loaded_image image;
static struct efi_graphics_info screen_info;
static struct efi_graphics_mode screen_mode = {.info = &screen_info};
static struct efi_time now;
static u16 options[512];
static const char offered[] = "an archive from the boot loader";

static jmp_buf entered;
static const struct efi_handoff *handoff;
static paddr_t entered_image;

static void used(void)
{
	ASSERT(!fw.left);
}

static efi_status allocate_pages(u32 how, u32 type, u64 pages, paddr_t *at)
{
	char *p;

	used();
	EXPECT_EQ(how, EFI_ALLOCATE_ANY);
	EXPECT_EQ(type, EFI_LOADER_DATA);
	if (fw.fail_at && ++fw.nr_allocs >= fw.fail_at)
		return EFI_OUT_OF_RESOURCES;
	p = mmap(NULL, (pages + 1) * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		 -1, 0);
	ASSERT(p != MAP_FAILED);
	munmap(p, PAGE_SIZE); /* the host may align well; a firmware does not */
	p += PAGE_SIZE;
	memset(p, 0xa5, pages * PAGE_SIZE);
	*at = (paddr_t)p;
	fw.pages += (long)pages;
	return EFI_SUCCESS;
}

static efi_status free_pages(paddr_t at, u64 pages)
{
	used();
	munmap((void *)at, pages * PAGE_SIZE);
	fw.pages -= (long)pages;
	return EFI_SUCCESS;
}

static efi_status get_memory_map(u64 *size, void *map, u64 *key, u64 *entry, u32 *version)
{
	static const u32 types[MAP_ENTRIES] = {7, 2, 5, 9, 11};
	u8 *p = map;

	used();
	*entry = MAP_ENTRY;
	*version = 1;
	if (*size < MAP_ENTRY * MAP_ENTRIES) {
		*size = MAP_ENTRY * MAP_ENTRIES;
		return EFI_BUFFER_TOO_SMALL;
	}
	*size = MAP_ENTRY * MAP_ENTRIES;
	for (u32 i = 0; i < MAP_ENTRIES; i++, p += MAP_ENTRY) {
		put_le32(p, types[i]);
		put_le64(p + 8, MIB(64) * (i + 1));
		put_le64(p + 24, MIB(64) / PAGE_SIZE);
	}
	*key = ++fw.key;
	return EFI_SUCCESS;
}

static efi_status exit_boot_services(void *handle, u64 key)
{
	used();
	EXPECT(handle == &image);
	if (fw.stale) {
		fw.stale--;
		fw.key++;
	}
	if (key != fw.key)
		return EFI_INVALID_PARAMETER;
	fw.left = true;
	return EFI_SUCCESS;
}

static efi_status file_open(struct efi_file *dir, struct efi_file **out, const u16 *name, u64 mode,
			    u64 attributes)
{
	char text[64];

	used();
	(void)dir;
	EXPECT_EQ(mode, EFI_FILE_READ);
	EXPECT_EQ(attributes, 0);
	efi_text_from_utf16(text, sizeof(text), name, 64);
	for (u32 i = 0; i < nr_files; i++) {
		if (!strcmp(files[i].name, text)) {
			*out = &files[i].file;
			files[i].at = 0;
			return EFI_SUCCESS;
		}
	}
	return EFI_NOT_FOUND;
}

static u32 file_index(const struct efi_file *f)
{
	for (u32 i = 0; i < nr_files; i++)
		if (f == &files[i].file)
			return i;
	ASSERT(false);
	return 0;
}

static efi_status file_close(struct efi_file *f)
{
	(void)f;
	used();
	return EFI_SUCCESS;
}

static efi_status file_read(struct efi_file *f, u64 *size, void *buffer)
{
	u32 i = file_index(f);

	used();
	if (fw.read_status)
		return fw.read_status;
	*size = MIN(*size, files[i].size - files[i].at);
	if (fw.read_at_most)
		*size = MIN(*size, fw.read_at_most);
	memcpy(buffer, files[i].content + files[i].at, *size);
	files[i].at += *size;
	return EFI_SUCCESS;
}

static efi_status file_get_position(struct efi_file *f, u64 *at)
{
	*at = files[file_index(f)].at;
	return EFI_SUCCESS;
}

static efi_status file_set_position(struct efi_file *f, u64 at)
{
	u32 i = file_index(f);

	files[i].at = at == ~0ull ? files[i].size + fw.size_lie : at;
	return EFI_SUCCESS;
}

static struct efi_file root = {.open = file_open, .close = file_close};

static efi_status volume_open(struct efi_volume *v, struct efi_file **out)
{
	(void)v;
	*out = &root;
	return EFI_SUCCESS;
}

static efi_status load(struct efi_load_file *lf, struct efi_device_path *rest, bool policy,
		       u64 *size, void *buffer)
{
	(void)lf;
	used();
	EXPECT_EQ(rest->type, 0x7f); /* the path's end: all of it was found */
	EXPECT(!policy);
	if (fw.load_status)
		return fw.load_status;
	if (*size < sizeof(offered)) {
		*size = sizeof(offered);
		return EFI_BUFFER_TOO_SMALL;
	}
	*size = sizeof(offered);
	memcpy(buffer, offered, sizeof(offered));
	return EFI_SUCCESS;
}

static efi_status random_get(struct efi_random *r, const struct efi_guid *algorithm, u64 size,
			     void *buffer)
{
	(void)r;
	EXPECT(!algorithm);
	memset(buffer, 0x77, size);
	return EFI_SUCCESS;
}

static struct efi_volume volume = {.open = volume_open};
static struct efi_load_file load_file = {load};
static struct efi_random rng_protocol = {.get = random_get};
static struct efi_graphics graphics = {.mode = &screen_mode};

static bool is(const struct efi_guid *guid, struct efi_guid other)
{
	return !memcmp(guid, &other, sizeof(other));
}

static efi_status handle_protocol(void *handle, const struct efi_guid *guid, void **out)
{
	used();
	if (handle == &image && is(guid, (struct efi_guid)EFI_GUID_LOADED_IMAGE))
		*out = &image;
	else if (handle == &volume && is(guid, (struct efi_guid)EFI_GUID_VOLUME) && !fw.no_volume)
		*out = &volume;
	else if (handle == &load_file && is(guid, (struct efi_guid)EFI_GUID_LOAD_FILE2))
		*out = &load_file;
	else
		return EFI_UNSUPPORTED;
	return EFI_SUCCESS;
}

static efi_status locate_device_path(const struct efi_guid *guid, struct efi_device_path **path,
				     void **handle)
{
	static const u8 initrd_path[] = {4,    3,    20,   0,    0x27, 0xe4, 0x68,
					 0x55, 0xfc, 0x68, 0x3d, 0x4f, 0xac, 0x74,
					 0xca, 0x55, 0x52, 0x31, 0xcc, 0x68};

	used();
	EXPECT(is(guid, (struct efi_guid)EFI_GUID_LOAD_FILE2));
	EXPECT(!memcmp(*path, initrd_path, sizeof(initrd_path)));
	if (fw.no_initrd)
		return EFI_NOT_FOUND;
	*path = (struct efi_device_path *)((u8 *)*path + sizeof(initrd_path));
	*handle = &load_file;
	return EFI_SUCCESS;
}

static efi_status locate_protocol(const struct efi_guid *guid, void *registration, void **out)
{
	used();
	EXPECT(!registration);
	if (is(guid, (struct efi_guid)EFI_GUID_RANDOM) && !fw.no_rng)
		*out = &rng_protocol;
	else if (is(guid, (struct efi_guid)EFI_GUID_GRAPHICS) && !fw.no_screen)
		*out = &graphics;
	else
		return EFI_NOT_FOUND;
	return EFI_SUCCESS;
}

static efi_status get_time(struct efi_time *t, void *capabilities)
{
	EXPECT(!capabilities);
	*t = now;
	return EFI_SUCCESS;
}

static efi_status output(struct efi_text_output *out, const u16 *text)
{
	size_t n = strlen(fw.said);

	(void)out;
	used();
	efi_text_from_utf16(fw.said + n, sizeof(fw.said) - n, text, 256);
	return EFI_SUCCESS;
}

static struct efi_text_output console = {.output = output};
static struct efi_boot_services boot_services = {
	.allocate_pages = allocate_pages,
	.free_pages = free_pages,
	.get_memory_map = get_memory_map,
	.handle_protocol = handle_protocol,
	.locate_device_path = locate_device_path,
	.exit_boot_services = exit_boot_services,
	.locate_protocol = locate_protocol,
};
static struct efi_runtime_services runtime = {.get_time = get_time};
static struct efi_configuration tables[2];
static struct efi_system_table system_table = {
	.console_out = &console, .runtime = &runtime, .boot = &boot_services, .tables = tables};

void efi_enter_kernel(paddr_t at, paddr_t kernel, u64 size)
{
	EXPECT(fw.left);
	EXPECT_EQ(size, 8192);
	EXPECT(IS_ALIGNED(kernel, MIB(2)));
	EXPECT(!memcmp((void *)kernel, kimage_start, size));
	handoff = (const struct efi_handoff *)at;
	entered_image = kernel;
	longjmp(entered, 1);
}

/* A firmware with everything. */
static void reset(void)
{
	fw.left = false;
	efi_release_all(); /* what the last kernel got */
	memset(&fw, 0, sizeof(fw));
	nr_files = 0;
	arena_reset();
	image = (struct efi_loaded_image){.device = &volume};
	screen_info = (struct efi_graphics_info){
		.width = 800, .height = 600, .format = EFI_PIXEL_BGRX, .pixels_per_line = 832};
	screen_mode.memory = 0x80000000;
	now = (struct efi_time){
		.year = 2024, .month = 2, .day = 29, .hour = 12, .zone = EFI_ZONE_UNKNOWN};
	tables[0] = (struct efi_configuration){EFI_GUID_ACPI_2, (void *)0x5000};
	tables[1] = (struct efi_configuration){EFI_GUID_DEVICE_TREE, (void *)0x6000};
}

static void give_options(const char *text)
{
	u32 n = 0;

	for (; text[n]; n++)
		options[n] = (u8)text[n];
	image.options = options;
	image.options_size = n * 2; /* without the end: nobody promises one */
	options[n] = 'X';
}

static void give_file(const char *name, const char *content)
{
	files[nr_files].name = name;
	files[nr_files].content = content;
	files[nr_files].size = strlen(content);
	files[nr_files++].file = (struct efi_file){.close = file_close,
						   .read = file_read,
						   .get_position = file_get_position,
						   .set_position = file_set_position};
}

/* Runs the program. EFI_SUCCESS: the kernel was entered. */
static efi_status start(void)
{
	efi_status status;

	system_table.nr_tables = 0;
	if (!fw.no_acpi)
		system_table.nr_tables = 1;
	if (!fw.no_fdt)
		tables[system_table.nr_tables++] =
			(struct efi_configuration){EFI_GUID_DEVICE_TREE, (void *)0x6000};
	if (setjmp(entered))
		return EFI_SUCCESS;
	status = efi_main(&image, &system_table);
	EXPECT(status);
	EXPECT_EQ(fw.pages, 0);
	return status;
}

TEST(a_boot_loader_gives_options_and_an_archive)
{
	reset();
	give_options("root=none  quiet");
	ASSERT_EQ(start(), EFI_SUCCESS);
	EXPECT_STREQ(handoff->cmdline, "root=none  quiet");
	EXPECT_EQ(handoff->initrd_size, sizeof(offered));
	EXPECT(!memcmp((void *)handoff->initrd, offered, sizeof(offered)));
	EXPECT_EQ(handoff->rsdp, 0x5000);
	EXPECT_EQ(handoff->fdt, 0x6000);
	EXPECT_EQ(handoff->map_size, MAP_ENTRY * MAP_ENTRIES);
	EXPECT_EQ(handoff->descriptor_size, MAP_ENTRY);
	EXPECT_EQ(handoff->seed_len, 64);
	EXPECT_EQ(handoff->seed[63], 0x77);
	EXPECT_EQ(handoff->unix_time, 1709208000);
	EXPECT_STREQ(fw.said, "");
}

TEST(files_serve_where_there_are_no_options)
{
	reset();
	fw.no_initrd = true;
	fw.read_at_most = 3;
	give_file("\\quire\\cmdline.txt", "one\r\ntwo\n");
	give_file("\\quire\\initrd.cpio", "archive");
	ASSERT_EQ(start(), EFI_SUCCESS);
	EXPECT_STREQ(handoff->cmdline, "one  two ");
	EXPECT_EQ(handoff->initrd_size, 7);
	EXPECT(!memcmp((void *)handoff->initrd, "archive", 7));
}

TEST(options_that_are_no_text_are_none)
{
	static u16 junk[] = {0x1234, 3, 0x20};

	reset();
	image.options = junk;
	image.options_size = sizeof(junk);
	ASSERT_EQ(start(), EFI_SUCCESS);
	EXPECT_STREQ(handoff->cmdline, "");
}

TEST(an_archive_is_named_by_path)
{
	reset();
	fw.no_initrd = true;
	give_options("a=b initrd=/boot/x.cpio");
	give_file("\\boot\\x.cpio", "named");
	ASSERT_EQ(start(), EFI_SUCCESS);
	EXPECT_EQ(handoff->initrd_size, 5);
}

TEST(no_archive_is_no_error_when_a_loader_started_us)
{
	reset();
	fw.no_initrd = true;
	give_options("BOOT_IMAGE=/boot/Image");
	ASSERT_EQ(start(), EFI_SUCCESS);
	EXPECT_EQ(handoff->initrd_size, 0);
}

TEST(an_archive_that_cannot_be_read_ends_the_program)
{
	reset();
	fw.no_initrd = true;
	give_options("initrd=\\none");
	EXPECT_EQ(start(), EFI_NOT_FOUND);
	EXPECT_STREQ(fw.said, "quire: cannot read the initramfs \\none: not found\r\n");
	reset();
	fw.no_initrd = fw.no_fdt = true;
	EXPECT_EQ(start(), EFI_NOT_FOUND);
	EXPECT_STREQ(fw.said,
		     "quire: cannot read the initramfs \\quire\\initrd.cpio: not found\r\n");
	reset();
	fw.no_initrd = true;
	fw.read_status = EFI_ERROR(7);
	give_options("initrd=a");
	give_file("a", "damaged");
	EXPECT_EQ(start(), EFI_ERROR(7));
	EXPECT_STREQ(fw.said, "quire: cannot read the initramfs a: status 07\r\n");
	reset();
	fw.load_status = EFI_LOAD_ERROR;
	EXPECT_EQ(start(), EFI_LOAD_ERROR);
	EXPECT(strstr(fw.said, "the boot loader's initramfs cannot be read: cannot be loaded"));
}

TEST(a_file_that_ends_before_its_size_is_an_error)
{
	reset();
	fw.no_initrd = true;
	give_options("initrd=a");
	give_file("a", "short");
	fw.size_lie = 1;
	EXPECT_EQ(start(), EFI_LOAD_ERROR);
	fw.size_lie = 0;
	files[0].size = 0;
	ASSERT_EQ(start(), EFI_SUCCESS); /* an empty one is not */
	EXPECT_EQ(handoff->initrd_size, 0);
}

TEST(a_machine_that_nobody_describes_is_refused)
{
	reset();
	fw.no_acpi = fw.no_fdt = true;
	EXPECT_EQ(start(), EFI_UNSUPPORTED);
	EXPECT_STREQ(
		fw.said,
		"quire: the firmware gives neither ACPI tables nor a device tree: not supported\r\n");
}

TEST(memory_may_run_out_anywhere)
{
	u32 failures = 0;

	for (u32 at = 1;; at++) {
		reset();
		fw.no_initrd = true;
		give_options("initrd=a");
		give_file("a", "archive");
		fw.fail_at = at;
		if (start() == EFI_SUCCESS)
			break;
		EXPECT(strstr(fw.said, "not enough memory"));
		failures++;
	}
	EXPECT_EQ(failures, 4); /* handoff, archive, kernel, map */
}

TEST(a_map_that_changes_is_read_again)
{
	reset();
	fw.stale = 3;
	EXPECT_EQ(start(), EFI_SUCCESS);
	reset();
	fw.stale = 1000;
	EXPECT_EQ(start(), EFI_INVALID_PARAMETER);
	EXPECT_STREQ(fw.said, "quire: the firmware does not let go: invalid parameter\r\n");
}

TEST(nothing_else_is_needed)
{
	reset();
	fw.no_rng = fw.no_screen = fw.no_volume = fw.no_fdt = true;
	now.month = 13;
	system_table.console_out = NULL;
	ASSERT_EQ(start(), EFI_SUCCESS);
	system_table.console_out = &console;
	EXPECT_EQ(handoff->seed_len, 0);
	EXPECT_EQ(handoff->unix_time, 0);
	EXPECT_EQ(handoff->framebuffer.base, 0);
	EXPECT_EQ(handoff->fdt, 0);
}

TEST(screens_are_described)
{
	reset();
	ASSERT_EQ(start(), EFI_SUCCESS);
	EXPECT_EQ(handoff->framebuffer.pitch, 832 * 4);
	EXPECT_EQ(handoff->framebuffer.red.shift, 16);
	reset();
	screen_info.format = EFI_PIXEL_MASKS;
	screen_info.red = 0xf800;
	screen_info.green = 0x7e0;
	screen_info.blue = 0x1f;
	ASSERT_EQ(start(), EFI_SUCCESS);
	EXPECT_EQ(handoff->framebuffer.pixel_size, 2);
	EXPECT_EQ(handoff->framebuffer.pitch, 832 * 2);
	EXPECT_EQ(handoff->framebuffer.red.shift, 11);
	EXPECT_EQ(handoff->framebuffer.green.bits, 6);
	reset();
	screen_info.format = EFI_PIXEL_NO_MEMORY;
	ASSERT_EQ(start(), EFI_SUCCESS);
	EXPECT_EQ(handoff->framebuffer.base, 0);
}

TEST(texts_become_utf8)
{
	static const u16 text[] = {'a', 0xe9, 0x20ac, 0xd83d, 0xde00, 0xdc00, 0xd83d, 'z', 0, 'n'};
	char out[32];

	efi_text_from_utf16(out, sizeof(out), text, ARRAY_SIZE(text));
	EXPECT_STREQ(out, "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80??z");
	efi_text_from_utf16(out, 6, text, ARRAY_SIZE(text));
	EXPECT_STREQ(out, "a\xc3\xa9"); /* no half characters */
	efi_text_from_utf16(out, sizeof(out), text, 4);
	EXPECT_STREQ(out, "a\xc3\xa9\xe2\x82\xac?");
	efi_text_from_utf16(out, sizeof(out), text, 0);
	EXPECT_STREQ(out, "");
}

/* --- the second part ------------------------------------------------------------------------------ */

#define HANDOFF MIB(66)
#define MAP     MIB(67)

static struct efi_handoff *kernel_side(void)
{
	struct efi_handoff *h;
	u64 size = MAP_ENTRY * MAP_ENTRIES, key;
	u32 version;

	reset();
	h = (struct efi_handoff *)arena_add(HANDOFF, sizeof(*h));
	h->map = MAP;
	h->map_size = size;
	get_memory_map(&size, arena_add(MAP, size), &key, &h->descriptor_size, &version);
	return h;
}

TEST(the_firmwares_map_becomes_memory)
{
	struct efi_handoff *h = kernel_side();

	strcpy(h->cmdline, "x=y");
	h->unix_time = 5;
	h->initrd = MIB(70);
	h->initrd_size = 100;
	h->framebuffer = (struct boot_framebuffer){.base = MIB(200),
						   .width = 640,
						   .height = 480,
						   .pitch = 2560,
						   .pixel_size = 4,
						   .red = {16, 8},
						   .green = {8, 8},
						   .blue = {0, 8}};
	ASSERT(!arena_panics(boot_from_efi, HANDOFF));
	EXPECT_STREQ(boot_info.cmdline, "x=y");
	ASSERT_EQ(boot_info.nr_ram,
		  1); /* free and loader memory; not the runtime's, ACPI's and devices' */
	EXPECT_EQ(boot_info.ram[0].base, MIB(64));
	EXPECT_EQ(boot_info.ram[0].size, MIB(128));
	EXPECT_EQ(boot_info.initrd, MIB(70));
	EXPECT_EQ(boot_info.unix_time, 5);
	EXPECT_EQ(boot_info.framebuffer.width, 640);
	EXPECT(arena_said("neither a device tree nor ACPI"));
	EXPECT_EQ(boot_info.nr_cpus, 1);
}

TEST(a_map_without_sense_ends_in_a_message_and_a_panic)
{
	static const u64 sizes[] = {0, 39, 513, ~0ull};

	for (u32 i = 0; i < ARRAY_SIZE(sizes); i++) {
		kernel_side()->descriptor_size = sizes[i];
		EXPECT(arena_panics(boot_from_efi, HANDOFF));
		EXPECT(arena_said("efi: no memory map"));
	}
	reset();
	EXPECT(arena_panics(boot_from_efi, HANDOFF));
}

TEST(a_tree_without_cpus_leaves_the_machine_to_acpi)
{
	struct efi_handoff *h = kernel_side();

	h->fdt = MIB(68);
	arena_add(MIB(68), 64); /* damaged, even */
	h->rsdp = MIB(69);
	arena_rsdp(MIB(69), MIB(69) + 4096, 0);
	ASSERT(!arena_panics(boot_from_efi, HANDOFF));
	EXPECT(arena_said("acpi: no sound table list"));
}
