#include "config.h"

#include "made_world.h"

static void a_file_of_the_tree_is_read(void **state)
{
	struct made_world made;
	char text[64];

	(void)state;
	make_world(&made);
	put(&made, "4711/stat", "4711 (sh) S 1\n");
	assert_int_equal(world_read(&made.world, "4711/stat", text, sizeof text), 14);
	assert_string_equal(text, "4711 (sh) S 1\n");
	unmake_world(&made);
}

static void a_long_file_is_cut_and_terminated(void **state)
{
	struct made_world made;
	char text[6];

	(void)state;
	make_world(&made);
	put(&made, "locks", "0123456789");
	assert_int_equal(world_read(&made.world, "locks", text, sizeof text), 5);
	assert_string_equal(text, "01234");
	unmake_world(&made);
}

static void a_missing_file_is_an_error(void **state)
{
	struct made_world made;
	char text[8] = "before";
	char *all = NULL;

	(void)state;
	make_world(&made);
	assert_int_equal(world_read(&made.world, "1/stat", text, sizeof text), -ENOENT);
	assert_int_equal(world_link(&made.world, "1/ns/pid", text, sizeof text), -ENOENT);
	assert_int_equal(world_read_all(&made.world, "locks", &all, NULL), -ENOENT);
	assert_null(all);
	unmake_world(&made);
}

static void a_file_of_any_size_is_read_whole(void **state)
{
	struct made_world made;
	size_t size = 300 * 1024;
	char *content = malloc(size), *all;
	unsigned int reads = 0;

	(void)state;
	make_world(&made);
	assert_non_null(content);
	for (size_t i = 0; i < size; i++)
		content[i] = (char)('a' + i % 26);
	put_bytes(&made, "locks", content, size);
	assert_int_equal(world_read_all(&made.world, "locks", &all, &reads), size);
	assert_memory_equal(all, content, size);
	assert_int_equal(all[size], 0);
	assert_true(reads > 1);
	free(all);
	free(content);
	unmake_world(&made);
}

static void an_empty_file_is_an_empty_text(void **state)
{
	struct made_world made;
	unsigned int reads = 9;
	char *all;

	(void)state;
	make_world(&made);
	put(&made, "locks", "");
	assert_int_equal(world_read_all(&made.world, "locks", &all, &reads), 0);
	assert_string_equal(all, "");
	assert_int_equal(reads, 0);
	free(all);
	unmake_world(&made);
}

static void a_link_is_read_not_followed(void **state)
{
	struct made_world made;
	char text[64];

	(void)state;
	make_world(&made);
	put_link(&made, "self/ns/pid", "pid:[4026531836]");
	assert_int_equal(world_link(&made.world, "self/ns/pid", text, sizeof text), 16);
	assert_string_equal(text, "pid:[4026531836]");
	assert_int_equal(world_link(&made.world, "self/ns/pid", text, 5), 4);
	assert_string_equal(text, "pid:");
	unmake_world(&made);
}

static void a_tree_is_not_this_machine(void **state)
{
	struct made_world made;
	struct world real;
	char text[64];

	(void)state;
	make_world(&made);
	assert_false(made.world.is_real);
	unmake_world(&made);

	open_real(&real);
	assert_true(real.is_real);
	assert_true(world_read(&real, "self/stat", text, sizeof text) > 0);
	assert_int_equal(strtol(text, NULL, 10), getpid());
	world_close(&real);
	assert_int_equal(real.proc, -1);
}

static void a_root_without_proc_is_named(void **state)
{
	struct world world = {.proc = -7};
	struct error err = {0};

	(void)state;
	assert_int_equal(world_open(&world, "/no/such/root", &clock_system, &err), -ENOENT);
	assert_non_null(strstr(err.text, "/no/such/root/proc"));
	assert_int_equal(world.proc, -7);
}

static void without_proc_nothing_is_found(void **state)
{
	struct world world = {.proc = -1, .is_real = true, .clock = &clock_system};
	char text[8];

	(void)state;
	assert_int_equal(world_read(&world, "locks", text, sizeof text), -ENOENT);
	assert_int_equal(world_link(&world, "self", text, sizeof text), -ENOENT);
	assert_int_equal(world_openat(&world, "locks", O_RDONLY), -ENOENT);
	world_close(&world);
}

static void descriptors_are_not_inherited(void **state)
{
	struct world real;
	int fd;

	(void)state;
	open_real(&real);
	fd = world_openat(&real, "locks", O_RDONLY);
	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(real.proc, F_GETFD) & FD_CLOEXEC);
	close(fd);
	world_close(&real);
}

static void a_witness_older_than_the_boot_tells_of_a_step(void **state)
{
	const wall_t boot = 1760000000 * NS_PER_S;

	(void)state;
	/* Made at boot, or in a container long after it: nothing is known. */
	assert_int_equal(world_step_between(boot, boot), 0);
	assert_int_equal(world_step_between(boot + 3 * NS_PER_S, boot), 0);
	assert_int_equal(world_step_between(boot + 86400 * NS_PER_S, boot), 0);
	/* Clocks are read one after the other. */
	assert_int_equal(world_step_between(boot - 5 * NS_PER_S, boot), 0);
	/* The machine slept for a day as a snapshot. */
	assert_true(world_step_between(boot - 86400 * NS_PER_S, boot) == 86400 * NS_PER_S);
}

static void a_recorded_machine_has_no_step(void **state)
{
	struct world world = {.proc = -1, .is_real = false, .clock = &clock_system};

	(void)state;
	assert_int_equal(world_step_since_boot(&world), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_of_the_tree_is_read),
		cmocka_unit_test(a_long_file_is_cut_and_terminated),
		cmocka_unit_test(a_missing_file_is_an_error),
		cmocka_unit_test(a_file_of_any_size_is_read_whole),
		cmocka_unit_test(an_empty_file_is_an_empty_text),
		cmocka_unit_test(a_link_is_read_not_followed),
		cmocka_unit_test(a_tree_is_not_this_machine),
		cmocka_unit_test(a_root_without_proc_is_named),
		cmocka_unit_test(a_witness_older_than_the_boot_tells_of_a_step),
		cmocka_unit_test(a_recorded_machine_has_no_step),
		cmocka_unit_test(without_proc_nothing_is_found),
		cmocka_unit_test(descriptors_are_not_inherited),
	};

	return cmocka_run_group_tests_name("world", tests, NULL, NULL);
}
