/* Why it works: a reply is built in one pass, so its size is right whether or not a tree is asked
 * for; texts are copied into the asker's arena because the slot they come from may change in the
 * same command. */
#include "models/data/command_run.h"

#include <string.h>

#include "models/data/command_keys.h"

#define COUNTER_LIMIT ((Decimal)(INT64_C(1) << 58)) /* 59-bit range (crdt-semantics.md 3.3) */

void run_reply_arity(CommandRun *run)
{
    g_autofree char *name = g_ascii_strdown(run->command->spec->name, -1);

    run_reply_error_about(run, "ERR wrong number of arguments for '%s' command", name,
                          strlen(name));
}

bool run_check_arity(CommandRun *run)
{
    int count = (int)run_count(run) + 1;
    int arity = run->command->spec->arity;

    if (run_count(run) > 0 && run_arg(run, 0)->kind == ARG_KEY)
        return true; /* workloads leave arguments to the family's shape */
    if (arity > 0 ? count == arity : count >= -arity)
        return true;
    run_reply_arity(run);
    return false;
}

/* A clustered member can do nothing about keys of several slots at once. */
static bool check_slots(CommandRun *run)
{
    int slot = HASH_SLOT_NONE;

    if (!run->store->config.is_clustered || run_count(run) < 2 || run_arg(run, 0)->kind == ARG_KEY)
        return true;
    if (command_may_cross_slots(run->command->spec) || command_keys_share_slot(run->command, &slot))
        return true;
    run_reply_error(run, ERROR_CROSS_SLOT);
    return false;
}

Waiter *run_execute(CommandRun *run)
{
    *run->reply = (Reply){.kind = REPLY_NIL};
    if (run_check_arity(run) && check_slots(run))
        run->command->spec->run(run);
    return run->waiter;
}

void run_reply_nil(CommandRun *run)
{
    *run->reply = (Reply){.kind = REPLY_NIL};
}

void run_reply_status(CommandRun *run, const char *text)
{
    *run->reply = (Reply){.kind = REPLY_STATUS, .text = text, .bytes = strlen(text)};
}

void run_reply_ok(CommandRun *run)
{
    *run->reply = (Reply){.kind = REPLY_STATUS, .text = "OK", .bytes = 2};
}

void run_reply_error(CommandRun *run, const char *text)
{
    *run->reply = (Reply){.kind = REPLY_ERROR, .text = text, .bytes = strlen(text)};
}

void run_reply_error_about(CommandRun *run, const char *format, const char *word, size_t size)
{
    const char *at = strstr(format, "%s");
    char *text;
    size_t end;

    run_reply_error(run, format);
    if (!run->arena || !at)
        return;
    text =
        arena_printf(run->arena, "%.*s%.*s%s", (int)(at - format), format, (int)size, word, at + 2);
    /* An error is one line: breaks at its end go, others become blanks. */
    for (end = strlen(text); end > 0 && strchr("\r\n", text[end - 1]); end--)
        text[end - 1] = '\0';
    run->reply->text = g_strdelimit(text, "\r\n", ' ');
    run->reply->bytes = end;
}

#define INTEGER_REPLY_BYTES 8 /* about; the digits are not counted */

void run_reply_integer(CommandRun *run, int64_t value)
{
    *run->reply = (Reply){.kind = REPLY_INTEGER, .integer = value, .bytes = INTEGER_REPLY_BYTES};
}

static Reply bulk(CommandRun *run, PayloadText text)
{
    Reply reply = {.kind = REPLY_BULK, .bytes = text.bytes};

    if (run->arena && text.data) {
        char *copy = arena_alloc(run->arena, (size_t)text.bytes + 1);

        if (text.bytes > 0)
            memcpy(copy, text.data, text.bytes);
        reply.text = copy;
    }
    return reply;
}

void run_reply_text(CommandRun *run, PayloadText text)
{
    *run->reply = bulk(run, text);
}

void run_reply_array(CommandRun *run, uint32_t capacity)
{
    *run->reply = (Reply){.kind = REPLY_ARRAY};
    if (run->arena && capacity > 0)
        run->reply->items = arena_array(run->arena, Reply, capacity);
}

void run_reply_several(CommandRun *run, uint32_t capacity)
{
    run_reply_array(run, capacity);
    run->reply->kind = REPLY_SEVERAL;
}

static void push(CommandRun *run, Reply item)
{
    run->reply->bytes += item.bytes;
    if (run->reply->items)
        run->reply->items[run->reply->count] = item;
    run->reply->count++;
}

void run_push_nil(CommandRun *run)
{
    push(run, (Reply){.kind = REPLY_NIL});
}

void run_push_status(CommandRun *run, const char *text)
{
    push(run, (Reply){.kind = REPLY_STATUS, .text = text, .bytes = strlen(text)});
}

void run_push_integer(CommandRun *run, int64_t value)
{
    push(run, (Reply){.kind = REPLY_INTEGER, .integer = value, .bytes = INTEGER_REPLY_BYTES});
}

void run_push_text(CommandRun *run, PayloadText text)
{
    push(run, bulk(run, text));
}

void run_push_key(CommandRun *run, const Key *key, uint32_t index)
{
    run_push_text(run,
                  key->state ? (PayloadText){NULL, DECLARED_NAME_BYTES} : run_text(run, index));
}

Reply *run_open_array(CommandRun *run, uint32_t capacity)
{
    Reply *outer = run->reply;

    push(run, (Reply){.kind = REPLY_ARRAY});
    if (outer->items) {
        run->reply = &outer->items[outer->count - 1];
        run_reply_array(run, capacity);
    }
    return outer;
}

void run_close_array(CommandRun *run, Reply *outer)
{
    if (run->reply == outer)
        return;
    outer->bytes += run->reply->bytes;
    run->reply = outer;
}

bool arg_is(const Arg *arg, const char *word)
{
    size_t size = strlen(word);

    return arg->kind == ARG_BYTES && arg->bytes == size &&
           g_ascii_strncasecmp(arg->data, word, size) == 0;
}

PayloadText run_text(CommandRun *run, uint32_t index)
{
    const Arg *arg = run_arg(run, index);
    char *buffer;

    if (arg->kind == ARG_BYTES)
        return (PayloadText){arg->data ? arg->data : "", arg->bytes};
    if (arg->kind == ARG_SYNTHETIC)
        return (PayloadText){NULL, arg->bytes};
    buffer = run->store->number_text[run->store->number_text_next++ % 2];
    return (PayloadText){buffer, (uint32_t)g_snprintf(buffer, DECIMAL_TEXT_MAX, "%" G_GINT64_FORMAT,
                                                      (int64_t)arg->number)};
}

bool run_integer(CommandRun *run, uint32_t index, int64_t *out)
{
    const Arg *arg = run_arg(run, index);

    if (index >= run_count(run)) {
        run_reply_arity(run);
        return false;
    }
    if (arg->kind != ARG_BYTES) {
        *out = (int64_t)arg->number;
        return true;
    }
    if (integer_parse(arg->data, arg->bytes, out))
        return true;
    run_reply_error(run, ERROR_INTEGER);
    return false;
}

bool run_integer_within(CommandRun *run, uint32_t index, int64_t least, const char *error,
                        int64_t *out)
{
    if (run_integer(run, index, out) && *out >= least)
        return true;
    run_reply_error(run, error);
    return false;
}

void run_spot(const CommandRun *run, uint32_t index, uint64_t held, int64_t *out)
{
    const Arg *arg = run_arg(run, index);

    if (arg->kind == ARG_SPOT)
        *out = (int64_t)rng_scale(arg->number << 32, held);
}

bool run_is_given(const CommandRun *run, uint32_t index)
{
    return index < run_count(run) && run_arg(run, index)->kind != ARG_SYNTHETIC;
}

bool run_double(CommandRun *run, uint32_t index, double *out)
{
    const Arg *arg = run_arg(run, index);

    if (arg->kind != ARG_BYTES) {
        *out = (double)(int64_t)arg->number;
        return true;
    }
    if (double_parse(arg->data, arg->bytes, out))
        return true;
    run_reply_error(run, ERROR_FLOAT);
    return false;
}

DecimalReading run_amount(CommandRun *run, uint32_t index, Decimal *out)
{
    PayloadText text = run_text(run, index);
    DecimalReading reading =
        text.data ? decimal_read(text.data, text.bytes, out) : DECIMAL_MALFORMED;

    if (reading == DECIMAL_MALFORMED)
        run_reply_error(run, ERROR_FLOAT);
    return reading;
}

Value run_value(CommandRun *run, const Key *key, uint32_t index)
{
    const Arg *arg = run_arg(run, index);

    if (arg->kind == ARG_BYTES)
        return (Value){.kind = VALUE_BYTES, .data = arg->data, .bytes = arg->bytes};
    if (arg->kind == ARG_INTEGER)
        return (Value){.kind = VALUE_INTEGER, .number = arg->number, .bytes = SLOT_COUNTER_BYTES};
    if (key->state &&
        key->state->family->type == CRDT_COUNTER) /* opaque bytes would not count: SET resets */
        return (Value){.kind = VALUE_INTEGER, .bytes = arg->bytes};
    return (Value){.kind = VALUE_SYNTHETIC, .number = arg->number, .bytes = arg->bytes};
}

ElementRef run_element(CommandRun *run, const Key *key, uint32_t index)
{
    const Arg *arg = run_arg(run, index);
    ElementRef ref = {0};

    if (key->state) {
        /* Names on declared keys fall on indexes by hash; workloads give indexes. */
        uint64_t number = arg->kind == ARG_BYTES ? name_hash(arg->data, arg->bytes) : arg->number;

        ref.index = (uint32_t)(number % key->state->fields);
        return ref;
    }
    ref.name = run_text(run, index);
    ref.hash = name_hash(ref.name.data, ref.name.data ? ref.name.bytes : 0);
    return ref;
}

const Arg *run_first_of(const CommandRun *run, ArgKind kind)
{
    for (uint32_t i = 1; i < run_count(run); i++)
        if (run_arg(run, i)->kind == kind)
            return run_arg(run, i);
    return NULL;
}

int run_type(const Key *key, int type)
{
    return key->state ? key->state->family->type : type;
}

static bool type_fits(int found, int wanted)
{
    return found == wanted || (found == CRDT_COUNTER && wanted == CRDT_STRING);
}

static bool find_key(CommandRun *run, uint32_t index, Key *out)
{
    const Arg *arg;
    PayloadText name;

    if (index >= run_count(run)) {
        run_reply_arity(run);
        return false;
    }
    arg = &run->command->args[index];
    if (arg->kind == ARG_KEY) {
        if (key_of_id(run->store, arg->number, out))
            return true;
        run_reply_error(run, "ERR no such declared key");
        return false;
    }
    name = run_text(run, index);
    *out = key_of_name(run->store, name, name_hash(name.data, name.bytes));
    return true;
}

/* A born key past its deadline has no type any more; then the wrong one is overlooked. */
static bool find_unless_expired(CommandRun *run, uint32_t index, int type, Key *out,
                                bool *out_expired)
{
    int found;

    if (!find_key(run, index, out))
        return false;
    *out_expired = key_is_expired(run->store, out, run->now) && key_exists(run->store, out);
    if (type < 0 || (*out_expired && !out->state))
        return true;
    found = out->state ? out->state->family->type : key_type(run->store, out);
    if (found < 0 || type_fits(found, type))
        return true;
    run_reply_error(run, ERROR_WRONGTYPE);
    return false;
}

bool run_find(CommandRun *run, uint32_t index, int type, Key *out, bool *out_exists)
{
    bool expired;

    if (!find_unless_expired(run, index, type, out, &expired))
        return false;
    *out_exists = !expired && key_exists(run->store, out);
    return true;
}

bool run_find_to_write(CommandRun *run, uint32_t index, int type, Key *out, bool *out_exists)
{
    bool expired;

    if (!find_unless_expired(run, index, type, out, &expired))
        return false;
    if (expired)
        store_delete(run->store, out, run->now);
    if (out_exists)
        *out_exists = !expired && key_exists(run->store, out);
    return true;
}

SlotView run_view(CommandRun *run, const Key *key, int type, const ElementRef *ref)
{
    Slot *slot = key_slot(run->store, key, type, ref, false);

    if (!slot)
        return (SlotView){0};
    return slot_view(&run->store->world.pool, slot);
}

bool run_find_view(CommandRun *run, uint32_t index, Key *out, SlotView *out_view)
{
    const ElementRef whole = {0};
    bool expired;

    if (!find_unless_expired(run, index, CRDT_STRING, out, &expired))
        return false;
    *out_view = expired ? (SlotView){0} : run_view(run, out, run_type(out, CRDT_STRING), &whole);
    return true;
}

DecimalReading view_decimal(const SlotView *view, Decimal *out)
{
    const Value *base = &view->base;
    DecimalReading reading = DECIMAL_READ;
    double score;

    *out = 0;
    if (!view->present)
        return DECIMAL_READ;
    if (!view->has_base) {
        *out = view->increments;
        return DECIMAL_READ;
    }
    if (base->kind == VALUE_INTEGER) {
        *out = (Decimal)(int64_t)base->number * DECIMAL_ONE;
    } else if (base->kind == VALUE_BYTES) {
        reading = decimal_read(base->data, base->bytes, out);
    } else if (base->kind == VALUE_SCORE) {
        memcpy(&score, &base->number, sizeof(score));
        reading = decimal_from_double(score, out) ? DECIMAL_READ : DECIMAL_TOO_LARGE;
    }
    *out += view->increments;
    return reading;
}

/* Increments on a base that is no number are hidden (crdt-semantics.md 3). */
void view_text(const SlotView *view, ViewText *out)
{
    Decimal value;

    if (view->base.kind == VALUE_BYTES &&
        (!view->has_increments || view_decimal(view, &value) != DECIMAL_READ)) {
        out->text = (PayloadText){view->base.data, view->base.bytes};
    } else if (view->base.kind == VALUE_SYNTHETIC && !view->has_increments) {
        out->text = (PayloadText){NULL, view->base.bytes};
    } else if (view->base.kind == VALUE_SCORE) {
        out->text =
            (PayloadText){out->buffer, (uint32_t)double_format(view_score(view), out->buffer)};
    } else {
        view_decimal(view, &value);
        out->text = (PayloadText){out->buffer, (uint32_t)decimal_format(value, out->buffer)};
    }
}

/* A score is added to in decimal where it is one, so that 1.1 + 1 + 1 is 3.1. */
double view_score(const SlotView *view)
{
    double base = 0;
    Decimal sum;

    if (view->base.kind == VALUE_SCORE)
        memcpy(&base, &view->base.number, sizeof(base));
    if (!view->has_increments)
        return base;
    if (decimal_from_double(base, &sum) && decimal_to_double(sum) == base)
        return decimal_to_double(sum + view->increments);
    return base + decimal_to_double(view->increments);
}

void run_assign(CommandRun *run, Key *key, int type, const ElementRef *ref, Value value)
{
    store_write(
        run->store, key,
        &(LocalWrite){
            .op = EFFECT_ASSIGN, .type = type, .element = *ref, .value = value, .now = run->now});
}

void run_increment(CommandRun *run, Key *key, int type, const ElementRef *ref, Decimal amount)
{
    store_write(run->store, key,
                &(LocalWrite){.op = EFFECT_INCREMENT,
                              .type = type,
                              .element = *ref,
                              .amount = amount,
                              .now = run->now});
}

void run_remove(CommandRun *run, Key *key, int type, const ElementRef *ref)
{
    store_write(run->store, key,
                &(LocalWrite){.op = EFFECT_REMOVE, .type = type, .element = *ref, .now = run->now});
}

const CrdtBody *run_body(CommandRun *run, const Key *key, int type)
{
    return key_body(run->store, key, type, false);
}

CrdtBody *run_local_body(CommandRun *run, const Key *key, int type)
{
    return key_body(run->store, key, type, false);
}

void run_edit(CommandRun *run, Key *key, int type, const PayloadWriter *edit, Value value)
{
    store_write(run->store, key,
                &(LocalWrite){.op = EFFECT_EDIT,
                              .type = type,
                              .value = value,
                              .edit = {(const char *)edit->data, edit->bytes},
                              .now = run->now});
}

PayloadText element_name(const Key *key, const ElementRef *ref)
{
    return key->state ? (PayloadText){NULL, DECLARED_NAME_BYTES} : ref->name;
}

void run_declared_range(const CommandRun *run, const Key *key, bool exists, LocalWrite *out)
{
    const Arg *elements = run_first_of(run, ARG_ELEMENT);
    uint32_t fields = key->state->fields;

    out->element_count = exists ? MIN(elements ? MAX(elements->count, 1) : 1, fields) : fields;
    out->element.index =
        exists && elements ? (uint32_t)MIN(elements->number, fields - out->element_count) : 0;
}

static int64_t remove_range(CommandRun *run, Key *key, int type)
{
    LocalWrite write = {.op = EFFECT_REMOVE, .type = type, .now = run->now};
    int64_t present = 0;
    ElementRef ref;

    run_declared_range(run, key, true, &write);
    ref = write.element;
    for (uint32_t i = 0; i < write.element_count; i++, ref.index++)
        present += run_view(run, key, type, &ref).present;
    if (present > 0)
        store_write(run->store, key, &write);
    return present;
}

int64_t run_remove_named(CommandRun *run, Key *key, int type)
{
    int64_t removed = 0;

    if (key->state && run_first_of(run, ARG_ELEMENT))
        return remove_range(run, key, type);
    for (uint32_t i = 1; i < run_count(run); i++) {
        ElementRef ref = run_element(run, key, i);

        if (!run_view(run, key, type, &ref).present)
            continue;
        run_remove(run, key, type, &ref);
        removed++;
    }
    return removed;
}

/* Whether the value is a number of the command's kind. */
static bool is_number(const SlotView *view, const IncrementWrite *write, DecimalReading reading,
                      Decimal value)
{
    int64_t whole;

    if (!write->integer)
        return reading != DECIMAL_MALFORMED;
    /* A base that was written as text counts by the rule of integers: "007" and "1e3" are none. */
    return reading == DECIMAL_READ && decimal_is_integer(value) &&
           (view->has_increments || view->base.kind != VALUE_BYTES || !view->present ||
            integer_parse(view->base.data, view->base.bytes, &whole));
}

static bool is_in_range(const IncrementWrite *write, Decimal value)
{
    return write->integer
               ? value < COUNTER_LIMIT * DECIMAL_ONE && value >= -COUNTER_LIMIT * DECIMAL_ONE
               : decimal_in_range(value);
}

bool run_increment_checked(CommandRun *run, Key *key, const IncrementWrite *write,
                           Decimal *out_value)
{
    SlotView view = run_view(run, key, write->type, &write->ref);
    Decimal value;
    DecimalReading reading = view_decimal(&view, &value);

    if (!is_number(&view, write, reading, value))
        run_reply_error(run, write->not_a_number);
    else if (reading == DECIMAL_INFINITE || write->reading == DECIMAL_INFINITE)
        run_reply_error(run, ERROR_INFINITE);
    else if (reading != DECIMAL_READ || write->reading != DECIMAL_READ ||
             !is_in_range(write, value + write->amount))
        run_reply_error(run, ERROR_OVERFLOW);
    else {
        run_increment(run, key, write->type, &write->ref, write->amount);
        *out_value = value + write->amount;
        return true;
    }
    return false;
}
