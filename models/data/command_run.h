/* One command in execution: what the groups of commands are written with.
 *
 * Finding a key applies the rules that hold for every command: a key past its deadline is not
 * there, a write to it sends the DEL first (crdt-semantics.md 2), the wrong type is an error.
 * Replies are built only as far as somebody will read them (see Reply).
 */
#pragma once

#include "models/data/store_write.h"
#include "models/data/waiter.h"

struct CommandRun {
    Store *store;
    const Command *command;
    WallTime now;
    Arena *arena; /* NULL: no reply tree */
    Reply *reply;
    const WaiterClient *client; /* NULL: the command may not block */
    Waiter *waiter;             /* set when it has */
    Subscriber *subscriber;     /* of the connection; NULL: there is none */
    bool in_transaction;        /* EXEC runs it */
};

bool run_check_arity(CommandRun *run); /* false: the error is the reply */
Waiter *run_execute(CommandRun *run);  /* the command; as store_execute_or_wait */

/* --- replies */
#define ERROR_SYNTAX    "ERR syntax error"
#define ERROR_INTEGER   "ERR value is not an integer or out of range"
#define ERROR_FLOAT     "ERR value is not a valid float"
#define ERROR_INFINITE  "ERR increment would produce NaN or Infinity"
#define ERROR_OVERFLOW  "ERR increment or decrement would overflow"
#define ERROR_POSITIVE  "ERR value is out of range, must be positive"
#define ERROR_NO_KEY    "ERR no such key"
#define ERROR_WRONGTYPE "WRONGTYPE Operation against a key holding the wrong kind of value"

#define ERROR_TIMEOUT_NEGATIVE "ERR timeout is negative"

void run_reply_nil(CommandRun *run);
void run_reply_ok(CommandRun *run);
void run_reply_status(CommandRun *run, const char *text); /* a literal */
void run_reply_error(CommandRun *run, const char *text);  /* a literal */
void run_reply_arity(CommandRun *run);                    /* the error */
/* %s in format stands for word; without a reply tree the format itself is the text. */
void run_reply_error_about(CommandRun *run, const char *format, const char *word, size_t size);
void run_reply_integer(CommandRun *run, int64_t value);
void run_reply_text(CommandRun *run, PayloadText text); /* copied; data NULL for synthetic bytes */
void run_reply_array(CommandRun *run, uint32_t capacity);   /* then push up to capacity items */
void run_reply_several(CommandRun *run, uint32_t capacity); /* as array, see REPLY_SEVERAL */
void run_push_nil(CommandRun *run);
void run_push_status(CommandRun *run, const char *text); /* a literal */
void run_push_integer(CommandRun *run, int64_t value);
void run_push_text(CommandRun *run, PayloadText text);
void run_push_key(CommandRun *run, const Key *key, uint32_t index); /* its name, as it was given */
/* An array inside the array: push into it until run_close gives back what was open. */
Reply *run_open_array(CommandRun *run, uint32_t capacity);
void run_close_array(CommandRun *run, Reply *outer);

/* --- arguments */
/* What a workload left out reads as an empty synthetic value, but it is no number and no key. */
static const Arg run_arg_absent = {.kind = ARG_SYNTHETIC};

static inline const Arg *run_arg(const CommandRun *run, uint32_t index)
{
    return index < run->command->count ? &run->command->args[index] : &run_arg_absent;
}

static inline uint32_t run_count(const CommandRun *run)
{
    return run->command->count;
}

bool arg_is(const Arg *arg, const char *word);                   /* any case */
PayloadText run_text(CommandRun *run, uint32_t index);           /* NULL data for synthetic ones */
bool run_integer(CommandRun *run, uint32_t index, int64_t *out); /* false: the error is the reply */
/* false: error, which is also what a text that is no integer gives, is the reply. */
bool run_integer_within(CommandRun *run, uint32_t index, int64_t least, const char *error,
                        int64_t *out);
/* Of an ARG_SPOT: which of `held` positions (at least 1) it is; leaves what others say. */
void run_spot(const CommandRun *run, uint32_t index, uint64_t held, int64_t *out);
bool run_double(CommandRun *run, uint32_t index, double *out);
/* A decimal increment; DECIMAL_MALFORMED: the error is the reply.  The others are the caller's. */
DecimalReading run_amount(CommandRun *run, uint32_t index, Decimal *out);
bool run_is_given(const CommandRun *run, uint32_t index); /* not left out by a workload */
Value run_value(CommandRun *run, const Key *key, uint32_t index);
ElementRef run_element(CommandRun *run, const Key *key, uint32_t index);

/* The first argument after the key of that kind, for workloads that leave the rest out; NULL: none.
 */
const Arg *run_first_of(const CommandRun *run, ArgKind kind);

/* --- keys.  type -1: any.  false: the error is the reply. */
bool run_find(CommandRun *run, uint32_t index, int type, Key *out, bool *out_exists);
/* out_exists may be NULL: a plain SET does not ask. */
bool run_find_to_write(CommandRun *run, uint32_t index, int type, Key *out, bool *out_exists);
int run_type(const Key *key, int type); /* a declared counter is its own type */

/* --- values as seen */
typedef struct {
    char buffer[DECIMAL_TEXT_MAX];
    PayloadText text; /* data NULL: synthetic */
} ViewText;

SlotView run_view(CommandRun *run, const Key *key, int type,
                  const ElementRef *ref); /* of an existing key */
/* run_find of a string, and what it shows; present: it exists. */
bool run_find_view(CommandRun *run, uint32_t index, Key *out, SlotView *out_view);
void view_text(const SlotView *view, ViewText *out);
/* Base and increments; 0 when absent or synthetic. */
DecimalReading view_decimal(const SlotView *view, Decimal *out);
double view_score(const SlotView *view);

/* --- blocking: see models/data/waiter.h */
typedef struct {
    int type;              /* of the keys; what shows another one is as good as absent */
    uint32_t first, count; /* arguments that are keys */
    int64_t timeout_ms;    /* 0: for ever */
    bool sees_loss;        /* serve is asked also when the key does not exist, or as another type */
    /* The non-blocking form, about the key at that argument alone; false: it gives nothing, and the
     * reply is of no meaning. */
    bool (*serve)(CommandRun *run, uint32_t index);
} Wait;

/* Seconds as text; a workload's number counts milliseconds.  0: for ever.  false: the error is the
 * reply. */
bool run_timeout(CommandRun *run, uint32_t index, int64_t *out_ms);
/* How many keys the words of "key ... timeout" begin with.  Workloads name one, and may leave out
 * the timeout. */
uint32_t run_wait_keys(const CommandRun *run);
/* Nothing is there: the client waits.  Where it may not, nil is the reply. */
void run_wait(CommandRun *run, const Wait *wait);
/* The first of the keys that gives something; else the client waits. */
void run_serve_or_wait(CommandRun *run, const Wait *wait);

/* --- writes */
void run_assign(CommandRun *run, Key *key, int type, const ElementRef *ref, Value value);
void run_increment(CommandRun *run, Key *key, int type, const ElementRef *ref, Decimal amount);
void run_remove(CommandRun *run, Key *key, int type, const ElementRef *ref);

/* Keys that are one structure.  run_body: NULL when nothing has happened to the key; what is there
 * need not be visible.  run_local_body: the same, for what of it is this member's alone and changes
 * without an effect.  run_edit: one effect with the bytes written to edit. */
const CrdtBody *run_body(CommandRun *run, const Key *key, int type);
CrdtBody *run_local_body(CommandRun *run, const Key *key, int type);
void run_edit(CommandRun *run, Key *key, int type, const PayloadWriter *edit, Value value);

/* Sketches as strings (group_hyperloglog.c).  GET of a key that shows no plain string: its bytes if
 * it is a sketch, else the error again.  SET: whether the value is a sketch, which then replaces
 * what is there; declared keys never change their type. */
void run_get_sketch(CommandRun *run);
bool run_set_sketch(CommandRun *run, Key *key, const LocalWrite *assign);

/* Removes the elements named from argument 1 on that are present; returns how many. */
int64_t run_remove_named(CommandRun *run, Key *key, int type);

/* Declared keys: the run of indexes a workload's command is about; all of them when the write
 * creates the key. */
void run_declared_range(const CommandRun *run, const Key *key, bool exists, LocalWrite *out);

/* What the name of a declared element, or a score, weighs in a reply: neither has text. */
#define DECLARED_NAME_BYTES 8
#define SCORE_TEXT_BYTES    8

PayloadText element_name(const Key *key, const ElementRef *ref);

/* Increments the slot by amount and leaves the result in *out_value; false: the error is the reply.
 * integer: by the rules of INCRBY (whole numbers, 59 bits), else of INCRBYFLOAT. */
typedef struct {
    int type;
    ElementRef ref;
    Decimal amount;
    DecimalReading reading; /* of the amount; an error of the value there goes first */
    bool integer;
    const char *not_a_number; /* the error when the value is no such number */
} IncrementWrite;

bool run_increment_checked(CommandRun *run, Key *key, const IncrementWrite *write,
                           Decimal *out_value);
