/* SPDX-License-Identifier: MIT */
/*
 * page_copy.h - clearing and copying whole pages, the only kernel code that may use vector registers.
 * It saves and restores those it uses, and does not sleep, so any context may call it.
 */
#pragma once

/* page: a page-aligned kernel address, PAGE_SIZE bytes. */
void arch_page_clear(void *page);
void arch_page_copy(void *dst, const void *src);
