/* SPDX-License-Identifier: MIT */
/*
 * count.c - a QEMU plugin that counts executed guest instructions between marks.
 *
 *	-plugin ./count.so,mark=0x401000,last=0x402000
 *
 * A mark is a virtual address; each time the guest executes the instruction there, one line says how many
 * instructions were executed before it, and how many of them outside of user addresses:
 *	count: mark 0x401000 total 123456 kernel 120000
 * At the end comes a line "count: end total N kernel N". The mark given as `last` is the end: the emulator exits
 * there with status 0, for guests that would go on for ever. For one CPU: the counters are not atomic.
 *
 * Debian ships no header for plugins, so the few functions used are declared here as version 1 of the
 * interface defines them (QEMU 4.2 to 8.x; QEMU 9 changed it).
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
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *, void (*)(unsigned, void *),
					    enum qemu_plugin_cb_flags, void *);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *, enum qemu_plugin_op,
						void *, uint64_t);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *);

EXPORT int qemu_plugin_version = 1;

#define MAX_MARKS 16
static uint64_t marks[MAX_MARKS];
static unsigned nr_marks;
static uint64_t last; /* 0: none */
static uint64_t total, kernel;

static void report(const char *what)
{
	fprintf(stderr, "count: %s total %" PRIu64 " kernel %" PRIu64 "\n", what, total, kernel);
}

static void at_mark(unsigned cpu, void *address)
{
	char what[64];

	(void)cpu;
	snprintf(what, sizeof(what), "mark 0x%" PRIxPTR, (uintptr_t)address);
	report(what);
	if (last && (uintptr_t)address == last)
		exit(0);
}

static void at_exit(qemu_plugin_id_t id, void *unused)
{
	(void)id;
	(void)unused;
	report("end");
}

static bool is_mark(uint64_t address)
{
	for (unsigned i = 0; i < nr_marks; i++)
		if (marks[i] == address)
			return true;
	return false;
}

static void translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	(void)id;
	for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint64_t address = qemu_plugin_insn_vaddr(insn);

		if (is_mark(address))
			qemu_plugin_register_vcpu_insn_exec_cb(
				insn, at_mark, QEMU_PLUGIN_CB_NO_REGS, (void *)(uintptr_t)address);
		qemu_plugin_register_vcpu_insn_exec_inline(insn, QEMU_PLUGIN_INLINE_ADD_U64, &total,
							   1);
		if (address >> 63)
			qemu_plugin_register_vcpu_insn_exec_inline(insn, QEMU_PLUGIN_INLINE_ADD_U64,
								   &kernel, 1);
	}
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv)
{
	(void)info;
	for (int i = 0; i < argc; i++) {
		bool is_last = !strncmp(argv[i], "last=", 5);

		if ((is_last || !strncmp(argv[i], "mark=", 5)) && nr_marks < MAX_MARKS)
			marks[nr_marks++] = strtoull(argv[i] + 5, NULL, 0);
		if (is_last)
			last = marks[nr_marks - 1];
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
	qemu_plugin_register_atexit_cb(id, at_exit, NULL);
	return 0;
}
