/* Why it works: nothing is printed before every cell is known, so one pass finds the widths. */
#include "tools/text_table.h"

#include <string.h>

#include "sim/ensure.h"

#define GAP 2 /* blanks between columns */

typedef struct {
    char *text;
    Ink ink;
} Cell;

struct TextTable {
    char *alignment;
    guint column_count;
    GArray *cells;
};

static void cell_clear(gpointer cell)
{
    g_free(((Cell *)cell)->text);
}

TextTable *text_table_new(const char *alignment)
{
    TextTable *table = g_new0(TextTable, 1);

    table->alignment = g_strdup(alignment);
    table->column_count = (guint)strlen(alignment);
    table->cells = g_array_new(FALSE, FALSE, sizeof(Cell));
    g_array_set_clear_func(table->cells, cell_clear);
    ensure(table->column_count > 0);
    return table;
}

void text_table_free(TextTable *table)
{
    if (!table)
        return;
    g_array_free(table->cells, TRUE);
    g_free(table->alignment);
    g_free(table);
}

void text_table_ink(TextTable *table, const char *text, Ink ink)
{
    Cell cell = {.text = g_utf8_make_valid(text ? text : "", -1), .ink = ink};

    g_array_append_val(table->cells, cell);
}

void text_table_cell(TextTable *table, const char *text)
{
    text_table_ink(table, text, INK_PLAIN);
}

static glong cell_width(const Cell *cell)
{
    return g_utf8_strlen(cell->text, -1);
}

static void append_blanks(GString *to, glong count)
{
    for (glong i = 0; i < count; i++)
        g_string_append_c(to, ' ');
}

void text_table_append(const TextTable *table, GString *to, const char *indent, bool colour)
{
    g_autofree glong *widths = g_new0(glong, table->column_count);

    ensure(table->cells->len % table->column_count == 0);
    for (guint i = 0; i < table->cells->len; i++) {
        glong width = cell_width(&g_array_index(table->cells, Cell, i));
        guint column = i % table->column_count;

        widths[column] = MAX(widths[column], width);
    }
    for (guint i = 0; i < table->cells->len; i++) {
        const Cell *cell = &g_array_index(table->cells, Cell, i);
        guint column = i % table->column_count;
        glong blanks = widths[column] - cell_width(cell);
        bool last = column + 1 == table->column_count;

        if (column == 0)
            g_string_append(to, indent);
        if (table->alignment[column] == 'r')
            append_blanks(to, blanks);
        g_string_append(to, ink_begin(cell->ink, colour));
        g_string_append(to, cell->text);
        g_string_append(to, ink_end(cell->ink, colour));
        if (table->alignment[column] != 'r' && !last)
            append_blanks(to, blanks);
        if (!last)
            append_blanks(to, GAP);
        else
            g_string_append_c(to, '\n');
    }
}
