/* Questions to a person on a terminal. */
#include "config.h"
#include "cli/ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

bool ask_is_terminal(void)
{
	return isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

static char *read_answer(const char *question)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	if (!ask_is_terminal())
		return NULL;
	fflush(stdout);
	fprintf(stderr, "%s ", question);
	n = getline(&line, &size, stdin);
	if (n <= 0) {
		fputc('\n', stderr);
		free(line);
		return NULL;
	}
	line[strcspn(line, "\r\n")] = '\0';
	return line;
}

bool ask_yes(const char *question)
{
	char *line = read_answer(question);
	bool is_yes = line && (strcasecmp(line, "y") == 0 || strcasecmp(line, "yes") == 0);

	free(line);
	return is_yes;
}

bool ask_typed(const char *question, const char *expected)
{
	char *line = read_answer(question);
	bool is_same = line && strcmp(line, expected) == 0;

	free(line);
	return is_same;
}

void ask_tty(char *dst, size_t size)
{
	dst[0] = '\0';
	for (int fd = 0; fd < 3; fd++)
		if (isatty(fd) && ttyname_r(fd, dst, size) == 0)
			return;
	dst[0] = '\0';
}
