/* SPDX-License-Identifier: MIT */
/*
 * hello.c - the smallest honest program: reaches main through the libc's start-up code, uses the
 * heap, stdio and a destructor, and returns. Linked four ways (glibc, musl, static-PIE of each).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int in_data = 7;
static int in_bss;
static int constructed;

__attribute__((constructor)) static void construct(void)
{
	constructed = 1;
}

static void report(int number, const char *claim, int ok, int *failures)
{
	printf("%s %d %s\n", ok ? "ok" : "not ok", number, claim);
	*failures += !ok;
}

int main(int argc, char **argv)
{
	int failures = 0;
	char *copy = strdup("heap");

	printf("KTAP version 1\n1..5\n");
	report(1, "argv_names_the_program", argc == 1 && strstr(argv[0], "hello") && !argv[1],
	       &failures);
	report(2, "constructors_ran", constructed == 1, &failures);
	report(3, "data_and_bss_have_their_values", in_data == 7 && in_bss == 0, &failures);
	report(4, "heap_works", copy && !strcmp(copy, "heap"), &failures);
	report(5, "home_is_in_the_environment", getenv("HOME") != NULL, &failures);
	free(copy);
	return failures != 0;
}
