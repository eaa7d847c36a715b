/* quintet schema: the JSON Schema of scenario files.
 *
 * Why it works: it is generated from the tables that parse scenarios, so an editor that validates
 * with it agrees with the loader.  Its $id has a scheme: a relative one is no base that $refs
 * could be resolved against, and python3-jsonschema 4.10 refuses every document then.
 */
#include <stdio.h>

#include "models/scenario/scenario.h"
#include "tools/subcommand.h"

static ExitCode run(const void *data, char *const *words)
{
    g_autofree char *text =
        param_schema(&scenario_table, "urn:quintet:scenario:1", "A scenario of quintet");

    (void)data;
    (void)words;
    fputs(text, stdout);
    if (!g_str_has_suffix(text, "\n"))
        fputc('\n', stdout);
    return EXIT_PASSED;
}

const Subcommand subcommand_schema = {
    .head = {.name = "schema", .summary = "print the JSON Schema of scenario files"},
    .usage = "",
    .examples = "  quintet schema > scenario.schema.json\n"
                "      for an editor, or for python3-jsonschema\n",
    .run = run,
};
