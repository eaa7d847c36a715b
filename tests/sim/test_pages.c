/* Large tables in huge pages. */
#include "sim/pages.h"

#include <stdint.h>
#include <string.h>

#include "tests/test.h"

static void test_what_is_given_is_zeroed_aligned_and_whole(void)
{
    static const size_t sizes[] = {1, 64, 4096, 2097151, 2097152, 5000000};

    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        void *memory = NULL;
        unsigned char *bytes = pages_alloc(sizes[i], &memory);
        size_t set_count = 0;

        EXPECT_INT((uintptr_t)bytes % 64, 0);
        for (size_t k = 0; k < sizes[i]; k++)
            set_count += bytes[k] != 0;
        EXPECT_INT(set_count, 0);
        memset(bytes, 255, sizes[i]);
        g_free(memory);
    }
}

static const TestCase cases[] = {
    TEST(test_what_is_given_is_zeroed_aligned_and_whole),
};
TEST_MAIN("pages", cases)
