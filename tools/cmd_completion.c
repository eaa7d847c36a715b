/* quintet completion: a bash script that completes subcommands and options.
 *
 * Why it works: the words come from the same tables as help; files are left to bash.
 */
#include <stdio.h>

#include "tools/subcommand.h"

static ExitCode run(const void *data, char *const *words)
{
    (void)data;
    (void)words;
    printf("# bash completion for quintet: source <(quintet completion)\n"
           "_quintet() {\n"
           "    local word=${COMP_WORDS[COMP_CWORD]} words\n"
           "    case ${COMP_WORDS[1]} in\n");
    for (size_t i = 0; i < subcommand_family.count; i++) {
        const Subcommand *subcommand = subcommand_find(subcommand_family.records[i]->name);

        printf("    %s) words='--help", subcommand->head.name);
        for (size_t o = 0; o < subcommand->option_count; o++)
            printf(" --%s", subcommand->options[o].name);
        printf("' ;;\n");
    }
    printf("    esac\n    [ \"$COMP_CWORD\" = 1 ] && words='help --version");
    for (size_t i = 0; i < subcommand_family.count; i++)
        printf(" %s", subcommand_family.records[i]->name);
    printf("'\n    COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n}\n"
           "complete -o default -F _quintet quintet\n");
    return EXIT_PASSED;
}

const Subcommand subcommand_completion = {
    .head = {.name = "completion",
             .summary = "print a bash script that completes commands and options"},
    .usage = "",
    .examples = "  source <(quintet completion)\n",
    .run = run,
};
