/* quintet completion: a bash script that completes subcommands, options, families and variants.
 *
 * Why it works: the words come from the same tables as help; files are left to bash.
 */
#include <stdio.h>

#include "tools/list_families.h"
#include "tools/subcommand.h"

/* Cases of the shell's `case $subcommand in`: the options of each. */
static void print_options(void)
{
    for (size_t i = 0; i < subcommand_family.count; i++) {
        const Subcommand *subcommand = subcommand_find(subcommand_family.records[i]->name);

        printf("    %s) words='--help", subcommand->head.name);
        for (size_t o = 0; o < subcommand->option_count; o++)
            printf(" --%s", subcommand->options[o].name);
        printf("' ;;\n");
    }
}

static void print_subcommands(void)
{
    for (size_t i = 0; i < subcommand_family.count; i++)
        printf(" %s", subcommand_family.records[i]->name);
}

/* What may follow `list`: families, then the members of the one named. */
static void print_list_words(void)
{
    g_autoptr(FamilyList) list = family_list_new();

    printf("    list)\n        [ \"$COMP_CWORD\" = 2 ] && words=\"$words");
    for (uint32_t i = 0; i < family_list_count(list); i++)
        printf(" %s", family_list_at(list, i)->name);
    printf("\"\n        [ \"$COMP_CWORD\" = 3 ] && case ${COMP_WORDS[2]} in\n");
    for (uint32_t i = 0; i < family_list_count(list); i++) {
        const PluginFamily *family = family_list_at(list, i);

        printf("        %s) words=\"$words", family->name);
        for (size_t m = 0; m < family->count; m++)
            printf(" %s", family->records[m]->name);
        printf("\" ;;\n");
    }
    printf("        esac ;;\n");
}

/* Variants are asked of the program itself, of the scenario that is on the line; so are cases, of
 * those in the default place. */
static void print_values(void)
{
    printf("    case $before in\n"
           "    --variant)\n"
           "        words=base\n"
           "        for at in \"${COMP_WORDS[@]:2}\"; do\n"
           "            [[ $at == *.json ]] && words=\"base $(\"${COMP_WORDS[0]}\" check \"$at\" "
           "--json 2>/dev/null |\n"
           "                sed -n '/\"variants\": \\[/,/\\]/{s/^ "
           "*\"\\([^\"]*\\)\",\\{0,1\\}$/\\1/p}')\"\n"
           "        done\n"
           "        COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
           "        return ;;\n"
           "    --show)\n"
           "        words=$(\"${COMP_WORDS[0]}\" conform --list --json 2>/dev/null |\n"
           "            sed -n 's/^ *\"case\": \"\\([^\"]*\\)\",$/\\1/p')\n"
           "        COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
           "        return ;;\n"
           "    --format) COMPREPLY=($(compgen -W 'png svg both' -- \"$word\")); return ;;\n"
           "    esac\n");
}

static ExitCode run(const void *data, char *const *words)
{
    (void)data;
    (void)words;
    printf(
        "# bash completion for quintet: source <(quintet completion)\n"
        "_quintet() {\n"
        "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} words at\n");
    print_values();
    printf("    case ${COMP_WORDS[1]} in\n");
    print_options();
    printf("    help) words='help");
    print_subcommands();
    printf("' ;;\n    esac\n    case ${COMP_WORDS[1]} in\n");
    print_list_words();
    printf("    esac\n    [ \"$COMP_CWORD\" = 1 ] && words='help --version");
    print_subcommands();
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
