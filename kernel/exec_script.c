/* SPDX-License-Identifier: MIT */
/*
 * exec_script.c - files that begin with #! and the name of the program that is to read them.
 *
 *	#!interpreter [one argument, blanks and all]
 *
 * becomes: interpreter [argument] script-path arguments-of-execve-but-the-first.
 */
#include <uapi/errno.h>
#include "kernel/exec.h"
#include "lib/string.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* cut_line - the text behind #! as a string without blanks around it. False: there is none, or the line does
 * not end within what we look at, and its first word, the interpreter's name, may be cut as well. */
static bool cut_line(char head[SCRIPT_HEAD + 1], char **line)
{
	char *last = head + SCRIPT_HEAD - 1, *end = strchr(head, '\n'), *start = head + 2;

	while (is_blank(*start))
		start++;
	if (!end) {
		const char *word = start;

		while (*word && !is_blank(*word))
			word++;
		end = MIN(head + strlen(head), last);
		if (word > last)
			return false;
		if (!*start) { /* a file that ends here: an empty name, which is the working directory's */
			*line = start;
			return true;
		}
	}
	while (end > start && is_blank(end[-1]))
		end--;
	*end = 0;
	*line = start;
	return end > start;
}

/* split_argument - cut the interpreter's name off; what follows, NULL for nothing. */
static char *split_argument(char *line)
{
	while (*line && !is_blank(*line))
		line++;
	if (!*line)
		return NULL;
	*line++ = 0;
	while (is_blank(*line))
		line++;
	return line;
}

int exec_script_expand(const struct exec_head *file, const char *script, struct exec_args *a,
		       char *interp)
{
	size_t len = MIN(file->len, (size_t)SCRIPT_HEAD);
	char head[SCRIPT_HEAD + 1];
	const char *strings[3];
	char *line, *argument;
	unsigned n = 0;
	int err;

	if (len < 2 || file->bytes[0] != '#' || file->bytes[1] != '!')
		return 0;
	memcpy(head, file->bytes, len);
	memset(head + len, 0, sizeof(head) - len);
	if (!cut_line(head, &line))
		return -ENOEXEC;
	if (!script)
		return -ENOENT;
	argument = split_argument(line);
	strings[n++] = line;
	if (argument)
		strings[n++] = argument;
	strings[n++] = script;
	err = exec_args_replace_first(a, strings, n);
	if (err)
		return err;
	memcpy(interp, line, strlen(line) + 1);
	return 1;
}
