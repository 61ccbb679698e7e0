/* The providers of programs that are tests: those of locktop, and the fake ones. */
#include "config.h"
#include "fake_provider.h"

const struct provider *const providers[] = {
	&provider_file, &provider_flock, &provider_fake, &provider_fake_queue, NULL};
