/* SPDX-License-Identifier: MIT */
/*
 * profile.c - a QEMU plugin that tells where the instructions go.
 *
 *	-plugin ./profile.so,out=FILE[,begin=0x401000,end=0x401010][,of=0xffff...,size=0x100]
 *
 * Counts how often each instruction is executed: with `begin` and `end`, two virtual addresses, only between a
 * passage of the first and the next one of the second (however often), else from reset to the end. At the
 * end it writes one line for each instruction of the kernel, "address count", and one "user count". tools/hot-functions
 * adds them up by function. For one CPU: the counters are not atomic.
 *
 * With `of` and `size`, a function, there are also lines "from ADDRESS count": the function's instructions by
 * where it was called from, which is the block that was executed before its first.
 *
 * The counters run always, since what is translated once is not asked again; at each passage of `begin` they are
 * remembered, at `end` the difference is added. They count single instructions because a translated block can
 * be left in its middle by a fault.
 *
 * Debian ships no header for plugins: see count.c.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS };
enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t,
					   void (*)(qemu_plugin_id_t, struct qemu_plugin_tb *));
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t, void (*)(qemu_plugin_id_t, void *), void *);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *, void (*)(unsigned, void *),
					  enum qemu_plugin_cb_flags, void *);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *, void (*)(unsigned, void *),
					    enum qemu_plugin_cb_flags, void *);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *, enum qemu_plugin_op,
						void *, uint64_t);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *);

EXPORT int qemu_plugin_version = 1;

struct place {
	uint64_t address, count, before, sum;
};

struct block {
	struct block *next;
	uint64_t address;
	size_t length;
	struct place called; /* instructions of the function, called from here */
	struct place places[];
};

static struct block *blocks;
static struct place user;
static char out[1024] = "profile.out";
static uint64_t begin_at, end_at, function, function_size;
static bool inside;
static struct block nowhere, *last = &nowhere, *caller = &nowhere;

static void for_each_place(void (*fn)(struct place *))
{
	fn(&user);
	for (struct block *b = blocks; b; b = b->next)
		for (size_t i = 0; i < b->length; i++)
			fn(&b->places[i]);
}

static void place_begin(struct place *p)
{
	p->before = p->count;
}

static void place_end(struct place *p)
{
	p->sum += p->count - p->before;
}

static void for_each_caller(void (*fn)(struct place *))
{
	for (struct block *b = blocks; b; b = b->next)
		fn(&b->called);
}

static void at_begin(unsigned cpu, void *unused)
{
	(void)cpu;
	(void)unused;
	for_each_place(place_begin);
	for_each_caller(place_begin);
	inside = true;
}

static void at_end(unsigned cpu, void *unused)
{
	(void)cpu;
	(void)unused;
	if (inside) {
		for_each_place(place_end);
		for_each_caller(place_end);
	}
	inside = false;
}

static void block_executed(unsigned cpu, void *block)
{
	struct block *b = block;

	(void)cpu;
	if (b->address - function < function_size) {
		if (last->address - function >= function_size)
			caller = last;
		caller->called.count += b->length;
	}
	last = b;
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	size_t length = qemu_plugin_tb_n_insns(tb);
	struct block *b = calloc(1, sizeof(*b) + length * sizeof(b->places[0]));

	(void)id;
	for (size_t i = 0; i < length; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint64_t address = qemu_plugin_insn_vaddr(insn);
		struct place *p = address >> 63 ? &b->places[i] : &user;

		p->address = address;
		if (begin_at && address == begin_at)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, at_begin,
							       QEMU_PLUGIN_CB_NO_REGS, NULL);
		if (end_at && address == end_at)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, at_end, QEMU_PLUGIN_CB_NO_REGS,
							       NULL);
		qemu_plugin_register_vcpu_insn_exec_inline(insn, QEMU_PLUGIN_INLINE_ADD_U64,
							   &p->count, 1);
	}
	if (function_size)
		qemu_plugin_register_vcpu_tb_exec_cb(tb, block_executed, QEMU_PLUGIN_CB_NO_REGS, b);
	b->address = b->called.address = qemu_plugin_tb_vaddr(tb);
	b->length = length;
	b->next = blocks;
	blocks = b;
}

static FILE *file;

static void place_write(struct place *p)
{
	if (p == &user)
		fprintf(file, "user %" PRIu64 "\n", p->sum);
	else if (p->sum)
		fprintf(file, "%" PRIx64 " %" PRIu64 "\n", p->address, p->sum);
}

static void caller_write(struct place *p)
{
	if (p->sum)
		fprintf(file, "from %" PRIx64 " %" PRIu64 "\n", p->address, p->sum);
}

static void at_exit(qemu_plugin_id_t id, void *unused)
{
	(void)id;
	(void)unused;
	at_end(0, NULL);
	file = fopen(out, "w");
	if (!file) {
		perror(out);
		return;
	}
	for_each_place(place_write);
	for_each_caller(caller_write);
	fclose(file);
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv);
EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv)
{
	(void)info;
	for (int i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "out=", 4))
			snprintf(out, sizeof(out), "%s", argv[i] + 4);
		if (!strncmp(argv[i], "begin=", 6))
			begin_at = strtoull(argv[i] + 6, NULL, 0);
		if (!strncmp(argv[i], "end=", 4))
			end_at = strtoull(argv[i] + 4, NULL, 0);
		if (!strncmp(argv[i], "of=", 3))
			function = strtoull(argv[i] + 3, NULL, 0);
		if (!strncmp(argv[i], "size=", 5))
			function_size = strtoull(argv[i] + 5, NULL, 0);
	}
	inside = !begin_at;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	qemu_plugin_register_atexit_cb(id, at_exit, NULL);
	return 0;
}
