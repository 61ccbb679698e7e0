/* What all providers share: their codes, and the claim. */
#include "config.h"
#include "backends/provider.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"

static const char *const takeover_words[] = {
#define _(id, word) word,
	TAKEOVERS(_)
#undef _
};

const char *takeover_word(enum takeover takeover)
{
	return (unsigned int)takeover < TAKEOVER_COUNT ? takeover_words[takeover] : "?";
}

int takeover_from_word(const char *word)
{
	return text_word(takeover_words, TAKEOVER_COUNT, word);
}

const struct provider *provider_for(const struct uri *uri, struct error *err)
{
	char known[200] = "";
	size_t used = 0;

	for (const struct provider *const *p = providers; *p; p++) {
		if (strcmp((*p)->scheme, uri->scheme) == 0)
			return *p;
		if (used < sizeof known)
			used += (size_t)snprintf(known + used, sizeof known - used,
				"%s%s:", used ? ", " : "", (*p)->scheme);
	}
	error_set(err, -EPROTONOSUPPORT, "no lock can be taken in '%s:', only in %s", uri->scheme,
		known);
	return NULL;
}

bool provider_is_unreachable(int code)
{
	static const int told[] = {-EBUSY, -ETIMEDOUT, -ECANCELED, -ESTALE, -EKEYREJECTED, -EINVAL,
		-ELOOP, -EMLINK, -EFBIG, -ENOTSUP, -EPERM, -ENOMEM, -EPROTONOSUPPORT};

	for (size_t i = 0; i < sizeof told / sizeof *told; i++)
		if (code == told[i])
			return false;
	return code < 0;
}

int claim_token(char token[33])
{
	unsigned char bytes[16];
	size_t have = 0;

	while (have < sizeof bytes) {
		ssize_t n = getrandom(bytes + have, sizeof bytes - have, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		have += (size_t)n;
	}
	for (size_t i = 0; i < sizeof bytes; i++)
		snprintf(token + 2 * i, 3, "%02x", bytes[i]);
	return 0;
}

void claim_self(struct claim *claim, const struct world *world, const struct here *here)
{
	int32_t pid = getpid();

	claim->here = here;
	claim->uid = (int32_t)geteuid();
	/* A start time never changes; reading it takes longer than the lock. */
	if (claim->pid == pid && claim->start)
		return;
	claim->pid = pid;
	claim->start = 0;
	proc_life(world, pid, &claim->start);
}

void occupant_text(char *dst, size_t size, const struct occupant *occupant)
{
	char age[32];
	int n;

	if (!occupant || !occupant->is_known) {
		snprintf(dst, size, "held by somebody");
		return;
	}
	n = snprintf(dst, size, "held by ");
	if (occupant->pid > 0)
		n += snprintf(dst + n, size - (size_t)n, "pid %d%s%s", occupant->pid,
			occupant->comm[0] ? " " : "", occupant->comm);
	else
		n += snprintf(dst + n, size - (size_t)n, "somebody");
	if (occupant->host[0] && (size_t)n < size)
		n += snprintf(dst + n, size - (size_t)n, " on %s", occupant->host);
	if (occupant->age >= 0 && (size_t)n < size)
		snprintf(dst + n, size - (size_t)n, " for %s",
			text_duration(age, sizeof age, occupant->age));
}
