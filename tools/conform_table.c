/* Why it works: steps come in the order of time, so one pass fills cells from the left and begins a
 * row when the time or a taken cell asks for it.
 */
#include "tools/conform_table.h"

#include <string.h>

#include "tools/text_table.h"

#define CELL_CHARS 40 /* a command and its reply stand in one line up to here, else in several */

typedef struct {
    GPtrArray *lines; /* of texts; NULL: the member does nothing */
    Ink ink;
} Cell;

typedef struct {
    int64_t at_s;
    Cell cells[MEMBER_MAX];
    bool is_sync;
} Row;

typedef struct {
    const ConformCase *of;
    GPtrArray *rows; /* of Row */
    GString *notes;  /* what was missing */
} Layout;

static void row_free(void *data)
{
    Row *row = data;

    for (uint32_t i = 0; i < MEMBER_MAX; i++)
        if (row->cells[i].lines)
            g_ptr_array_unref(row->cells[i].lines);
    g_free(row);
}

/* The last row when it is of that time and has room, else a new one. */
static Row *row_for(Layout *layout, const ConformStep *step)
{
    Row *row =
        layout->rows->len > 0 ? g_ptr_array_index(layout->rows, layout->rows->len - 1) : NULL;

    if (row && row->at_s == step->at_s && !row->is_sync && step->member > 0 &&
        !row->cells[step->member - 1].lines)
        return row;
    row = g_new0(Row, 1);
    row->at_s = step->at_s;
    row->is_sync = step->member == 0;
    g_ptr_array_add(layout->rows, row);
    return row;
}

/* Broken behind a blank or a comma where there is one; what follows is indented. */
static void add_lines(Cell *cell, const char *first_indent, const char *text)
{
    const char *indent = first_indent;

    if (!cell->lines)
        cell->lines = g_ptr_array_new_with_free_func(g_free);
    while (*text) {
        size_t room = CELL_CHARS - strlen(indent);
        const char *end = text;
        const char *after = NULL; /* the last place to break at */

        for (size_t i = 0; i < room && *end; i++) {
            if (*end == ' ' || *end == ',')
                after = end + 1;
            end = g_utf8_next_char(end);
        }
        if (*end && after)
            end = after;
        g_ptr_array_add(cell->lines, g_strdup_printf("%s%.*s", indent, (int)(end - text), text));
        g_strchomp(cell->lines->pdata[cell->lines->len - 1]);
        text = end;
        indent = "     ";
    }
}

static void fill_cell(Cell *cell, const ConformSeen *seen)
{
    g_autoptr(GString) saw = g_string_new(NULL);
    g_autofree char *both = NULL;

    if (seen->outcome == CONFORM_UNSUPPORTED)
        g_string_printf(saw, "not there");
    else if (seen->outcome == CONFORM_FAILED)
        g_string_printf(saw, "%s, expected %s", seen->got, seen->expected);
    else
        g_string_assign(saw, seen->got);
    cell->ink = seen->outcome == CONFORM_PASSED ? INK_PLAIN : INK_BAD;
    g_string_prepend(saw, "-> ");
    both = g_strconcat(seen->command, " ", saw->str, NULL);
    if (g_utf8_strlen(both, -1) <= CELL_CHARS) {
        add_lines(cell, "", both);
        return;
    }
    add_lines(cell, "", seen->command);
    add_lines(cell, "  ", saw->str);
}

static char *exchange_text(const ConformSeen *seen, uint32_t member)
{
    const ConformStep *step = seen->step;
    GString *text = g_string_new("--- sync ---");

    if (seen->outcome != CONFORM_PASSED)
        g_string_assign(text, "--- sync: members differ ---");
    else if (step->sender == member && step->effect_count > 0)
        g_string_printf(text, "--- sends %" G_GINT64_FORMAT " of its effects ---",
                        step->effect_count);
    else if (step->sender == member)
        g_string_assign(text, "--- sends its state ---");
    else if (step->sender > 0)
        g_string_assign(text, "--- takes it ---");
    return g_string_free(text, FALSE);
}

static void lay_out(void *user, const ConformSeen *seen)
{
    Layout *layout = user;
    Row *row = row_for(layout, seen->step);

    if (seen->missing[0])
        g_string_append_printf(layout->notes, "  t=%" G_GINT64_FORMAT ": %s\n", seen->step->at_s,
                               seen->missing);
    if (seen->step->member > 0) {
        fill_cell(&row->cells[seen->step->member - 1], seen);
        return;
    }
    for (uint32_t i = 0; i < layout->of->member_count; i++)
        if (seen->step->sync_members & (1u << i)) {
            g_autofree char *text = exchange_text(seen, i + 1);

            add_lines(&row->cells[i], "", text);
            row->cells[i].ink = seen->outcome == CONFORM_PASSED ? INK_QUIET : INK_BAD;
        }
}

static void add_row(TextTable *table, const Row *row, uint32_t member_count)
{
    uint32_t line_count = 1;

    for (uint32_t line = 0; line < line_count; line++) {
        g_autofree char *at =
            line == 0 ? g_strdup_printf("%" G_GINT64_FORMAT, row->at_s) : g_strdup("");

        text_table_cell(table, at);
        for (uint32_t i = 0; i < member_count; i++) {
            const Cell *cell = &row->cells[i];

            uint32_t count = cell->lines ? cell->lines->len : 0;

            text_table_ink(table, line < count ? cell->lines->pdata[line] : "", cell->ink);
            line_count = MAX(line_count, count);
        }
    }
}

static void append_rows(const Layout *layout, GString *to, bool colour)
{
    char alignment[MEMBER_MAX + 2] = "rlllll";
    g_autoptr(TextTable) table = NULL;

    alignment[layout->of->member_count + 1] = '\0';
    table = text_table_new(alignment);
    text_table_ink(table, "t", INK_STRONG);
    for (uint32_t i = 0; i < layout->of->member_count; i++) {
        g_autofree char *name = g_strdup_printf("member %u", i + 1);

        text_table_ink(table, name, INK_STRONG);
    }
    for (guint i = 0; i < layout->rows->len; i++)
        add_row(table, g_ptr_array_index(layout->rows, i), layout->of->member_count);
    text_table_append(table, to, "  ", colour);
}

ConformOutcome conform_table_append(const ConformCase *of, GString *to, bool colour)
{
    g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func(row_free);
    g_autoptr(GString) notes = g_string_new(NULL);
    Layout layout = {.of = of, .rows = rows, .notes = notes};
    ConformOutcome outcome = conform_case_run(of, lay_out, &layout);
    static const char *const modes[] = {
        [XADD_ID_SEMI_STRICT] = "semi-strict", [XADD_ID_LIBERAL] = "liberal"};

    g_string_append_printf(to, "%s: %s\n", of->name, of->about);
    if (of->source[0])
        g_string_append_printf(to, "  source: %s\n", of->source);
    if (of->is_causal)
        g_string_append(to, "  with causal consistency\n");
    if (of->is_clustered)
        g_string_append(to, "  with clustered members\n");
    if (of->xadd_id != XADD_ID_STRICT)
        g_string_append_printf(to, "  ids of XADD: %s\n", modes[of->xadd_id]);
    g_string_append_c(to, '\n');
    append_rows(&layout, to, colour);
    g_string_append(to, notes->str);
    return outcome;
}

void conform_seen_write(const ConformSeen *seen, JsonWriter *writer)
{
    const ConformStep *step = seen->step;

    json_write_int(writer, "t", step->at_s);
    if (step->member > 0) {
        json_write_int(writer, "member", step->member);
        json_write_text(writer, "command", seen->command);
        json_write_text(writer, "expected", seen->expected);
        json_write_text(writer, "got", seen->got);
    } else {
        json_write_begin_array(writer, step->sender > 0 ? "send" : "sync");
        if (step->sender > 0)
            json_write_int(writer, NULL, step->sender);
        for (uint32_t i = 0; i < MEMBER_MAX; i++)
            if (step->sync_members & (1u << i) && i + 1 != step->sender)
                json_write_int(writer, NULL, i + 1);
        json_write_end_array(writer);
        if (step->effect_count > 0)
            json_write_int(writer, "effects", step->effect_count);
        if (seen->outcome != CONFORM_PASSED) {
            json_write_text(writer, "expected", seen->expected);
            json_write_text(writer, "got", seen->got);
        }
    }
    if (seen->missing[0])
        json_write_text(writer, "missing", seen->missing);
}

static void write_step(void *user, const ConformSeen *seen)
{
    JsonWriter *writer = user;

    json_write_begin_object(writer, NULL);
    conform_seen_write(seen, writer);
    json_write_bool(writer, "passed", seen->outcome == CONFORM_PASSED);
    json_write_end_object(writer);
}

ConformOutcome conform_table_write(const ConformCase *of, JsonWriter *writer)
{
    ConformOutcome outcome;

    json_write_begin_object(writer, NULL);
    json_write_text(writer, "case", of->name);
    json_write_text(writer, "about", of->about);
    json_write_text(writer, "source", of->source);
    json_write_int(writer, "members", of->member_count);
    json_write_begin_array(writer, "steps");
    outcome = conform_case_run(of, write_step, writer);
    json_write_end_array(writer);
    json_write_bool(writer, "passed", outcome == CONFORM_PASSED);
    json_write_end_object(writer);
    return outcome;
}
