/* Why it works: each step maps the values found so far to those its selectors pick of them; ".."
 * first puts everything below in place of a value, parents before children.  A value that two ways
 * lead to is kept once, told by its name, so that repeated ".." cannot multiply.
 */
#include "models/crdt/json_path.h"

#include "models/crdt/json_path_private.h"
#include "models/crdt/json_state.h"
#include "sim/ensure.h"

bool json_path_is_legacy(const JsonPath *path)
{
    return path->is_legacy;
}

bool json_path_is_root(const JsonPath *path)
{
    return path->steps->len == 0;
}

static void add_slice(const Selector *selector, const JsonHeld *array, GPtrArray *out)
{
    int64_t count = json_view_head(array).count;
    int64_t from = selector->from == SLICE_OPEN ? 0 : selector->from;
    int64_t to = selector->to == SLICE_OPEN ? count : selector->to;

    from = from < 0 ? MAX(from + count, 0) : from;
    to = to < 0 ? to + count : MIN(to, count);
    for (; from < to; from += selector->step)
        g_ptr_array_add(out, (gpointer)json_view_at(array, (uint32_t)from));
}

static void select_all(const Selector *selector, const JsonHeld *root, const JsonHeld *of,
                       GPtrArray *out)
{
    uint32_t first = out->len, kept = out->len;

    json_view_children(of, out);
    if (selector->kind == SELECT_ALL)
        return;
    for (uint32_t i = first; i < out->len; i++)
        if (json_filter_matches(selector->filter, root, g_ptr_array_index(out, i)))
            out->pdata[kept++] = out->pdata[i];
    g_ptr_array_set_size(out, (gint)kept);
}

static void select_from(const Selector *selector, const JsonHeld *root, const JsonHeld *of,
                        GPtrArray *out)
{
    Content head = json_view_head(of);
    const JsonHeld *found = NULL;
    int64_t index;

    switch (selector->kind) {
    case SELECT_NAME:
        if (head.kind == CONTENT_OBJECT)
            found = json_view_member(
                of, (PayloadText){selector->name->str, (uint32_t)selector->name->len});
        break;
    case SELECT_INDEX:
        index = selector->from < 0 ? selector->from + head.count : selector->from;
        if (head.kind == CONTENT_ARRAY && index >= 0 && index < head.count)
            found = json_view_at(of, (uint32_t)index);
        break;
    case SELECT_SLICE:
        if (head.kind == CONTENT_ARRAY)
            add_slice(selector, of, out);
        break;
    case SELECT_ALL:
    case SELECT_FILTER:
        select_all(selector, root, of, out);
        break;
    }
    if (found)
        g_ptr_array_add(out, (gpointer)found);
}

/* The value and all below it, parents first. */
static void add_deep(const JsonHeld *held, GPtrArray *out)
{
    g_autoptr(GPtrArray) children = g_ptr_array_new();

    g_ptr_array_add(out, (gpointer)held);
    json_view_children(held, children);
    for (uint32_t i = 0; i < children->len; i++)
        add_deep(g_ptr_array_index(children, i), out);
}

/* Keeps the first of each. */
static void drop_repeated(GPtrArray *found)
{
    g_autoptr(GHashTable) seen = NULL;
    uint32_t kept = 0;

    if (found->len < 2)
        return;
    seen = g_hash_table_new(json_id_hash, json_id_hash_equal);
    for (uint32_t i = 0; i < found->len; i++) {
        JsonHeld *held = g_ptr_array_index(found, i);

        if (g_hash_table_add(seen, &held->id))
            found->pdata[kept++] = held;
    }
    g_ptr_array_set_size(found, (gint)kept);
}

static GPtrArray *take_step(const Step *step, const JsonHeld *root, GPtrArray *from)
{
    g_autoptr(GPtrArray) deep = g_ptr_array_new();
    GPtrArray *out = g_ptr_array_new();

    if (step->is_deep) {
        for (uint32_t i = 0; i < from->len; i++)
            add_deep(g_ptr_array_index(from, i), deep);
        drop_repeated(deep);
        from = deep;
    }
    for (uint32_t i = 0; i < from->len; i++)
        for (uint32_t s = 0; s < step->selectors->len; s++)
            select_from(g_ptr_array_index(step->selectors, s), root, g_ptr_array_index(from, i),
                        out);
    drop_repeated(out);
    return out;
}

static void walk(const JsonPath *path, uint32_t steps, const JsonHeld *root, const JsonHeld *base,
                 GPtrArray *out)
{
    g_autoptr(GPtrArray) found = g_ptr_array_new();

    if (!base)
        return;
    g_ptr_array_add(found, (gpointer)base);
    for (uint32_t i = 0; i < steps && found->len > 0; i++) {
        GPtrArray *next = take_step(g_ptr_array_index(path->steps, i), root, found);

        g_ptr_array_unref(found);
        found = next;
    }
    for (uint32_t i = 0; i < found->len; i++)
        g_ptr_array_add(out, g_ptr_array_index(found, i));
}

void json_path_walk(const JsonPath *path, const JsonHeld *root, const JsonHeld *base,
                    GPtrArray *out)
{
    walk(path, path->steps->len, root, path->is_absolute ? root : base, out);
}

void json_path_find(const JsonPath *path, const JsonHeld *root, GPtrArray *out)
{
    json_path_walk(path, root, root, out);
}

/* NULL: the step may name more than one place. */
static const Selector *only_selector(const Step *step)
{
    const Selector *selector = g_ptr_array_index(step->selectors, 0);
    bool is_place = selector->kind == SELECT_NAME || selector->kind == SELECT_INDEX;

    return is_place && !step->is_deep && step->selectors->len == 1 ? selector : NULL;
}

bool json_path_is_static(const JsonPath *path)
{
    for (uint32_t i = 0; i < path->steps->len; i++)
        if (!only_selector(g_ptr_array_index(path->steps, i)))
            return false;
    return true;
}

const JsonHeld *json_path_find_parent(const JsonPath *path, const JsonHeld *root,
                                      PayloadText *out_name)
{
    g_autoptr(GPtrArray) found = g_ptr_array_new();
    uint32_t last = path->steps->len - 1;
    const Selector *selector;

    ensure(path->steps->len > 0);
    selector = only_selector(g_ptr_array_index(path->steps, last));
    ensure(selector);
    *out_name = (PayloadText){0};
    if (selector->kind == SELECT_NAME)
        *out_name = (PayloadText){selector->name->str, (uint32_t)selector->name->len};
    walk(path, last, root, root, found);
    return found->len > 0 ? g_ptr_array_index(found, 0) : NULL;
}
