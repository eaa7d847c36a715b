/* Subcommands of the program: a family like any other, one file each and one line in the list.
 *
 *     quintet run scenarios/rehearsals/sports-live-score.json
 *
 * A record names its options in a table, from which they are read, explained (`quintet help run`,
 * `quintet run --help`) and completed; a mistyped option or subcommand gets its nearest match.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/json_read.h"
#include "sim/param.h"

typedef enum {
    EXIT_PASSED = 0,
    EXIT_EXPECTATION = 1, /* a must failed, had no data or is not from this slice */
    EXIT_USAGE = 2,       /* bad usage or scenario */
    EXIT_IO = 3,          /* could not read or write */
    EXIT_INTERRUPTED = 130,
} ExitCode;

#define SUBCOMMANDS(X)                                                                             \
    X(run)                                                                                         \
    X(check)                                                                                       \
    X(conform)                                                                                     \
    X(list)                                                                                        \
    X(schema)                                                                                      \
    X(plot)                                                                                        \
    X(calibrate)                                                                                   \
    X(digest)                                                                                      \
    X(completion)

/* What an option's field in the subcommand's struct is. */
typedef enum {
    OPTION_FLAG,  /* gboolean */
    OPTION_TEXT,  /* char *, NULL when absent */
    OPTION_TEXTS, /* char **, NULL when absent; may be given more than once */
} OptionKind;

typedef struct {
    const char *name; /* "seed", without dashes */
    OptionKind kind;
    size_t offset;
    const char *value; /* what stands for it in help: "N"; NULL for flags */
    const char *summary;
} Option;

typedef struct {
    PluginHead head;
    const char *usage;    /* what follows the name: "FILE [options]" */
    const char *examples; /* lines of commands, each with what it is for */
    const Option *options;
    size_t option_count;
    size_t struct_size;       /* of what options fill, zeroed before */
    guint word_min, word_max; /* words that are no options */
    const char *word_name;    /* what the first word is, for the message when it is missing */
    /* words are NULL-terminated; both are borrowed. */
    ExitCode (*run)(const void *options, char *const *words);
} Subcommand;

#define SUBCOMMAND_DECLARE(name) extern const Subcommand subcommand_##name;
SUBCOMMANDS(SUBCOMMAND_DECLARE)
#undef SUBCOMMAND_DECLARE

extern const PluginFamily subcommand_family;

/* The whole program; what main returns. */
ExitCode subcommand_main(int argc, char **argv);
const Subcommand *subcommand_find(const char *name); /* NULL: none */

/* As it was called, for hints that can be typed again: "build/quintet". */
const char *program_name(void);

/* "quintet: MESSAGE" on stderr; returns the code that fits. */
ExitCode complain(const GError *error);
ExitCode complain_usage(const char *format, ...) G_GNUC_PRINTF(1, 2);

/* --variant: "busyy" is not a variant of shop; did you mean "busy"? Known: base, busy */
ExitCode complain_name(const char *option, const char *found, const char *what,
                       const char *const *names, size_t count);

/* Whole numbers of an option; false after complaining. */
bool option_number(const char *name, const char *text, uint64_t min, uint64_t max, uint64_t *out);
