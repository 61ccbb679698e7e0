/* The configuration files: libconfuse checks the types, this file the meaning, line by line. */
#include "config.h"
#include "engine/settings.h"

#include <confuse.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"
#include "base/uri.h"

enum { FILE_MAX = 1024 * 1024 };

#define OVERDUE_FACTOR 3.0

/* What is being put together. Files are read by precedence: what is set already stays. */
struct reading {
	struct settings *settings;
	struct error *err;
	const char *path; /* of the file */
	bool has_tidy, has_factor;
	bool failed; /* err has its sentence */
};

/*
 * libconfuse hands its error callback no pointer of ours, and a section's cfg_t does not know its
 * root. The pointer is set while cfg_parse_fp() runs, which is not reentrant either.
 */
static struct reading *reading_now;

static void add_known(struct buf *buf, const cfg_opt_t *opt)
{
	const char *between = ", expected one of ";

	for (; opt->name; opt++) {
		buf_addf(buf, "%s%s", between, opt->name);
		between = ", ";
	}
}

/* The first mistake is the one that is told. */
static void on_mistake(cfg_t *cfg, const char *format, va_list args)
{
	struct reading *reading = reading_now;
	struct buf known = {0};
	char text[300];

	if (!reading || reading->failed)
		return;
	vsnprintf(text, sizeof text, format, args);
	if (strncmp(format, "no such option", 14) == 0)
		add_known(&known, cfg->opts);
	error_set(reading->err, -EINVAL, "%s:%d: %s%s", reading->path, cfg->line, text,
		buf_text(&known));
	reading->failed = true;
	buf_release(&known);
}

static const char *value_of(cfg_opt_t *opt)
{
	return cfg_opt_getnstr(opt, 0);
}

static int check_duration(cfg_t *cfg, cfg_opt_t *opt)
{
	bool is_delay = strcmp(opt->name, "delay") == 0;
	int64_t least = is_delay ? 100 * NS_PER_MS : NS_PER_S, ns;

	if (text_to_duration(value_of(opt), &ns) == 0 && ns >= least)
		return 0;
	cfg_error(cfg, "%s = '%s': expected a duration of at least %s, for example %s", opt->name,
		value_of(opt), is_delay ? "0.1s" : "1s", is_delay ? "2s" : "10m");
	return -1;
}

static int check_word(cfg_t *cfg, cfg_opt_t *opt, const char *const *words)
{
	struct buf known = {0};
	const char *const *word;

	for (word = words; *word; word++)
		if (strcmp(value_of(opt), *word) == 0)
			return 0;
	for (word = words; *word; word++)
		buf_addf(&known, "%s%s", word == words ? "" : ", ", *word);
	cfg_error(cfg, "%s = '%s': expected one of %s", opt->name, value_of(opt), buf_text(&known));
	buf_release(&known);
	return -1;
}

static int check_glyphs(cfg_t *cfg, cfg_opt_t *opt)
{
	static const char *const words[] = {"auto", "ascii", "box", "braille", NULL};

	return check_word(cfg, opt, words);
}

static int check_color(cfg_t *cfg, cfg_opt_t *opt)
{
	static const char *const words[] = {"auto", "never", "16", NULL};

	return check_word(cfg, opt, words);
}

static int check_filled(cfg_t *cfg, cfg_opt_t *opt)
{
	if (value_of(opt)[strspn(value_of(opt), " \t")])
		return 0;
	cfg_error(cfg, "%s is empty", opt->name);
	return -1;
}

static int check_absolute(cfg_t *cfg, cfg_opt_t *opt)
{
	if (value_of(opt)[0] == '/')
		return 0;
	cfg_error(cfg, "%s = '%s': expected an absolute path", opt->name, value_of(opt));
	return -1;
}

static int check_metrics(cfg_t *cfg, cfg_opt_t *opt)
{
	if (value_of(opt)[0] == '/' || strcmp(value_of(opt), "none") == 0)
		return 0;
	cfg_error(cfg, "%s = '%s': expected an absolute path, or none", opt->name, value_of(opt));
	return -1;
}

/* Called for each element as it is read. */
static int check_logs(cfg_t *cfg, cfg_opt_t *opt)
{
	const char *path = cfg_opt_getnstr(opt, cfg_opt_size(opt) - 1);

	if (*path == '/')
		return 0;
	cfg_error(
		cfg, "%s: '%s': expected an absolute path, or a pattern of such", opt->name, path);
	return -1;
}

static int check_factor(cfg_t *cfg, cfg_opt_t *opt)
{
	double factor = cfg_opt_getnfloat(opt, 0);

	if (factor == 0 || (factor >= 1 && factor <= 1e6))
		return 0;
	cfg_error(cfg,
		"%s = %g: expected a number from 1 to 1000000, for example 3.0, or 0 (never)",
		opt->name, factor);
	return -1;
}

/* A place that depends on where the program was started would be another one each time. */
static int check_uri(cfg_t *cfg, cfg_opt_t *opt)
{
	struct error why;
	struct uri uri;
	bool is_relative;

	if (uri_parse(&uri, value_of(opt), &why) < 0) {
		cfg_error(cfg, "%s: %s", opt->name, why.text);
		return -1;
	}
	is_relative = strcmp(uri.scheme, "file") == 0 && uri.path[0] != '/';
	uri_release(&uri);
	if (!is_relative)
		return 0;
	cfg_error(cfg, "%s = '%s': expected an absolute path", opt->name, value_of(opt));
	return -1;
}

/* The name of a source, or an address; which of them is known when all files are read. */
static int check_default_source(cfg_t *cfg, cfg_opt_t *opt)
{
	return strpbrk(value_of(opt), ":/.") ? check_uri(cfg, opt) : check_filled(cfg, opt);
}

/* At the end of a section: what it cannot do without. */
static int check_needs(cfg_t *cfg, cfg_opt_t *opt, const char *need)
{
	cfg_t *section = cfg_opt_getnsec(opt, cfg_opt_size(opt) - 1);

	if (cfg_size(section, need))
		return 0;
	cfg_error(cfg, "%s '%s' has no %s", opt->name, cfg_title(section), need);
	return -1;
}

static int check_source(cfg_t *cfg, cfg_opt_t *opt)
{
	return check_needs(cfg, opt, "uri");
}

static int check_lock(cfg_t *cfg, cfg_opt_t *opt)
{
	return check_needs(cfg, opt, "limit");
}

static const struct {
	const char *name;
	cfg_validate_callback_t check;
} checks[] = {
	{"limit", check_duration},
	{"delay", check_duration},
	{"glyphs", check_glyphs},
	{"color", check_color},
	{"default_source", check_default_source},
	{"ssh", check_filled},
	{"audit", check_absolute},
	{"metrics", check_metrics},
	{"logs", check_logs},
	{"overdue_factor", check_factor},
	{"source", check_source},
	{"source|uri", check_uri},
	{"lock", check_lock},
	{"lock|limit", check_duration},
};

static cfg_t *new_parser(const char *path)
{
	cfg_opt_t in_source[] = {CFG_STR("uri", NULL, CFGF_NODEFAULT), CFG_END()};
	cfg_opt_t in_lock[] = {CFG_STR("limit", NULL, CFGF_NODEFAULT), CFG_END()};
	cfg_opt_t options[] = {CFG_STR("limit", NULL, CFGF_NODEFAULT),
		CFG_STR("delay", NULL, CFGF_NODEFAULT),
		CFG_BOOL("secure", cfg_false, CFGF_NODEFAULT),
		CFG_BOOL("tidy", cfg_false, CFGF_NODEFAULT),
		CFG_STR("glyphs", NULL, CFGF_NODEFAULT), CFG_STR("color", NULL, CFGF_NODEFAULT),
		CFG_STR("default_source", NULL, CFGF_NODEFAULT),
		CFG_STR("ssh", NULL, CFGF_NODEFAULT), CFG_STR("audit", NULL, CFGF_NODEFAULT),
		CFG_STR("metrics", NULL, CFGF_NODEFAULT),
		CFG_STR_LIST("logs", NULL, CFGF_NODEFAULT),
		CFG_FLOAT("overdue_factor", 0, CFGF_NODEFAULT),
		CFG_SEC("source", in_source, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES),
		CFG_SEC("lock", in_lock, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES), CFG_END()};
	cfg_t *cfg = cfg_init(options, CFGF_NONE);
	size_t i;

	if (!cfg)
		return NULL;
	cfg->filename = strdup(path); /* freed by cfg_free() */
	cfg_set_error_function(cfg, on_mistake);
	for (i = 0; i < sizeof checks / sizeof *checks; i++)
		cfg_set_validate_func(cfg, checks[i].name, checks[i].check);
	return cfg;
}

/* A string that no file before has set. */
static int take_text(cfg_t *cfg, const char *name, char **to)
{
	if (*to || !cfg_size(cfg, name))
		return 0;
	*to = strdup(cfg_getstr(cfg, name));
	return *to ? 0 : -ENOMEM;
}

/* A checked duration that no file before has set. */
static void take_duration(cfg_t *cfg, const char *name, int64_t *to)
{
	if (!*to && cfg_size(cfg, name))
		text_to_duration(cfg_getstr(cfg, name), to);
}

static const char *find_source(const struct settings *settings, const char *name)
{
	size_t i;

	for (i = 0; i < settings->sources; i++)
		if (strcmp(settings->source[i].name, name) == 0)
			return settings->source[i].uri;
	return NULL;
}

static int take_source(struct settings *settings, cfg_t *section)
{
	struct settings_source *source;

	if (find_source(settings, cfg_title(section)))
		return 0;
	source = reallocarray(settings->source, settings->sources + 1, sizeof *source);
	if (!source)
		return -ENOMEM;
	settings->source = source;
	source += settings->sources;
	source->name = strdup(cfg_title(section));
	source->uri = strdup(cfg_getstr(section, "uri"));
	settings->sources++;
	return source->name && source->uri ? 0 : -ENOMEM;
}

static int take_rule(struct settings *settings, cfg_t *section)
{
	struct settings_limit *rule;

	rule = reallocarray(settings->rule, settings->rules + 1, sizeof *rule);
	if (!rule)
		return -ENOMEM;
	settings->rule = rule;
	rule += settings->rules++;
	rule->limit = 0;
	rule->pattern = strdup(cfg_title(section));
	take_duration(section, "limit", &rule->limit);
	return rule->pattern ? 0 : -ENOMEM;
}

static int take_sections(struct settings *settings, cfg_t *cfg)
{
	unsigned int i;
	int result = 0;

	for (i = 0; !result && i < cfg_size(cfg, "source"); i++)
		result = take_source(settings, cfg_getnsec(cfg, "source", i));
	for (i = 0; !result && i < cfg_size(cfg, "lock"); i++)
		result = take_rule(settings, cfg_getnsec(cfg, "lock", i));
	return result;
}

/* The list of the first file that has one. */
static int take_logs(struct settings *settings, cfg_t *cfg)
{
	size_t n = cfg_size(cfg, "logs");

	if (settings->log || !n)
		return 0;
	settings->log = calloc(n, sizeof *settings->log);
	if (!settings->log)
		return -ENOMEM;
	for (; settings->logs < n; settings->logs++) {
		settings->log[settings->logs] =
			strdup(cfg_getnstr(cfg, "logs", (unsigned int)settings->logs));
		if (!settings->log[settings->logs])
			return -ENOMEM;
	}
	return 0;
}

/* The one setting that a file can only add to. The system's file is read last and is named. */
static int take_secure(struct reading *reading, cfg_t *cfg)
{
	char *path;

	if (!cfg_size(cfg, "secure") || !cfg_getbool(cfg, "secure"))
		return 0;
	path = strdup(reading->path);
	if (!path)
		return -ENOMEM;
	free(reading->settings->secure_in);
	reading->settings->secure_in = path;
	reading->settings->is_secure = true;
	return 0;
}

static int take_all(struct reading *reading, cfg_t *cfg)
{
	struct settings *settings = reading->settings;
	const struct {
		const char *name;
		char **to;
	} texts[] = {{"glyphs", &settings->glyphs}, {"color", &settings->color},
		{"default_source", &settings->default_source}, {"ssh", &settings->ssh},
		{"audit", &settings->audit}, {"metrics", &settings->metrics}};
	size_t i;
	int result;

	take_duration(cfg, "limit", &settings->limit);
	take_duration(cfg, "delay", &settings->delay);
	if (!reading->has_tidy && cfg_size(cfg, "tidy")) {
		reading->has_tidy = true;
		settings->tidy = cfg_getbool(cfg, "tidy");
	}
	if (!reading->has_factor && cfg_size(cfg, "overdue_factor")) {
		reading->has_factor = true;
		settings->overdue_factor = cfg_getfloat(cfg, "overdue_factor");
	}
	for (i = 0; i < sizeof texts / sizeof *texts; i++) {
		result = take_text(cfg, texts[i].name, texts[i].to);
		if (result)
			return result;
	}
	result = take_logs(settings, cfg);
	return result ? result : take_sections(settings, cfg);
}

enum {
	IS_USERS = 1,    /* counts only if it belongs to the user */
	IS_NEEDED = 2,   /* has to be there */
	ONLY_SECURE = 4, /* nothing else of it counts */
};

/* All of an open file. Its length, or -errno. */
static int read_all(int fd, struct buf *buf)
{
	char *room;
	ssize_t n;

	for (;;) {
		if (buf->len > FILE_MAX)
			return -EFBIG;
		room = buf_room(buf, 16384);
		if (!room)
			return -ENOMEM;
		n = read(fd, room, 16384);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0) {
			buf_adds(buf, ""); /* ends it with a NUL */
			return buf_failed(buf);
		}
		buf->len += (size_t)n;
	}
}

/* Another user's file could name the command that is run for ssh: sources. */
static bool is_somebody_elses(int fd)
{
	struct stat st;

	return fstat(fd, &st) < 0 || (st.st_uid != geteuid() && st.st_uid != 0);
}

/* 1: there is none that counts. */
static int load(const char *path, int flags, struct buf *text, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), result;

	if (fd < 0) {
		if (!(flags & IS_NEEDED) && (errno == ENOENT || errno == ENOTDIR))
			return 1;
		return error_sys(err, -errno, "cannot read %s", path);
	}
	if ((flags & IS_USERS) && is_somebody_elses(fd)) {
		close(fd);
		return 1;
	}
	result = read_all(fd, text);
	close(fd);
	if (result < 0)
		return error_sys(err, result, "cannot read %s", path);
	if (text->len && memchr(text->data, '\0', text->len))
		return error_set(err, -EINVAL, "%s: not a text file", path);
	return 0;
}

/* Behind a quoted string that begins at i; a backslash takes the next byte with it. */
static size_t skip_quoted(const char *text, size_t len, size_t i)
{
	char quote = text[i++];

	while (i < len && text[i] != quote)
		i += text[i] == '\\' ? 2 : 1;
	return i < len ? i + 1 : len;
}

/* What ends a comment that begins at i, or NULL when none does. "//" may stand within a word. */
static const char *comment_end(const char *text, size_t i)
{
	if (text[i] == '#')
		return "\n";
	if (strncmp(text + i, "/*", 2) == 0)
		return "*/";
	if (strncmp(text + i, "//", 2) == 0 && (!i || strchr(" \t\n={}", text[i - 1])))
		return "\n";
	return NULL;
}

static int line_of(const char *text, size_t at)
{
	int line = 1;

	while (at > 0)
		line += text[--at] == '\n';
	return line;
}

/*
 * libconfuse 3.3 counts a line of comment as three, so that its messages name the wrong line.
 * It gets the text without comments; line ends stay where they are. Returns the line of a comment
 * that never ends, which libconfuse takes for the end of the file, or 0.
 */
static int blank_comments(char *text, size_t len)
{
	const char *end;
	size_t i = 0, stop;

	while (i < len) {
		if (text[i] == '"' || text[i] == '\'') {
			i = skip_quoted(text, len, i);
			continue;
		}
		end = comment_end(text, i);
		if (!end) {
			i++;
			continue;
		}
		stop = strstr(text + i, end) ? (size_t)(strstr(text + i, end) - text) : len;
		if (*end == '*') {
			if (stop == len)
				return line_of(text, i);
			stop += 2;
		}
		for (; i < stop; i++)
			if (text[i] != '\n')
				text[i] = ' ';
	}
	return 0;
}

static int parse(struct reading *reading, cfg_t *cfg, struct buf *text, int flags)
{
	int result = CFG_PARSE_ERROR, line = blank_comments(text->data, text->len);
	FILE *file;

	if (line)
		return error_set(reading->err, -EINVAL, "%s:%d: this comment never ends",
			reading->path, line);
	file = fmemopen(text->data, text->len, "r");
	reading_now = reading;
	if (file && cfg->filename) {
		result = cfg_parse_fp(cfg, file);
		fclose(file);
	}
	reading_now = NULL;
	if (reading->failed)
		return -EINVAL;
	if (result != CFG_SUCCESS)
		return error_sys(reading->err, -ENOMEM, "%s", reading->path);
	result = take_secure(reading, cfg);
	if (!result && !(flags & ONLY_SECURE))
		result = take_all(reading, cfg);
	return result ? error_sys(reading->err, result, "%s", reading->path) : 0;
}

static int read_file(struct reading *reading, const char *path, int flags)
{
	struct buf text = {0};
	cfg_t *cfg;
	int result = load(path, flags, &text, reading->err);

	if (result || !text.len) {
		buf_release(&text);
		return result < 0 ? result : 0;
	}
	reading->path = path;
	cfg = new_parser(path);
	result = cfg ? parse(reading, cfg, &text, flags)
		     : error_sys(reading->err, -ENOMEM, "%s", path);
	if (cfg)
		cfg_free(cfg);
	buf_release(&text);
	return result;
}

/* What no file has set. A default source that is the name of one becomes its address. */
static int set_defaults(struct settings *settings)
{
	const char *uri = NULL;

	if (!settings->limit)
		settings->limit = 600 * NS_PER_S;
	if (!settings->delay)
		settings->delay = NS_PER_S;
	if (!settings->glyphs)
		settings->glyphs = strdup("auto");
	if (!settings->color)
		settings->color = strdup("auto");
	if (!settings->ssh)
		settings->ssh = strdup("ssh");
	if (settings->default_source)
		uri = find_source(settings, settings->default_source);
	if (uri) {
		free(settings->default_source);
		settings->default_source = strdup(uri);
	}
	return settings->glyphs && settings->color && settings->ssh &&
			       (!uri || settings->default_source)
		       ? 0
		       : -ENOMEM;
}

static int check_default_is_known(const struct settings *settings, struct error *err)
{
	if (!settings->default_source || strpbrk(settings->default_source, ":/."))
		return 0;
	return error_set(err, -EINVAL,
		"default_source = '%s': no source of that name, expected one or an address",
		settings->default_source);
}

int settings_read_files(
	struct settings *settings, const struct settings_files *files, struct error *err)
{
	struct settings new = {0};
	struct reading reading = {.settings = &new, .err = err};
	int result = 0;

	if (files->only)
		result = read_file(&reading, files->only, IS_NEEDED);
	else if (files->user)
		result = read_file(&reading, files->user, IS_USERS);
	if (!result)
		result = read_file(&reading, files->system, files->only ? ONLY_SECURE : 0);
	if (!reading.has_factor)
		new.overdue_factor = OVERDUE_FACTOR;
	if (!result && set_defaults(&new) < 0)
		result = error_sys(err, -ENOMEM, "configuration");
	if (!result)
		result = check_default_is_known(&new, err);
	if (result < 0) {
		settings_release(&new);
		return result;
	}
	*settings = new;
	return 0;
}

int settings_read(struct settings *settings, const char *only, struct error *err)
{
	int result;
	char *user = settings_user_path(&result);
	const struct settings_files files = {
		.system = settings_system_path(), .user = user, .only = only};

	if (result < 0)
		return error_sys(err, result, "configuration");
	result = settings_read_files(settings, &files, err);
	free(user);
	return result;
}

void settings_release(struct settings *settings)
{
	size_t i;

	for (i = 0; i < settings->sources; i++) {
		free(settings->source[i].name);
		free(settings->source[i].uri);
	}
	for (i = 0; i < settings->rules; i++)
		free(settings->rule[i].pattern);
	for (i = 0; i < settings->logs; i++)
		free(settings->log[i]);
	free(settings->log);
	free(settings->source);
	free(settings->rule);
	free(settings->glyphs);
	free(settings->color);
	free(settings->default_source);
	free(settings->ssh);
	free(settings->audit);
	free(settings->metrics);
	free(settings->secure_in);
	*settings = (struct settings){0};
}
