/* Columns of text for people: as wide as their widest cell, numbers to the right.
 *
 * Widths count characters, not bytes, so that names in any script line up.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "tools/terminal.h"

typedef struct TextTable TextTable;

/* One letter per column: 'l' to the left, 'r' to the right. */
TextTable *text_table_new(const char *alignment);
void text_table_free(TextTable *table);

void text_table_cell(TextTable *table, const char *text); /* the next one; copied */
void text_table_ink(TextTable *table, const char *text, Ink ink);
void text_table_append(const TextTable *table, GString *to, const char *indent, bool colour);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(TextTable, text_table_free)
