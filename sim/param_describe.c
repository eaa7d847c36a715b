/* Why it works: the same rows that parse a value say here what may be written. */
#include "sim/param.h"

#include <string.h>

#include "sim/param_value.h"

static char *kind_text(const Param *param)
{
    const char *noun = param_noun(param->kind);

    if (param->kind == PARAM_ENUM)
        return g_strjoinv("|", (gchar **)param->names);
    if (param->kind == PARAM_PLUGIN)
        return g_strdup(param->family->noun);
    if (param->kind == PARAM_BOOL)
        return g_strdup(noun);
    return g_strdup(strchr(noun, ' ') + 1);
}

static char *param_line(const Param *param, int name_width)
{
    g_autofree char *kind = kind_text(param);
    GString *line = g_string_new(NULL);
    const char *name = param->name ? param->name : "(the object)";
    char range[PARAM_TEXT_MAX];

    g_string_append_printf(line, "%-*s  %s", name_width, name, kind);
    if (*param_range_text(param, range))
        g_string_append_printf(line, ", %s", range);
    if (param->required)
        g_string_append(line, ", required");
    else if (param->fallback)
        g_string_append_printf(line, ", default %s", param->fallback);
    if (param->summary)
        g_string_append_printf(line, ": %s", param->summary);
    g_string_append_c(line, '\n');
    return g_string_free(line, FALSE);
}

char *param_describe(const ParamTable *table)
{
    GString *out = g_string_new(NULL);
    size_t width = 0;

    for (size_t i = 0; table && i < table->count; i++)
        width = MAX(width, strlen(table->params[i].name ? table->params[i].name : "(the object)"));
    for (size_t i = 0; table && i < table->count; i++) {
        g_autofree char *line = param_line(&table->params[i], (int)width);

        g_string_append(out, line);
    }
    return g_string_free(out, FALSE);
}
