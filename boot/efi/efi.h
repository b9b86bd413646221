/* SPDX-License-Identifier: MIT */
/*
 * efi.h - what we use of a UEFI firmware: its tables, protocols and numbers.
 *
 * Tables are called through exactly as the specification lays them out; members that nobody here
 * calls are named `unused` and keep their place. Firmware functions follow the architecture's own
 * calling convention. Texts are UTF-16, little-endian.
 *
 * Reference: UEFI specification 2.10, chapters 4 (tables), 7 (boot services), 9 (loaded image,
 * device paths), 12 (console, graphics), 13 (files).
 */
#pragma once

#include <quire/compiler.h>
#include <quire/types.h>

typedef u64 efi_status; /* the specification's EFI_STATUS: the top bit marks an error */

#define EFI_ERROR(n)             ((efi_status)1 << 63 | (n))
#define EFI_SUCCESS              0ul
#define EFI_LOAD_ERROR           EFI_ERROR(1)
#define EFI_INVALID_PARAMETER    EFI_ERROR(2)
#define EFI_UNSUPPORTED          EFI_ERROR(3)
#define EFI_BUFFER_TOO_SMALL     EFI_ERROR(5)
#define EFI_OUT_OF_RESOURCES     EFI_ERROR(9)
#define EFI_NOT_FOUND            EFI_ERROR(14)
#define EFI_ALLOCATE_ANY         0u
#define EFI_LOADER_DATA          2u
#define EFI_FILE_READ            1ul
#define EFI_MEMORY_DESCRIPTOR_V1 40u

struct efi_guid {
	u32 a;
	u16 b, c;
	u8 d[8];
};

struct efi_table_header {
	u64 signature;
	u32 revision, size, crc, reserved;
};

struct efi_text_output {
	void *unused_reset;
	efi_status (*output)(struct efi_text_output *, const u16 *text);
};

struct efi_memory_descriptor { /* the firmware's may be longer */
	u32 type, pad;
	u64 physical, virtual_start, pages, attributes;
};
BUILD_ASSERT(sizeof(struct efi_memory_descriptor) == EFI_MEMORY_DESCRIPTOR_V1, "UEFI 7.2.3");

struct efi_device_path {
	u8 type, subtype;
	u8 length[2];
};

struct efi_boot_services {
	struct efi_table_header header;
	void *unused_tpl[2];
	efi_status (*allocate_pages)(u32 how, u32 type, u64 pages, paddr_t *at);
	efi_status (*free_pages)(paddr_t at, u64 pages);
	efi_status (*get_memory_map)(u64 *size, void *map, u64 *key, u64 *descriptor_size,
				     u32 *descriptor_version);
	void *unused_pool_and_events[8];
	void *unused_install[3];
	efi_status (*handle_protocol)(void *handle, const struct efi_guid *, void **interface);
	void *unused_reserved, *unused_notify, *unused_locate_handle;
	efi_status (*locate_device_path)(const struct efi_guid *, struct efi_device_path **path,
					 void **handle);
	void *unused_configuration;
	void *unused_images[4];
	efi_status (*exit_boot_services)(void *image, u64 key);
	void *unused_time[3];
	void *unused_controllers[2];
	void *unused_open[3];
	void *unused_handles[2];
	efi_status (*locate_protocol)(const struct efi_guid *, void *registration,
				      void **interface);
};

struct efi_time {
	u16 year;
	u8 month, day, hour, minute, second, pad;
	u32 nanosecond;
	s16 zone; /* minutes to add for UTC; EFI_ZONE_UNKNOWN */
	u8 daylight, pad2;
};
#define EFI_ZONE_UNKNOWN 0x7ff

struct efi_runtime_services {
	struct efi_table_header header;
	efi_status (*get_time)(struct efi_time *, void *capabilities);
};

struct efi_configuration {
	struct efi_guid guid;
	void *table;
};

struct efi_system_table {
	struct efi_table_header header;
	u16 *vendor;
	u32 revision;
	void *console_in_handle, *console_in;
	void *console_out_handle;
	struct efi_text_output *console_out;
	void *error_handle;
	struct efi_text_output *error;
	struct efi_runtime_services *runtime;
	struct efi_boot_services *boot;
	u64 nr_tables;
	struct efi_configuration *tables;
};

struct efi_loaded_image {
	u32 revision;
	void *parent;
	struct efi_system_table *system;
	void *device; /* handle of the volume; NULL when the program came from memory */
	struct efi_device_path *path;
	void *reserved;
	u32 options_size; /* bytes */
	u16 *options;
	void *base;
	u64 size;
};

struct efi_file {
	u64 revision;
	efi_status (*open)(struct efi_file *, struct efi_file **, const u16 *name, u64 mode,
			   u64 attributes);
	efi_status (*close)(struct efi_file *);
	void *unused_delete;
	efi_status (*read)(struct efi_file *, u64 *size, void *buffer);
	void *unused_write;
	efi_status (*get_position)(struct efi_file *, u64 *);
	efi_status (*set_position)(struct efi_file *, u64);
};

struct efi_volume {
	u64 revision;
	efi_status (*open)(struct efi_volume *, struct efi_file **root);
};

struct efi_load_file {
	efi_status (*load)(struct efi_load_file *, struct efi_device_path *, bool boot_policy,
			   u64 *size, void *buffer);
};

struct efi_random {
	void *unused_info;
	efi_status (*get)(struct efi_random *, const struct efi_guid *algorithm, u64 size,
			  void *buffer);
};

enum efi_pixel_format { EFI_PIXEL_RGBX, EFI_PIXEL_BGRX, EFI_PIXEL_MASKS, EFI_PIXEL_NO_MEMORY };

struct efi_graphics_info {
	u32 version, width, height;
	u32 format; /* enum efi_pixel_format */
	u32 red, green, blue, reserved;
	u32 pixels_per_line;
};

struct efi_graphics {
	void *unused_query, *unused_set, *unused_blt;
	struct efi_graphics_mode {
		u32 nr_modes, mode;
		struct efi_graphics_info *info;
		u64 info_size;
		paddr_t memory;
		u64 memory_size;
	} * mode;
};

/* The text form 00112233-4455-6677-8899-aabbccddeeff stands in memory as 33 22 11 00 55 44 77 66 88 99 aa .. */
/* clang-format off */
#define EFI_GUID_LOADED_IMAGE {0x5b1b31a1, 0x9562, 0x11d2, {0x8e, 0x3f, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b}}
#define EFI_GUID_VOLUME       {0x964e5b22, 0x6459, 0x11d2, {0x8e, 0x39, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b}}
#define EFI_GUID_LOAD_FILE2   {0x4006c0c1, 0xfcb3, 0x403e, {0x99, 0x6d, 0x4a, 0x6c, 0x87, 0x24, 0xe0, 0x6d}}
#define EFI_GUID_GRAPHICS     {0x9042a9de, 0x23dc, 0x4a38, {0x96, 0xfb, 0x7a, 0xde, 0xd0, 0x80, 0x51, 0x6a}}
#define EFI_GUID_RANDOM       {0x3152bca5, 0xeade, 0x433d, {0x86, 0x2e, 0xc0, 0x1c, 0xdc, 0x29, 0x1f, 0x44}}
#define EFI_GUID_ACPI_1       {0xeb9d2d30, 0x2d88, 0x11d3, {0x9a, 0x16, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d}}
#define EFI_GUID_ACPI_2       {0x8868e871, 0xe4f1, 0x11d3, {0xbc, 0x22, 0x00, 0x80, 0xc7, 0x3c, 0x88, 0x81}}
#define EFI_GUID_DEVICE_TREE  {0xb1b621d5, 0xf19c, 0x41a5, {0x83, 0x0b, 0xd9, 0x15, 0x2c, 0x69, 0xaa, 0xe0}}
#define EFI_GUID_INITRD_MEDIA {0x5568e427, 0x68fc, 0x4f3d, {0xac, 0x74, 0xca, 0x55, 0x52, 0x31, 0xcc, 0x68}}
/* clang-format on */
