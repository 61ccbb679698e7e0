/*
 * Prints a list of locks as table, JSON, CSV or ids: the same model and the same columns as the
 * screen.
 */
#ifndef LOCKTOP_CLI_LISTING_H
#define LOCKTOP_CLI_LISTING_H

#include "base/buf.h"
#include "cli/options.h"

struct listing {
	enum format format;
	const enum column *field; /* NULL: the usual ones */
	size_t fields;
	int cols; /* of the terminal; 0: as wide as it needs */
	bool has_header;
};

/* Appends the text of it. 0 or -ENOMEM. */
int listing_write(const struct listing *listing, const struct model *model,
	struct entry *const *entry, size_t n, struct buf *out);
/* Prints it to stdout; cols from the terminal if there is one. 0, or -errno of the output. */
int listing_print(const struct listing *listing, const struct model *model,
	const struct selection *selection);

#endif
