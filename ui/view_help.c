/* The help: made from the table of actions, the states and the words of safety. */
#include "config.h"
#include "ui/lines.h"
#include "ui/top.h"

#include <stdio.h>

static void add_actions(struct lines *lines, const struct top *top, bool is_mutating)
{
	bool is_off = is_mutating && (top->policy->is_read_only || top->past.is_on);

	for (int i = 0; i < ACTION_COUNT; i++) {
		const struct action_info *info = &action_info[i];

		if (info->is_mutating == is_mutating)
			lines_add(lines, is_off ? STYLE_DIM : STYLE_NORMAL, info->key, "%s%s",
				info->help,
				!is_off                     ? ""
				: top->policy->is_read_only ? " - off: read-only"
							    : " - off: this is the past");
	}
}

static void add_states(struct lines *lines, bool is_ascii)
{
	char label[16];

	for (int rank = STATE_COUNT - 1; rank >= 0; rank--)
		for (enum state state = 0; state < STATE_COUNT; state++) {
			if (state_rank(state) != rank)
				continue;
			snprintf(label, sizeof label, "%s", state_word(state));
			lines_add(lines, style_of_state(state), label, "%s  %s",
				state_mark(state, is_ascii), state_help(state));
		}
}

static void make(struct lines *lines, const struct top *top)
{
	lines_heading(lines, "Keys");
	add_actions(lines, top, false);
	lines_heading(lines, "Deeds");
	if (top->policy->is_read_only)
		lines_add(lines, STYLE_WARN, "", "off: read-only (%s)", top->policy->why);
	add_actions(lines, top, true);
	lines_heading(lines, "States");
	add_states(lines, top->glyphs->is_ascii);
	lines_heading(lines, "Safety");
	lines_add(lines, style_of_safety(SAFETY_SAFE), "SAFE",
		"there is proof that nobody works under the lock: it may be released");
	lines_add(lines, style_of_safety(SAFETY_NOT_SAFE), "NOT SAFE",
		"somebody works under it: released, a second one may start beside the first");
	lines_add(lines, style_of_safety(SAFETY_UNKNOWN), "UNKNOWN",
		"cannot be known from here; the advice says where to look");
}

static size_t rows(const struct top *top)
{
	return lines_rows(top, make);
}

static void draw(const struct top *top, struct canvas *canvas, const struct layout *layout)
{
	lines_view(top, canvas, layout, make, "help");
}

const struct view view_help = {"help", IN_HELP, rows, draw};
