/* Why it works: what a client's words ask for is looked up by the first two of them, then by the
 * first alone, so that a refused subcommand is told apart from its command. */
#include <glib.h>
#include <string.h>

#include "models/data/command_known.h"

#define UNKNOWN_TEXT_MAX 128 /* Redis shows so much of the name, and of its arguments together */

/* Of the words' command with its subcommand, when that is known, else of the command alone. */
static bool find_words(const Arg *words, uint32_t count, KnownCommand *out)
{
    if (count > 1 && words[0].bytes > 0) {
        g_autoptr(GString) both = g_string_new_len(words[0].data, words[0].bytes);

        g_string_append_c(both, '|');
        g_string_append_len(both, words[1].data, words[1].bytes);
        if (command_known_find(both->str, both->len, out))
            return true;
    }
    return command_known_find(words[0].data, words[0].bytes, out);
}

const char *command_known_name(const Arg *words, uint32_t count)
{
    KnownCommand known;

    return find_words(words, count, &known) ? known.name : "";
}

bool command_is_refused(const Arg *words, uint32_t count)
{
    KnownCommand known;

    return find_words(words, count, &known) && known.standing == COMMAND_REFUSED;
}

const CommandSpec *command_find_words(const Arg *words, uint32_t count)
{
    if (command_is_refused(words, count))
        return NULL;
    return command_find(words[0].data, words[0].bytes);
}

/* As C shows a text: a word ends at its first zero. */
static void append_clipped(GString *out, const Arg *word, size_t room)
{
    size_t bytes = MIN(room, word->bytes);
    const char *zero = memchr(word->data, '\0', bytes);

    g_string_append_c(out, '\'');
    g_string_append_len(out, word->data, zero ? zero - word->data : (gssize)bytes);
    g_string_append_c(out, '\'');
}

void command_reply_unfound(const Arg *words, uint32_t count, Arena *arena, Reply *out)
{
    g_autoptr(GString) text = g_string_new(NULL);
    KnownCommand known;

    if (find_words(words, count, &known) && known.standing == COMMAND_REFUSED) {
        g_autofree char *name = g_ascii_strup(known.name, -1);

        g_string_printf(text, "ERR %s is refused: %s", g_strdelimit(name, "|", ' '), known.reason);
    } else {
        size_t begin;

        g_string_append(text, "ERR unknown command ");
        append_clipped(text, &words[0], UNKNOWN_TEXT_MAX);
        g_string_append(text, ", with args beginning with: ");
        begin = text->len;
        for (uint32_t i = 1; i < count && text->len - begin < UNKNOWN_TEXT_MAX; i++) {
            append_clipped(text, &words[i], UNKNOWN_TEXT_MAX - (text->len - begin));
            g_string_append_c(text, ' ');
        }
    }
    g_strdelimit(text->str, "\r\n", ' '); /* as Redis: a line of the protocol has no breaks */
    *out = (Reply){.kind = REPLY_ERROR, .text = arena_text(arena, text->str), .bytes = text->len};
}
