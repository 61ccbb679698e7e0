/* What happened in one second, minute or hour. */
#include "config.h"
#include "model/metrics_private.h"

#include <errno.h>

size_t heap_bytes(size_t size)
{
	if (!size)
		return 0;
	return size <= 24 ? 32 : (size + 8 + 15) / 16 * 16;
}

int slot_reserve(struct slot *slot, const struct metric *metric)
{
	(void)metric;
	if (histogram_reserve(&slot->tally.wait, 1, 1) < 0 ||
		histogram_reserve(&slot->tally.hold, 1, 1) < 0)
		return -ENOMEM;
	return 0;
}

void slot_add(struct slot *slot, const struct metric *metric)
{
	tally_add(&slot->tally, metric);
}

int slot_reserve_tally(struct slot *slot, const struct tally *tally)
{
	if (histogram_reserve(&slot->tally.wait, tally->wait.n, tally->wait.count) < 0 ||
		histogram_reserve(&slot->tally.hold, tally->hold.n, tally->hold.count) < 0)
		return -ENOMEM;
	return 0;
}

void slot_add_tally(struct slot *slot, const struct tally *tally)
{
	tally_merge(&slot->tally, tally);
}

int slot_tally(const struct slot *slot, struct tally *into)
{
	return tally_merge(into, &slot->tally);
}

bool slot_is_empty(const struct slot *slot)
{
	return tally_is_empty(&slot->tally);
}

void slot_shrink(struct slot *slot)
{
	histogram_shrink(&slot->tally.wait);
	histogram_shrink(&slot->tally.hold);
}

size_t slot_bytes(const struct slot *slot)
{
	return histogram_bytes(&slot->tally.wait) + histogram_bytes(&slot->tally.hold);
}

void slot_release(struct slot *slot)
{
	tally_release(&slot->tally);
}
