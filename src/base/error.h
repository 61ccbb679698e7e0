/*
 * Errors: a function returns 0 or -errno; whoever knows the words fills the caller's struct
 * error (last parameter, may be NULL, untouched on success); whoever a person asked prints it,
 * once. The text is one sentence without a full stop, complete enough for "locktop: %s\n".
 */
#ifndef LOCKTOP_BASE_ERROR_H
#define LOCKTOP_BASE_ERROR_H

struct error {
	int code; /* -errno */
	char text[480];
};

/*
 * Fills err (when given) with the text, made visible as by text_visible() (a name that is clean
 * already is not escaped twice), and returns code, which has to be negative. An argument may be
 * err's own text. error_sys() appends ": " and the words of the code, as strerror(3) has them,
 * also where the rest has to be cut for it. No allocation; errno stays as it was.
 */
int error_set(struct error *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int error_sys(struct error *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
