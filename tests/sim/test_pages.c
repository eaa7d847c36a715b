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

/* From nothing, within small pages, into huge ones: what was there stays, what is new is zero. */
static void test_what_grows_keeps_its_beginning(void)
{
    static const size_t sizes[] = {64, 4096, 2097152, 5000000};
    void *memory = NULL;
    unsigned char *bytes = NULL;
    size_t used = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        size_t wrong_count = 0;

        bytes = pages_grow(bytes, used, sizes[i], &memory);
        for (size_t k = 0; k < sizes[i]; k++)
            wrong_count += bytes[k] != (k < used ? k % 251 : 0);
        EXPECT_INT(wrong_count, 0);
        used = sizes[i];
        for (size_t k = 0; k < used; k++)
            bytes[k] = (unsigned char)(k % 251);
    }
    g_free(memory);
}

static const TestCase cases[] = {
    TEST(test_what_is_given_is_zeroed_aligned_and_whole),
    TEST(test_what_grows_keeps_its_beginning),
};
TEST_MAIN("pages", cases)
