/* quintet digest: are two results files the same?
 *
 * Why it works: see tools/store_digest.c; when and how long something ran is in a table that is
 * left out.
 */
#include <stdio.h>

#include "tools/store.h"
#include "tools/store_schema.h"
#include "tools/subcommand.h"
#include "tools/text_table.h"

typedef struct {
    gboolean tables;
} DigestOptions;

static bool print_tables(StoreFile *store, GError **error)
{
    g_autoptr(TextTable) table = text_table_new("llr");
    g_autoptr(GString) text = g_string_new(NULL);

    for (uint32_t i = 0; i < store_table_count; i++) {
        char digest[17];
        char rows[32];
        uint64_t value;
        uint64_t count;

        if (!store_tables[i].in_digest)
            continue;
        if (!store_file_table_digest(store, i, &value, &count, error))
            return false;
        g_snprintf(digest, sizeof(digest), "%016" G_GINT64_MODIFIER "x", value);
        g_snprintf(rows, sizeof(rows), "%" G_GUINT64_FORMAT " rows", count);
        text_table_cell(table, digest);
        text_table_cell(table, store_tables[i].name);
        text_table_cell(table, rows);
    }
    text_table_append(table, text, "", false);
    fputs(text->str, stdout);
    return true;
}

static ExitCode run(const void *data, char *const *words)
{
    const DigestOptions *options = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(StoreFile) store = store_file_open_reading(words[0], &error);
    uint64_t digest;

    if (!store || (options->tables && !print_tables(store, &error)) ||
        !store_file_digest(store, &digest, &error))
        return complain(error);
    printf("%016" G_GINT64_MODIFIER "x%s\n", digest, options->tables ? "  all" : "");
    return EXIT_PASSED;
}

static const Option options_table[] = {
    {"tables", OPTION_FLAG, offsetof(DigestOptions, tables), NULL,
     "one line for each table as well"},
};

const Subcommand subcommand_digest = {
    .head = {.name = "digest", .summary = "one number for all results in a file, to compare files"},
    .usage = "FILE.db [options]",
    .examples = "  quintet digest results/sports-live-score.db\n"
                "      equal numbers: equal results, whenever and wherever they were made\n"
                "  quintet digest --tables results/sports-live-score.db\n"
                "      where two files differ\n",
    .options = options_table,
    .option_count = G_N_ELEMENTS(options_table),
    .struct_size = sizeof(DigestOptions),
    .word_min = 1,
    .word_max = 1,
    .word_name = "a results file",
    .run = run,
};
