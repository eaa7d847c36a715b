/* Why it works: options are rows of a table with the offset of their field, so GLib fills a plain
 * struct and help, completion and "did you mean" read the same rows.
 */
#include "tools/subcommand.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tools/version.h"

#define SUBCOMMAND_HEAD(name)   &subcommand_##name.head,
#define SUBCOMMAND_RECORD(name) &subcommand_##name,

static const PluginHead *const heads[] = {SUBCOMMANDS(SUBCOMMAND_HEAD)};
static const Subcommand *const subcommands[] = {SUBCOMMANDS(SUBCOMMAND_RECORD)};

const PluginFamily subcommand_family = {
    .name = "subcommands",
    .noun = "subcommand",
    .summary = "what this program can be asked to do",
    .form = PLUGIN_KIND,
    .kind_key = "subcommand",
    .records = heads,
    .count = G_N_ELEMENTS(heads),
};

/* Written once, before anything else runs. */
static const char *called = "quintet";

const char *program_name(void)
{
    return called;
}

const Subcommand *subcommand_find(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(subcommands); i++)
        if (strcmp(subcommands[i]->head.name, name) == 0)
            return subcommands[i];
    return NULL;
}

ExitCode complain(const GError *error)
{
    fprintf(stderr, "quintet: %s\n", error->message);
    return g_error_matches(error, QUINTET_ERROR, QUINTET_ERROR_IO) ? EXIT_IO : EXIT_USAGE;
}

ExitCode complain_usage(const char *format, ...)
{
    g_autofree char *message = NULL;
    va_list list;

    va_start(list, format);
    message = g_strdup_vprintf(format, list);
    va_end(list);
    fprintf(stderr, "quintet: %s\n", message);
    return EXIT_USAGE;
}

ExitCode complain_name(const char *option, const char *found, const char *what,
                       const char *const *names, size_t count)
{
    const char *nearest = nearest_name(found, names, count);
    g_autoptr(GString) list = g_string_new(NULL);

    for (size_t i = 0; i < count; i++)
        g_string_append_printf(list, "%s%s", i == 0 ? "" : ", ", names[i]);
    if (nearest)
        return complain_usage("%s: \"%s\" is not %s; did you mean \"%s\"? Known: %s", option, found,
                              what, nearest, list->str);
    return complain_usage("%s: \"%s\" is not %s; known: %s", option, found, what, list->str);
}

bool option_number(const char *name, const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
    if (g_ascii_string_to_unsigned(text, 10, min, max, out, NULL))
        return true;
    complain_usage("--%s: \"%s\" is not a whole number from %" G_GUINT64_FORMAT
                   " to %" G_GUINT64_FORMAT,
                   name, text, min, max);
    return false;
}

static void print_all_help(FILE *to)
{
    fprintf(
        to,
        "quintet: what active geo-replication of Redis does to your data, clients and memory\n\n"
        "  quintet SUBCOMMAND ...\n\n");
    for (size_t i = 0; i < G_N_ELEMENTS(subcommands); i++)
        fprintf(to, "  %-12s%s\n", subcommands[i]->head.name, subcommands[i]->head.summary);
    fprintf(to, "  %-12s%s\n  %-12s%s\n", "help", "explains one of these, with examples",
            "--version", "prints the version");
    fprintf(
        to,
        "\nexit codes: 0 passed, 1 an expectation marked must failed, had no data or is not from "
        "the slice, 2 bad usage or scenario,\n  3 could not read or write, 130 interrupted\n\n"
        "try:\n  %s run scenarios/rehearsals/sports-live-score.json\n  %s help run\n",
        called, called);
}

static void print_help(const Subcommand *subcommand)
{
    printf("quintet %s%s%s\n\n%s\n", subcommand->head.name, subcommand->usage[0] ? " " : "",
           subcommand->usage, subcommand->head.summary);
    if (subcommand->option_count > 0)
        printf("\noptions:\n");
    for (size_t i = 0; i < subcommand->option_count; i++) {
        const Option *option = &subcommand->options[i];
        g_autofree char *left = g_strconcat("--", option->name, option->value ? " " : "",
                                            option->value ? option->value : "", NULL);

        printf("  %-22s%s\n", left, option->summary);
    }
    printf("\nexamples:\n%s", subcommand->examples);
}

/* Message for a word that looks like an option and is none. */
static void complain_option(const Subcommand *subcommand, const char *word)
{
    g_autofree char *found = g_strndup(word, strcspn(word, "="));
    g_autofree const char **names = g_new0(const char *, subcommand->option_count + 1);
    const char *bare = found;
    const char *nearest;

    for (size_t i = 0; i < subcommand->option_count; i++)
        names[i] = subcommand->options[i].name;
    names[subcommand->option_count] = "help";
    while (*bare == '-')
        bare++;
    nearest = nearest_name(bare, names, subcommand->option_count + 1);
    if (nearest)
        complain_usage("%s is not an option of %s; did you mean --%s? "
                       "(`quintet help %s` lists them)",
                       found, subcommand->head.name, nearest, subcommand->head.name);
    else
        complain_usage("%s is not an option of %s; `quintet help %s` lists them", found,
                       subcommand->head.name, subcommand->head.name);
}

static GOptionArg option_arg(OptionKind kind)
{
    /* "Filenames" are taken as the bytes they are; GLib would convert other texts from the locale.
     */
    switch (kind) {
    case OPTION_FLAG:
        return G_OPTION_ARG_NONE;
    case OPTION_TEXT:
        return G_OPTION_ARG_FILENAME;
    case OPTION_TEXTS:
        return G_OPTION_ARG_FILENAME_ARRAY;
    }
    return G_OPTION_ARG_NONE;
}

/* Fills the struct at into; what is left of *arguments is words, and unknown options. */
static bool options_fill(const Subcommand *subcommand, char ***arguments, void *into,
                         gboolean *help)
{
    g_autofree GOptionEntry *entries = g_new0(GOptionEntry, subcommand->option_count + 2);
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_autoptr(GError) error = NULL;

    for (size_t i = 0; i < subcommand->option_count; i++) {
        const Option *option = &subcommand->options[i];

        entries[i] = (GOptionEntry){
            .long_name = option->name,
            .arg = option_arg(option->kind),
            .arg_data = (char *)into + option->offset,
        };
    }
    entries[subcommand->option_count] =
        (GOptionEntry){.long_name = "help", .short_name = 'h', .arg_data = help};
    g_option_context_set_help_enabled(context, FALSE);
    g_option_context_set_ignore_unknown_options(context, TRUE);
    g_option_context_add_main_entries(context, entries, NULL);
    if (g_option_context_parse_strv(context, arguments, &error))
        return true;
    complain_usage("%s: %s; see `quintet help %s`", subcommand->head.name, error->message,
                   subcommand->head.name);
    return false;
}

static void options_clear(const Subcommand *subcommand, void *options)
{
    for (size_t i = 0; i < subcommand->option_count; i++) {
        void *field = (char *)options + subcommand->options[i].offset;

        if (subcommand->options[i].kind == OPTION_TEXT)
            g_free(*(char **)field);
        else if (subcommand->options[i].kind == OPTION_TEXTS)
            g_strfreev(*(char ***)field);
    }
}

/* Words in place after the program's name: no option among them, and as many as fit. */
static bool words_are_good(const Subcommand *subcommand, char **words)
{
    guint count;

    for (char **word = words; *word; word++) {
        if ((*word)[0] == '-' && (*word)[1] != '\0') {
            complain_option(subcommand, *word);
            return false;
        }
    }
    count = g_strv_length(words);
    if (count < subcommand->word_min) {
        complain_usage("%s: %s is missing; as in:\n  quintet %s %s", subcommand->head.name,
                       subcommand->word_name, subcommand->head.name, subcommand->usage);
        return false;
    }
    if (count > subcommand->word_max) {
        complain_usage("%s: \"%s\" is one word too many; as in:\n  quintet %s %s",
                       subcommand->head.name, words[subcommand->word_max], subcommand->head.name,
                       subcommand->usage);
        return false;
    }
    return true;
}

static ExitCode subcommand_start(const Subcommand *subcommand, char **argv)
{
    g_auto(GStrv) arguments = g_strdupv(argv);
    g_autofree void *options = g_malloc0(subcommand->struct_size + 1);
    gboolean help = FALSE;
    ExitCode code = EXIT_USAGE;

    if (options_fill(subcommand, &arguments, options, &help)) {
        if (help) {
            print_help(subcommand);
            code = EXIT_PASSED;
        } else if (words_are_good(subcommand, arguments + 1)) {
            code = subcommand->run(options, arguments + 1);
        }
    }
    options_clear(subcommand, options);
    return code;
}

static ExitCode complain_subcommand(const char *found)
{
    const char *names[G_N_ELEMENTS(heads) + 1];
    const char *nearest;

    for (size_t i = 0; i < G_N_ELEMENTS(heads); i++)
        names[i] = heads[i]->name;
    names[G_N_ELEMENTS(heads)] = "help";
    nearest = nearest_name(found, names, G_N_ELEMENTS(names));
    if (nearest)
        return complain_usage("\"%s\" is not a subcommand; did you mean \"%s\"? "
                              "(`quintet help` lists them)",
                              found, nearest);
    return complain_usage("\"%s\" is not a subcommand; `quintet help` lists them", found);
}

static ExitCode help_main(char **words)
{
    const Subcommand *subcommand;

    if (!words[0] || strcmp(words[0], "--help") == 0 || strcmp(words[0], "-h") == 0) {
        print_all_help(stdout);
        return EXIT_PASSED;
    }
    if (strcmp(words[0], "help") == 0) {
        printf("quintet help [SUBCOMMAND]\n\nexplains one subcommand with its options and "
               "examples, or lists all of them\n\nexamples:\n  quintet help\n  quintet help run\n");
        return EXIT_PASSED;
    }
    subcommand = subcommand_find(words[0]);
    if (!subcommand)
        return complain_subcommand(words[0]);
    print_help(subcommand);
    return EXIT_PASSED;
}

/* What was printed may never have reached its file: a full disk shows only when the buffer is
 * written. */
static ExitCode flush_output(ExitCode code)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    fprintf(stderr, "quintet: cannot write the output: disk full or pipe closed\n");
    return EXIT_IO;
}

ExitCode subcommand_main(int argc, char **argv)
{
    const Subcommand *subcommand;

    if (argc > 0)
        called = argv[0];
    if (argc < 2) {
        print_all_help(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return flush_output(help_main(argv + argc));
    if (strcmp(argv[1], "help") == 0)
        return flush_output(help_main(argv + 2));
    if (strcmp(argv[1], "--version") == 0) {
        printf("quintet %s (%s)\n", QUINTET_VERSION, QUINTET_COMPILER);
        return flush_output(EXIT_PASSED);
    }
    subcommand = subcommand_find(argv[1]);
    if (!subcommand)
        return complain_subcommand(argv[1]);
    return flush_output(subcommand_start(subcommand, argv + 1));
}
