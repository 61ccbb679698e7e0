/* The small graphs of the list, counted when something changed. */
#include "config.h"
#include "ui/levels.h"

#include <string.h>

#include "base/text.h"
#include "ui/top.h"

static uint64_t hash_of(const struct entry *entry)
{
	uint64_t hash = text_hash(entry->lock->name, strlen(entry->lock->name), entry->source + 1);

	return hash ? hash : 1;
}

static int64_t slot_of(const struct model *model)
{
	return model->now_wall / (60 * NS_PER_S);
}

static uint64_t changes_of(const struct model *model, const struct entry *entry)
{
	struct series_set set = model_series(model, entry);
	uint64_t changes = 1 + set.n;

	for (size_t i = 0; i < set.n; i++)
		changes += set.at[i]->changes;
	return changes;
}

static void update_one(struct top *top, const struct model *model, const struct entry *entry)
{
	uint64_t hash = hash_of(entry), changes = changes_of(model, entry);
	struct small_graph *levels = &top->levels[hash % LEVELS_KEPT];

	if (levels->lock == hash && levels->changes == changes && levels->slot == slot_of(model))
		return;
	levels->lock = hash;
	levels->changes = changes;
	levels->slot = slot_of(model);
	column_text(levels->waits, sizeof levels->waits, COLUMN_WAITS, model, entry);
	column_text(levels->holds, sizeof levels->holds, COLUMN_HOLDS, model, entry);
}

void levels_update(struct top *top)
{
	const struct model *model = top_model(top);
	size_t first = top->first[VIEW_locks], rows = top->rows > 0 ? (size_t)top->rows : 0;

	if (top->view != VIEW_locks || top->cols < LEVELS_COLS || !model_has_metrics(model))
		return;
	for (size_t i = first; i < top->listed && i < first + rows; i++) {
		const struct entry *entry =
			model_find(model, top->list[i].source, top->list[i].lock->name);

		if (entry)
			update_one(top, model, entry);
	}
}

struct table_levels levels_of(const struct top *top, const struct entry *entry)
{
	uint64_t hash = hash_of(entry);
	const struct small_graph *levels = &top->levels[hash % LEVELS_KEPT];

	if (levels->lock != hash || levels->slot != slot_of(top_model(top)))
		return (struct table_levels){0};
	return (struct table_levels){levels->waits, levels->holds};
}
