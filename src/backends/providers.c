/* The providers of these programs. */
#include "config.h"
#include "backends/provider.h"

const struct provider *const providers[] = {&provider_file, &provider_flock, NULL};
