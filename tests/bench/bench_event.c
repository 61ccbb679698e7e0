/* What a lock costs on its way from a source to the model: written, read, applied, judged. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsonl.h"
#include "model/model.h"

enum { LOCKS = 20000 };

static double since(mono_t began)
{
	return (double)(clock_mono(&clock_system) - began) / LOCKS / 1000;
}

static struct event make(int i)
{
	struct event event = {.kind = EVENT_LOCK, .at = clock_wall(&clock_system)};
	struct process *holder;
	char name[40];

	snprintf(name, sizeof name, "job-%06d.lock", i);
	event.lock = lock_new(name);
	if (!event.lock)
		exit(70);
	event.lock->path = strdup("/var/lock/jobs/job-000000.lock");
	event.lock->record = (struct record){
		.format = RECORD_PLAIN, .pid = 4711, .time = 1760000000, .fence = -1, .uid = -1};
	event.lock->kernel = KERNEL_VIEW_COMPLETE;
	event.lock->dev = 65024;
	event.lock->ino = (uint64_t)i + 100000;
	event.lock->since = 1760000000 * NS_PER_S;
	event.lock->since_mono = 1000 * NS_PER_S;
	event.lock->written = 1760000000 * NS_PER_S;
	snprintf(event.lock->version, sizeof event.lock->version, "fe00:%d:0123456789abcdef", i);
	holder = lock_add_holder(event.lock);
	holder->pid = 4711;
	holder->life = LIFE_ALIVE;
	holder->start = 123456;
	holder->started = 1759990000 * NS_PER_S;
	holder->uid = 33;
	strcpy(holder->comm, "php-fpm8.2");
	holder->user = strdup("www-data");
	holder->command = strdup("php-fpm: pool www");
	return event;
}

int main(void)
{
	struct jsonl_writer writer;
	struct buf line = {0};
	struct model model;
	mono_t began, now = clock_mono(&clock_system);
	double write_us = 0, read_us = 0, apply_us = 0;
	size_t bytes;
	char *at;

	jsonl_writer_init(&writer, -1);
	for (int i = 0; i < LOCKS; i++) {
		struct event event = make(i);

		buf_clear(&line);
		began = clock_mono(&clock_system);
		event_write(&line, &event, now);
		jsonl_put_text(&writer, line.data, line.len);
		write_us += since(began);
		event_release(&event);
	}
	bytes = writer.buf.len;
	model_init(&model, "bench");
	model_add_source(&model, "/var/lock/jobs");
	model_tick(&model, now, clock_wall(&clock_system));
	at = writer.buf.data;
	for (int i = 0; i < LOCKS; i++) {
		char *end = strchr(at, '\n');
		struct event event;
		json_t *object;

		began = clock_mono(&clock_system);
		object = json_loadb(at, (size_t)(end - at), 0, NULL);
		if (event_from_json(&event, object, now, NULL) < 0)
			return 70;
		json_decref(object);
		read_us += since(began);
		began = clock_mono(&clock_system);
		model_apply(&model, 0, &event);
		apply_us += since(began);
		event_release(&event);
		at = end + 1;
	}
	printf("%-44s write %.1f, read %.1f, apply %.1f us, %zu bytes\n",
		"one lock in the event stream", write_us, read_us, apply_us, bytes / LOCKS);
	model_release(&model);
	jsonl_writer_release(&writer);
	buf_release(&line);
	return 0;
}
