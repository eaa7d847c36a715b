/* What a variant may change: a slip in it must not make it the base under another name. */
#include <string.h>

#include "models/scenario/scenario.h"
#include "tests/test.h"

static const char shop[] =
    "{\n"
    "\"quintet\": \"scenario/1\", \"name\": \"shop\", \"seed\": 1, \"duration\": \"90m\",\n"
    "\"params\": {\"cut\": \"20m\"},\n"
    "\"members\": {\"us\": {\"region\": \"East US\", \"memory\": {\"max\": \"4GB\"}},\n"
    " \"eu\": {\"region\": \"West Europe\", \"memory\": {\"max\": \"4GB\"}}},\n"
    "\"sites\": {\"web\": {\"home\": \"us\", \"clients\": 3}},\n"
    "\"families\": {\"cart\": {\"type\": \"hash\", \"keys\": 10, \"ops\": {\"HGET\": 1}}},\n"
    "\"workloads\": {\"buy\": {\"site\": \"web\", \"rate\": \"50/s\", \"mix\": {\"cart\": 1}}},\n"
    "\"routing\": {\"select\": \"pin\"},\n"
    "\"faults\": {\"gone\": {\"at\": \"40m\", \"for\": \"$cut\", \"isolate\": \"eu\"},\n"
    " \"crash\": {\"at\": \"70m\", \"for\": \"2m\", \"crash\": \"eu\"}},\n"
    "\"variants\": {\"v\":\n"
    "%s}}";

/* What is said of shop with that variant, NULL when it loads. */
static char *refusal(const char *variant, const char *const *sets)
{
    g_autofree char *text = g_strdup_printf(shop, variant);
    g_autoptr(GError) error = NULL;
    g_autoptr(ScenarioFile) file = scenario_file_load(
        &(ScenarioSource){.file = "shop.json", .text = text, .size = strlen(text), .sets = sets},
        &error);

    EXPECT((file == NULL) == (error != NULL));
    return error ? g_strdup(error->message) : NULL;
}

static void expect_refusal(const char *variant, const char *message)
{
    g_autofree char *said = refusal(variant, NULL);

    EXPECT_TEXT(said, message);
}

static void test_what_a_variant_removes_is_there(void)
{
    expect_refusal("{\"faults\": {\"crash\": null}}", NULL);
    expect_refusal(
        "{\"faults\": {\"crsah\": null}}",
        "in variant v: shop.json:13:13: variants.v.faults: null removes \"crsah\", which "
        "is not there; did you mean \"crash\"?");
    expect_refusal("{\"routing\": {\"retry\": null}}",
                   "in variant v: shop.json:13:14: variants.v.routing: null removes \"retry\", "
                   "which is not there; remove this null");
    /* Nor does what a variant brings along remove anything. */
    expect_refusal("{\"sites\": {\"app\": {\"home\": \"us\", \"clients\": null}}}",
                   "in variant v: shop.json:13:34: variants.v.sites.app: null removes \"clients\", "
                   "which is not there; remove this null");
}

static void test_what_a_variant_removes_may_be_gone_by_set(void)
{
    static const char *const sets[] = {"faults.crash=null", NULL};
    g_autofree char *said = refusal("{\"faults\": {\"crash\": null}}", sets);

    EXPECT_TEXT(said, NULL);
}

static void test_what_a_variant_sets_is_used(void)
{
    expect_refusal("{\"params\": {\"cut\": \"25m\"}}", NULL);
    expect_refusal("{\"params\": {\"hit\": \"10m\"}, \"faults\": {\"crash\": {\"for\": \"$hit\"}}}",
                   NULL);
    expect_refusal("{\"params\": {\"ctu\": \"25m\"}}",
                   "in variant v: shop.json:13:13: variants.v.params: nothing uses \"$ctu\"; did "
                   "you mean \"cut\"?");
    expect_refusal("{\"params\": {\"seconds\": 25}}",
                   "in variant v: shop.json:13:13: variants.v.params: nothing uses \"$seconds\"; "
                   "remove it");
}

static const TestCase cases[] = {
    TEST(test_what_a_variant_removes_is_there),
    TEST(test_what_a_variant_removes_may_be_gone_by_set),
    TEST(test_what_a_variant_sets_is_used),
};
TEST_MAIN("scenario variants", cases)
