/* Why it works: the table of known commands says all of it; refusals of one reason stand next to
 * their reason once, in the order in which the table first meets them.  What a workload can send is
 * what the trial of an operation lets pass, asked for each type of key; commands of the same types
 * stand together.
 */
#include "tools/list_commands.h"

#include <string.h>

#include "models/data/command_known.h"
#include "models/scenario/op_trial.h"

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

/* In lines of a width people read. */
static void append_names(GString *to, const GPtrArray *names)
{
    size_t width = LINE_CHARS;

    for (guint i = 0; i < names->len; i++) {
        const char *name = g_ptr_array_index(names, i);

        if (width + strlen(name) + 2 > LINE_CHARS) {
            g_string_append(to, i == 0 ? "  " : ",\n  ");
            width = 2;
        } else {
            g_string_append(to, ", ");
            width += 2;
        }
        g_string_append(to, name);
        width += strlen(name);
    }
    g_string_append(to, names->len == 0 ? "" : "\n");
}

/* Names of one standing and reason. */
static void append_alike(GString *to, const KnownCommand *of)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);

    for (size_t i = 0; i < command_known_count(); i++) {
        KnownCommand known = command_known_at(i);

        if (same_group(&known, of))
            g_ptr_array_add(names, name_of(&known));
    }
    append_names(to, names);
}

/* A bit for each type of key to which a workload can send it; a workload knows no subcommands. */
static uint32_t workload_types(const KnownCommand *known)
{
    uint32_t types = 0;

    if (known->standing != COMMAND_SUPPORTED || strchr(known->name, '|'))
        return 0;
    for (int type = 0; type < CRDT_TYPE_COUNT; type++)
        types |= op_trial_can_send(known->spec, type) ? 1u << type : 0;
    return types;
}

/* "hash, set"; "every type". */
static void append_types(GString *to, uint32_t types)
{
    const char *gap = "";

    if (types == (1u << CRDT_TYPE_COUNT) - 1) {
        g_string_append(to, "every type");
        return;
    }
    for (int type = 0; type < CRDT_TYPE_COUNT; type++) {
        if (!(types >> type & 1))
            continue;
        g_string_append_printf(to, "%s%s", gap, family_type_names[type]);
        gap = ", ";
    }
}

/* Commands of the types of the first that is left, which are left no longer. */
static void append_sent_alike(GString *to, uint32_t *types, size_t first)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    uint32_t alike = types[first];

    for (size_t i = first; i < command_known_count(); i++) {
        KnownCommand known = command_known_at(i);

        if (types[i] != alike)
            continue;
        g_ptr_array_add(names, name_of(&known));
        types[i] = 0;
    }
    g_string_append(to, "\nin workloads of ");
    append_types(to, alike);
    g_string_append_c(to, '\n');
    append_names(to, names);
}

static void append_sent(GString *to)
{
    g_autofree uint32_t *types = g_new0(uint32_t, command_known_count());
    uint32_t count = 0;

    for (size_t i = 0; i < command_known_count(); i++) {
        KnownCommand known = command_known_at(i);

        types[i] = workload_types(&known);
        count += types[i] != 0;
    }
    g_string_append_printf(
        to,
        "\n%u of them a workload can send, as operations of a family of the types "
        "named here; the others run in `quintet conform`\n",
        count);
    for (size_t i = 0; i < command_known_count(); i++)
        if (types[i] != 0)
            append_sent_alike(to, types, i);
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
    append_sent(to);
    if (counts[COMMAND_LATER] > 0) {
        g_string_append(to, "\nlater\n");
        append_alike(to, &later);
    }
    for (size_t i = 0; i < command_known_count(); i++) {
        KnownCommand known = command_known_at(i);

        if (known.standing != COMMAND_REFUSED || was_told(i))
            continue;
        g_string_append_printf(to, "\nrefused: %s\n", known.reason);
        append_alike(to, &known);
    }
}

static void write_command(JsonWriter *writer, const KnownCommand *known)
{
    json_write_begin_object(writer, NULL);
    json_write_text(writer, "name", known->name);
    json_write_text(writer, "standing", standings[known->standing]);
    if (known->standing == COMMAND_SUPPORTED) {
        uint32_t types = workload_types(known);

        json_write_begin_array(writer, "workload_types");
        for (int type = 0; type < CRDT_TYPE_COUNT; type++)
            if (types >> type & 1)
                json_write_text(writer, NULL, family_type_names[type]);
        json_write_end_array(writer);
    }
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

static void append_supported(GString *to, const char *shown, const KnownCommand *known)
{
    uint32_t types = workload_types(known);

    g_string_append_printf(to, "%s, supported: %s\n  workload  ", shown, known->spec->summary);
    if (types != 0) {
        g_string_append(to, "an operation of families of ");
        append_types(to, types);
    } else {
        g_string_append(to, "cannot send it; `quintet conform` runs it");
    }
    g_string_append_c(to, '\n');
}

bool list_command_append(const char *name, GString *to)
{
    g_autofree char *shown = NULL;
    KnownCommand known;

    if (!find(name, &known))
        return false;
    shown = name_of(&known);
    if (known.standing == COMMAND_SUPPORTED)
        append_supported(to, shown, &known);
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
