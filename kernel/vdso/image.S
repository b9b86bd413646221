/* SPDX-License-Identifier: MIT */
/* image.S - the finished vDSO as data of the kernel. */
	.section .rodata.vdso, "a"
	.globl	vdso_image_start, vdso_image_end
	.balign	8
vdso_image_start:
	.incbin	VDSO_IMAGE
vdso_image_end:

	.section .note.GNU-stack, "", %progbits
