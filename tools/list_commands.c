/* Why it works: the table of known commands says all of it; refusals of one reason stand next to
 * their reason once, in the order in which the table first meets them.
 */
#include "tools/list_commands.h"

#include <string.h>

#include "models/data/command_known.h"

#define LINE_CHARS 96

static const char *const standings[] = {
    [COMMAND_SUPPORTED] = "supported", [COMMAND_LATER] = "later", [COMMAND_REFUSED] = "refused"};

static bool same_group(const KnownCommand *a, const KnownCommand *b)
{
    return a->standing == b->standing && strcmp(a->reason, b->reason) == 0;
}

static char *name_of(const KnownCommand *known)
{
    return g_strdelimit(g_ascii_strup(known->name, -1), "|", ' ');
}

/* Names of one standing and reason, in lines of a width people read. */
static void append_names(GString *to, const KnownCommand *of)
{
    size_t width = LINE_CHARS;
    bool is_first = true;

    for (size_t i = 0; i < command_known_count(); i++) {
        KnownCommand known = command_known_at(i);
        g_autofree char *name = NULL;

        if (!same_group(&known, of))
            continue;
        name = name_of(&known);
        if (width + strlen(name) + 2 > LINE_CHARS) {
            g_string_append(to, is_first ? "  " : ",\n  ");
            width = 2;
        } else {
            g_string_append(to, ", ");
            width += 2;
        }
        g_string_append(to, name);
        width += strlen(name);
        is_first = false;
    }
    g_string_append(to, is_first ? "" : "\n");
}

/* Whether a command before it in the table has its standing and reason. */
static bool was_told(size_t index)
{
    KnownCommand known = command_known_at(index);

    for (size_t i = 0; i < index; i++) {
        KnownCommand before = command_known_at(i);

        if (same_group(&before, &known))
            return true;
    }
    return false;
}

void list_commands_append(GString *to)
{
    uint32_t counts[G_N_ELEMENTS(standings)] = {0};
    KnownCommand later = {.standing = COMMAND_LATER, .reason = ""};

    for (size_t i = 0; i < command_known_count(); i++)
        counts[command_known_at(i).standing]++;
    g_string_append_printf(
        to,
        "\nof the commands of Redis 7.0 and of its JSON module %u are supported, "
        "%u are to come, %u are refused\n",
        counts[COMMAND_SUPPORTED], counts[COMMAND_LATER], counts[COMMAND_REFUSED]);
    if (counts[COMMAND_LATER] > 0) {
        g_string_append(to, "\nlater\n");
        append_names(to, &later);
    }
    for (size_t i = 0; i < command_known_count(); i++) {
        KnownCommand known = command_known_at(i);

        if (known.standing != COMMAND_REFUSED || was_told(i))
            continue;
        g_string_append_printf(to, "\nrefused: %s\n", known.reason);
        append_names(to, &known);
    }
}

static void write_command(JsonWriter *writer, const KnownCommand *known)
{
    json_write_begin_object(writer, NULL);
    json_write_text(writer, "name", known->name);
    json_write_text(writer, "standing", standings[known->standing]);
    if (known->standing == COMMAND_REFUSED) {
        json_write_text(writer, "reason", known->reason);
        json_write_text(writer, "refused_by", known->source[0] ? "product" : "model");
        json_write_text(writer, "source", known->source);
    }
    json_write_end_object(writer);
}

void list_commands_write(JsonWriter *writer)
{
    json_write_begin_array(writer, "commands");
    for (size_t i = 0; i < command_known_count(); i++) {
        KnownCommand known = command_known_at(i);

        write_command(writer, &known);
    }
    json_write_end_array(writer);
}

/* "OBJECT ENCODING" is "object|encoding" in the table. */
static bool find(const char *name, KnownCommand *out)
{
    g_autofree char *key = g_strdelimit(g_strdup(name), " ", '|');

    return command_known_find(key, strlen(key), out);
}

bool list_command_append(const char *name, GString *to)
{
    g_autofree char *shown = NULL;
    KnownCommand known;

    if (!find(name, &known))
        return false;
    shown = name_of(&known);
    if (known.standing == COMMAND_SUPPORTED)
        g_string_append_printf(to, "%s, supported: %s\n", shown, known.spec->summary);
    else if (known.standing == COMMAND_LATER)
        g_string_append_printf(to, "%s, later: this version does not have it\n", shown);
    else
        g_string_append_printf(to, "%s, refused: %s\n", shown, known.reason);
    if (known.source[0])
        g_string_append_printf(to, "  source  redis/docs %s\n", known.source);
    return true;
}

bool list_command_write(const char *name, JsonWriter *writer)
{
    KnownCommand known;

    if (!find(name, &known))
        return false;
    write_command(writer, &known);
    return true;
}

char *list_command_nearest(const char *name)
{
    g_autofree char *upper = g_ascii_strup(name, -1);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);

    for (size_t i = 0; i < command_known_count(); i++) {
        KnownCommand known = command_known_at(i);

        g_ptr_array_add(names, name_of(&known));
    }
    return g_strdup(nearest_name(upper, (const char *const *)names->pdata, names->len));
}
