/* Which bucket a value belongs to. */
#include "config.h"
#include "model/histogram_private.h"

static const uint64_t power_of_ten[] = {UINT64_C(1), UINT64_C(10), UINT64_C(100), UINT64_C(1000),
	UINT64_C(10000), UINT64_C(100000), UINT64_C(1000000), UINT64_C(10000000),
	UINT64_C(100000000), UINT64_C(1000000000), UINT64_C(10000000000), UINT64_C(100000000000),
	UINT64_C(1000000000000), UINT64_C(10000000000000), UINT64_C(100000000000000)};

static uint32_t digits_of(uint64_t value)
{
	uint32_t log2 = 63 - (uint32_t)__builtin_clzll(value | 1);
	uint32_t digits = (log2 + 1) * 1233 >> 12; /* log10(2) = 1233 / 4096, a little less */

	return digits + (value >= power_of_ten[digits]);
}

/* Exact for what fits into a double. */
static uint64_t divide(uint64_t value, uint32_t power)
{
	static const double part[] = {
		1e-0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-11, 1e-12};
	uint64_t result = (uint64_t)((double)value * part[power]);

	/* A division takes several times as long; this is off by one at times. */
	result -= result * power_of_ten[power] > value;
	result += (result + 1) * power_of_ten[power] <= value;
	return result;
}

struct bucket bucket_of(uint64_t us)
{
	uint32_t digits;
	uint64_t width, hundredths;

	if (us <= EXACT)
		return (struct bucket){us, us, (uint32_t)us};
	/* 1000 to 9999 have four digits: of 1001 to 10000 all buckets have the width 10. */
	digits = digits_of(us - 1);
	width = power_of_ten[digits - 3];
	hundredths = divide(us - 1, digits - 3);
	return (struct bucket){
		.first = hundredths * width + 1,
		.last = (hundredths + 1) * width,
		.index = EXACT + 1 + (digits - 4) * 900 + (uint32_t)hundredths - 100,
	};
}
