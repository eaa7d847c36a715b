/* Fuzzes the commands: lines of words, each executed at one of two members that exchange all their
 * effects after every fourth.  Nothing may crash, and both end with the same state.
 *
 * A line is a command; a word ends at a blank or a line's end, the first byte's lowest bit picks
 * the member.  Words of many digits make some commands grow a value, or a reply, to hundreds of
 * megabytes, as they would in Redis; such lines are left out here.
 */
#include <glib.h>
#include <string.h>

#include "models/data/session.h"
#include "sim/ensure.h"
#include "tests/effect_tape.h"

#define WORDS_MAX  16
#define LINES_MAX  64
#define DIGITS_MAX 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct {
    Store *store;
    Session *session;
    EffectTape *tape;
} Member;

static void exchange(Member *members, WallTime now)
{
    for (uint32_t from = 0; from < 2; from++)
        while (effect_tape_play(members[from].tape, members[1 - from].store, now))
            ;
}

/* Before the last exchange: a waiter that is served writes. */
static void serve(Member *members, WallTime now)
{
    for (uint32_t m = 0; m < 2; m++)
        sessions_serve(members[m].store, now);
}

/* Splits a line at its blanks; a word ends before the next, so nothing is copied. */
static uint32_t split(const char *line, size_t size, Arg *words)
{
    uint32_t count = 0;
    size_t begin = 0;

    for (size_t i = 0; i <= size && count < WORDS_MAX; i++) {
        if (i < size && line[i] != ' ')
            continue;
        words[count++] =
            (Arg){.kind = ARG_BYTES, .data = line + begin, .bytes = (uint32_t)(i - begin)};
        begin = i + 1;
    }
    return count;
}

static bool is_large(const char *line, size_t size)
{
    size_t digits = 0;

    for (size_t i = 0; i < size; i++) {
        digits = g_ascii_isdigit(line[i]) ? digits + 1 : 0;
        if (digits > DIGITS_MAX)
            return true;
    }
    return false;
}

static void run_line(Member *members, const char *line, size_t size, WallTime now)
{
    Arg words[WORDS_MAX];
    uint32_t count = split(line, size, words);
    g_autoptr(Arena) arena = arena_new();
    Reply reply;

    Member *member = &members[line[0] & 1];

    while (session_take_message(member->session, arena, &reply))
        ensure(reply.count >= 3);
    if (is_large(line, size))
        return;
    if (session_is_waiting(member->session)) { /* its client goes and another comes */
        session_free(member->session);
        member->session = session_new(member->store);
    }
    session_execute(member->session, words, count, now, arena, &reply);
}

static void run_lines(Member *members, const char *at, const char *end)
{
    WallTime now = {1000};

    for (uint32_t i = 0; i < LINES_MAX && at < end; i++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t size = (size_t)((stop ? stop : end) - at);

        now.ms += 500;
        for (uint32_t m = 0; m < 2; m++)
            store_expire_due(members[m].store, now);
        if (size > 0)
            run_line(members, at, size, now);
        if (i % 4 == 3)
            exchange(members, now);
        serve(members, now);
        at += size + 1;
    }
    exchange(members, now);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Member members[2];
    Digest digests[2];

    for (uint32_t i = 0; i < 2; i++) {
        members[i].tape = effect_tape_new();
        members[i].store = store_new(&(StoreConfig){
            .member_id = i + 1, .member_count = 2, .sink = effect_tape_sink(members[i].tape)});
        members[i].session = session_new(members[i].store);
    }
    run_lines(members, (const char *)data, (const char *)data + size);
    for (uint32_t i = 0; i < 2; i++) {
        digests[i] = digest_begin();
        store_digest(members[i].store, &digests[i]);
    }
    ensure(digests[0].value == digests[1].value);
    for (uint32_t i = 0; i < 2; i++) {
        session_free(members[i].session);
        store_free(members[i].store);
        effect_tape_free(members[i].tape);
    }
    return 0;
}
