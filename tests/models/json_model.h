/* The slow model of a JSON document: every effect is kept, and the visible text is computed from
 * the set by the formulas of crdt-semantics.md 8 and 5, without a thought for speed.
 *
 * An assignment of a slot shows when no assignment or removal of that slot (or the key) had
 * observed it; the smallest member's comes first; elements stand where their tree says, unless
 * removed by id.  Of the members' code it shares the reading of values alone.
 */
#pragma once

#include "tests/test.h"

#include <string.h>

#include "models/crdt/json_content.h"
#include "models/crdt/json_state.h"

typedef struct {
    char *slot; /* "R", "M<container>/<key>", "E<container>/<element>" */
    JsonId id;
    JsonOrder order;
    Clock ctx; /* of an assign that stands within another value: nothing */
    bool assigns;
    Content value;
    char *key;
} ModelWrite;

typedef struct {
    JsonId id, array, parent;
    uint8_t side;
} ModelElement;

typedef struct {
    GArray *writes;   /* ModelWrite */
    GArray *elements; /* ModelElement */
    GArray *removed;  /* JsonId */
    const Effect *effect;
    PayloadText edit;
    uint32_t cursor, index;
} Model;

static inline char *model_name(JsonId id)
{
    return g_strdup_printf("%u.%" G_GUINT64_FORMAT ".%u", dot_member(id.dot), dot_seq(id.dot),
                           id.index);
}

static inline void model_take(Model *model, void *out, uint32_t size)
{
    memcpy(out, model->edit.data + model->cursor, size);
    model->cursor += size;
}

static inline JsonId model_take_id(Model *model)
{
    JsonId id = {0};

    model_take(model, &id.dot, sizeof(id.dot));
    model_take(model, &id.index, sizeof(id.index));
    return id;
}

static inline char *model_slot(char kind, JsonId container, const char *rest)
{
    g_autofree char *name = model_name(container);

    return g_strdup_printf("%c%s/%s", kind, name, rest);
}

static inline void model_value(Model *model, const char *slot, const char *key,
                               const JsonOrder *order, const Clock *ctx);

/* The value at the cursor as a new element. */
static inline JsonId model_insert(Model *model, JsonId array, JsonId parent, uint8_t side)
{
    ModelElement element = {{model->effect->dot, model->index}, array, parent, side};
    g_autofree char *name = model_name(element.id);
    g_autofree char *slot = model_slot('E', array, name);

    g_array_append_val(model->elements, element);
    model_value(model, slot, NULL, NULL, NULL);
    return element.id;
}

static inline void model_value(Model *model, const char *slot, const char *key,
                               const JsonOrder *order, const Clock *ctx)
{
    ModelWrite write = {.slot = g_strdup(slot), .assigns = true, .key = g_strdup(key)};
    JsonId last = {0};

    write.id = (JsonId){model->effect->dot, model->index++};
    write.order = order ? *order : (JsonOrder){model->effect->ts, write.id};
    if (ctx)
        write.ctx = *ctx;
    write.value = content_read(model->edit, &model->cursor);
    g_array_append_val(model->writes, write);
    for (uint32_t i = 0; write.value.kind == CONTENT_ARRAY && i < write.value.count; i++)
        last = model_insert(model, write.id, last, SIDE_RIGHT);
    for (uint32_t i = 0; write.value.kind == CONTENT_OBJECT && i < write.value.count; i++) {
        PayloadText text = content_read_key(model->edit, &model->cursor);
        g_autofree char *name = g_strndup(text.data, text.bytes);
        g_autofree char *child = model_slot('M', write.id, name);

        model_value(model, child, name, NULL, NULL);
    }
}

/* out_key: of a member; out_element: dot 0 unless it is one. */
static inline char *model_take_slot(Model *model, char **out_key, JsonId *out_element)
{
    uint8_t kind;
    JsonId container;

    *out_key = NULL;
    *out_element = (JsonId){0};
    model_take(model, &kind, 1);
    if (kind == JSON_SLOT_ROOT)
        return g_strdup("R");
    container = model_take_id(model);
    if (kind == JSON_SLOT_MEMBER) {
        PayloadText text = content_read_key(model->edit, &model->cursor);

        *out_key = g_strndup(text.data, text.bytes);
        return model_slot('M', container, *out_key);
    }
    *out_element = model_take_id(model);
    g_autofree char *name = model_name(*out_element);
    return model_slot('E', container, name);
}

static inline void model_write(Model *model, bool assigns)
{
    g_autofree char *key = NULL;
    JsonId element;
    g_autofree char *slot = model_take_slot(model, &key, &element);
    JsonOrder order = {0};
    uint8_t has_order = 0;

    if (assigns) {
        model_take(model, &has_order, 1);
        if (has_order) {
            model_take(model, &order.ts, sizeof(order.ts));
            order.id = model_take_id(model);
        }
        model_value(model, slot, key, has_order ? &order : NULL, &model->effect->ctx);
    } else if (element.dot != 0) {
        g_array_append_val(model->removed, element);
    } else {
        ModelWrite write = {.slot = g_strdup(slot), .ctx = model->effect->ctx};

        g_array_append_val(model->writes, write);
    }
}

static inline void model_inserts(Model *model)
{
    JsonId array = model_take_id(model), parent = model_take_id(model);
    uint32_t count;
    uint8_t side;

    model_take(model, &side, 1);
    model_take(model, &count, sizeof(count));
    for (; count > 0; count--) {
        parent = model_insert(model, array, parent, side);
        side = SIDE_RIGHT;
    }
}

static inline Model *model_new(void)
{
    Model *model = g_new0(Model, 1);

    model->writes = g_array_new(FALSE, FALSE, sizeof(ModelWrite));
    model->elements = g_array_new(FALSE, FALSE, sizeof(ModelElement));
    model->removed = g_array_new(FALSE, FALSE, sizeof(JsonId));
    return model;
}

static inline void model_free(Model *model)
{
    for (uint32_t i = 0; i < model->writes->len; i++) {
        g_free(g_array_index(model->writes, ModelWrite, i).slot);
        g_free(g_array_index(model->writes, ModelWrite, i).key);
    }
    g_array_unref(model->writes);
    g_array_unref(model->elements);
    g_array_unref(model->removed);
    g_free(model);
}

/* The effect and the edit must outlive the model. */
static inline void model_add(Model *model, const Effect *effect, PayloadText edit)
{
    model->effect = effect;
    model->edit = edit;
    model->cursor = model->index = 0;
    if (effect->op == EFFECT_DELETE) {
        ModelWrite write = {.slot = g_strdup("R"), .ctx = effect->ctx};

        g_array_append_val(model->writes, write);
        return;
    }
    while (model->cursor < edit.bytes) {
        uint8_t op;

        model_take(model, &op, 1);
        if (op == JSON_OP_INSERT)
            model_inserts(model);
        else
            model_write(model, op == JSON_OP_ASSIGN);
    }
}

/* The visible assignment of slot; NULL: none. */
static inline const ModelWrite *model_visible(const Model *model, const char *slot)
{
    const ModelWrite *best = NULL;

    for (uint32_t i = 0; i < model->writes->len; i++) {
        const ModelWrite *write = &g_array_index(model->writes, ModelWrite, i);
        bool is_covered = false;

        if (!write->assigns || strcmp(write->slot, slot) != 0)
            continue;
        for (uint32_t k = 0; k < model->writes->len; k++) {
            const ModelWrite *other = &g_array_index(model->writes, ModelWrite, k);

            is_covered |=
                strcmp(other->slot, slot) == 0 && clock_covers(&other->ctx, write->id.dot);
        }
        if (!is_covered && (!best || sequence_id_compare(write->id, best->id) < 0))
            best = write;
    }
    return best;
}

static inline bool model_is_removed(const Model *model, JsonId id)
{
    for (uint32_t i = 0; i < model->removed->len; i++)
        if (sequence_id_is_equal(g_array_index(model->removed, JsonId, i), id))
            return true;
    return false;
}

static inline int model_element_compare(const void *a, const void *b)
{
    return sequence_id_compare(((const ModelElement *)a)->id, ((const ModelElement *)b)->id);
}

/* Appends the ids of the visible elements of one part: those hanging from parent on side. */
static inline void model_walk(const Model *model, JsonId array, JsonId parent, uint8_t side,
                              GArray *out)
{
    g_autoptr(GArray) here = g_array_new(FALSE, FALSE, sizeof(ModelElement));

    for (uint32_t i = 0; i < model->elements->len; i++) {
        ModelElement element = g_array_index(model->elements, ModelElement, i);

        if (sequence_id_is_equal(element.array, array) &&
            sequence_id_is_equal(element.parent, parent) && element.side == side)
            g_array_append_val(here, element);
    }
    g_array_sort(here, model_element_compare);
    for (uint32_t i = 0; i < here->len; i++) {
        JsonId id = g_array_index(here, ModelElement, i).id;

        model_walk(model, array, id, SIDE_LEFT, out);
        if (!model_is_removed(model, id))
            g_array_append_val(out, id);
        model_walk(model, array, id, SIDE_RIGHT, out);
    }
}

static inline void model_print(const Model *model, const ModelWrite *write, GString *out);

static inline void model_print_array(const Model *model, JsonId array, GString *out)
{
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(JsonId));

    model_walk(model, array, (JsonId){0}, SIDE_RIGHT, ids);
    g_string_append_c(out, '[');
    for (uint32_t i = 0; i < ids->len; i++) {
        g_autofree char *name = model_name(g_array_index(ids, JsonId, i));
        g_autofree char *slot = model_slot('E', array, name);

        if (i > 0)
            g_string_append_c(out, ',');
        model_print(model, model_visible(model, slot), out);
    }
    g_string_append_c(out, ']');
}

static inline int model_place_compare(const void *a, const void *b)
{
    const ModelWrite *p = *(const ModelWrite *const *)a, *q = *(const ModelWrite *const *)b;

    if (p->order.ts.ms != q->order.ts.ms)
        return p->order.ts.ms < q->order.ts.ms ? -1 : 1;
    return sequence_id_compare(p->order.id, q->order.id);
}

static inline void model_print_object(const Model *model, JsonId object, GString *out)
{
    g_autoptr(GPtrArray) shown = g_ptr_array_new();
    g_autofree char *prefix = model_slot('M', object, "");

    for (uint32_t i = 0; i < model->writes->len; i++) {
        const ModelWrite *write = &g_array_index(model->writes, ModelWrite, i);

        if (write->assigns && g_str_has_prefix(write->slot, prefix) &&
            model_visible(model, write->slot) == write)
            g_ptr_array_add(shown, (gpointer)write);
    }
    g_ptr_array_sort(shown, model_place_compare);
    g_string_append_c(out, '{');
    for (uint32_t i = 0; i < shown->len; i++) {
        const ModelWrite *write = g_ptr_array_index(shown, i);

        if (i > 0)
            g_string_append_c(out, ',');
        g_string_append_printf(out, "\"%s\":", write->key);
        model_print(model, write, out);
    }
    g_string_append_c(out, '}');
}

static inline void model_print(const Model *model, const ModelWrite *write, GString *out)
{
    if (write->value.kind == CONTENT_ARRAY)
        model_print_array(model, write->id, out);
    else if (write->value.kind == CONTENT_OBJECT)
        model_print_object(model, write->id, out);
    else
        content_print_scalar(&write->value, out);
}

static inline char *model_shown(const Model *model)
{
    GString *out = g_string_new(NULL);
    const ModelWrite *root = model_visible(model, "R");

    if (root)
        model_print(model, root, out);
    return g_string_free(out, FALSE);
}
