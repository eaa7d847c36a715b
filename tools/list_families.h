/* Everything `quintet list` and completion can name: the families of plug-ins, and two lists that
 * are no plug-ins but chosen by name as well: types of data and presets of routing.
 */
#pragma once

#include "sim/param.h"
#include "tools/json_write.h"

typedef struct FamilyList FamilyList;

FamilyList *family_list_new(void);
void family_list_free(FamilyList *list);
uint32_t family_list_count(const FamilyList *list);
const PluginFamily *family_list_at(const FamilyList *list, uint32_t index);

/* What follows a member's name in its family's list: "(later)"; "" for most. */
const char *family_member_mark(const PluginFamily *family, const PluginHead *head);
/* What one member is or takes, for people. */
void family_member_describe(const PluginFamily *family, const PluginHead *head, GString *to);
/* The same as keys of an object that has been begun. */
void family_member_write(const PluginFamily *family, const PluginHead *head, JsonWriter *writer);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(FamilyList, family_list_free)
