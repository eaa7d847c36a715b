/* Everything that comes in kinds is found by its name, so a name stands for one thing. */
#include "tools/list_families.h"

#include <string.h>

#include "models/data/command.h"
#include "models/scenario/scenario.h"
#include "tests/test.h"

/* A name that two records have, or NULL. */
static const char *repeated_name(const PluginHead *const *records, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < i; k++)
            if (strcmp(records[i]->name, records[k]->name) == 0)
                return records[i]->name;
    return NULL;
}

static void test_a_copy_that_kept_its_name_is_found(void)
{
    static const PluginHead crash = {.name = "crash"}, isolate = {.name = "isolate"};
    static const PluginHead copy = {.name = "isolate"};
    static const PluginHead *const records[] = {&crash, &isolate, &copy};

    EXPECT_TEXT(repeated_name(records, 3), "isolate");
    EXPECT(repeated_name(records, 2) == NULL);
}

static void test_no_two_members_of_a_family_have_one_name(void)
{
    FamilyList *list = family_list_new();

    for (uint32_t i = 0; i < family_list_count(list); i++) {
        const PluginFamily *family = family_list_at(list, i);

        EXPECT_TEXT(repeated_name(family->records, family->count), NULL);
        for (uint32_t k = 0; k < i; k++)
            EXPECT(strcmp(family->name, family_list_at(list, k)->name) != 0);
    }
    family_list_free(list);
}

static void test_no_two_groups_have_one_command(void)
{
    for (size_t i = 0; i < command_count(); i++) {
        const CommandSpec *spec = command_at(i);

        EXPECT(command_find(spec->name, strlen(spec->name)) == spec);
    }
}

/* Tables of parameters are found by name too: in the JSON Schema. */
static void test_no_two_tables_of_parameters_have_one_name(void)
{
    g_autoptr(GHashTable) tables = g_hash_table_new(g_str_hash, g_str_equal);

    for (uint32_t i = 0; i < scenario_plugin_family_count; i++)
        for (size_t k = 0; k < scenario_plugin_families[i]->count; k++) {
            const ParamTable *table = scenario_plugin_families[i]->records[k]->params;
            const ParamTable *known = table ? g_hash_table_lookup(tables, table->name) : NULL;

            if (known && known != table)
                g_printerr("two tables are called %s\n", table->name);
            EXPECT(!known || known == table);
            if (table)
                g_hash_table_insert(tables, (gpointer)table->name, (gpointer)table);
        }
}

static const TestCase cases[] = {
    TEST(test_a_copy_that_kept_its_name_is_found),
    TEST(test_no_two_members_of_a_family_have_one_name),
    TEST(test_no_two_groups_have_one_command),
    TEST(test_no_two_tables_of_parameters_have_one_name),
};
TEST_MAIN("families", cases)
