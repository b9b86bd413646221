/* SPDX-License-Identifier: MIT */
/* selftest.h - tests that the kernel runs on itself: "selftest=NAME" or "selftest=all". */
#pragma once

/* selftest_run - what the command line asks for, if anything: one of the tests that must end in a panic, or
 * all of those that must pass, as KTAP, after which the machine is switched off. In a thread; all CPUs are
 * online. Returns only when no test was asked for. */
void selftest_run(void);
