/* The one table of actions. */
#include "config.h"
#include "ui/keymap.h"

const struct action_info action_info[ACTION_COUNT] = {
#define _(id, views, mutates, k1, k2, k3, key, brief, help) \
	[ACTION_##id] = {#id, views, mutates, {k1, k2, k3}, key, brief, help},
	ACTIONS(_)
#undef _
};

enum action keymap_find(int key, unsigned int view)
{
	if (key == KEY_NONE_)
		return ACTION_NONE;
	for (enum action action = 0; action < ACTION_COUNT; action++) {
		const struct action_info *info = &action_info[action];

		if (!(info->views & view))
			continue;
		for (size_t i = 0; i < sizeof info->keys / sizeof *info->keys; i++)
			if (info->keys[i] == key)
				return action;
	}
	return ACTION_NONE;
}
