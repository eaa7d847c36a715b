/* Names become indexes once, at load; pulling a lever later cannot fail. */
#include "models/clients/levers.h"

#include <string.h>

#include "sim/json_read.h"

int32_t name_index(const char *const *names, const char *name)
{
    for (int32_t i = 0; names && names[i]; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return -1;
}

static uint32_t name_count(const char *const *names)
{
    uint32_t count = 0;

    while (names && names[count])
        count++;
    return count;
}

bool scope_member(const NameScope *scope, const char *name, const JsonNode *at, uint32_t *out,
                  GError **error)
{
    int32_t index = name_index(scope->members, name);
    const char *nearest;
    g_autofree char *list = NULL;

    if (index >= 0) {
        *out = (uint32_t)index;
        return true;
    }
    nearest = nearest_name(name, scope->members, name_count(scope->members));
    list = g_strjoinv(", ", (char **)(void *)scope->members);
    if (nearest)
        json_error(error, at, "no member is called \"%s\"; did you mean \"%s\"?", name, nearest);
    else
        json_error(error, at, "no member is called \"%s\"; there are %s", name, list);
    return false;
}

bool scope_link(const NameScope *scope, const char *text, const JsonNode *at, LinkPair out[2],
                uint32_t *out_count, GError **error)
{
    const char *mark = strpbrk(text, "~>");
    g_autofree char *from = NULL;
    uint32_t a, b;

    if (!mark) {
        json_error(error, at,
                   "\"%s\" names no link; write \"us~eu\" for both ways or \"us>eu\" for one",
                   text);
        return false;
    }
    from = g_strndup(text, (gsize)(mark - text));
    if (!scope_member(scope, from, at, &a, error) || !scope_member(scope, mark + 1, at, &b, error))
        return false;
    if (a == b) {
        json_error(error, at, "\"%s\" links a member to itself; name two members", text);
        return false;
    }
    out[0] = (LinkPair){a, b};
    out[1] = (LinkPair){b, a};
    *out_count = *mark == '~' ? 2 : 1;
    return true;
}

Link *levers_link(const Levers *levers, uint32_t from_index, uint32_t to_index)
{
    uint32_t from_id = member_id(levers->members[from_index]);
    uint32_t to_id = member_id(levers->members[to_index]);

    for (uint32_t i = 0; i < levers->link_count; i++)
        if (link_from(levers->links[i]) == from_id && link_to(levers->links[i]) == to_id)
            return levers->links[i];
    return NULL;
}
